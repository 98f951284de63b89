"""The cards' dimensions give the published sizes, and transformers builds models of exactly that many weights."""

from __future__ import annotations

import pytest

from lab.bases.cards import BaseCard, bases
from lab.bases.shape import FAMILIES, Shape, family_of, n_parameters, shape_of
from lab.core.errors import LabError

HUB = sorted(name for name, card in bases().items() if card.hub_id)
# As their own pages give them (Qwen's tables, SmolLM2's and Meta's cards, the safetensors counts of the hub).
PUBLISHED = {
    "llama-3.1-8b": 8.03e9, "llama-3.1-8b-instruct": 8.03e9, "llama-3.2-3b-instruct": 3.21e9, "meditron3-8b": 8.03e9,
    "huatuogpt-o1-8b": 8.03e9, "finemedlm-o1": 8.03e9, "meditron3-qwen2.5-7b": 7.62e9,
    "qwen2.5-7b-instruct": 7.62e9, "qwen2.5-32b-instruct": 32.5e9,
    "qwen2.5-1.5b-instruct": 1.54e9, "qwen2.5-0.5b-instruct": 0.49e9, "qwen3-0.6b": 0.6e9, "qwen3-1.7b": 1.7e9,
    "smollm2-135m-instruct": 134_515_008, "smollm2-360m-instruct": 361_821_120,
}


def test_every_hub_card_is_compared():
    assert set(HUB) == set(PUBLISHED) and {bases()[name].family for name in HUB} == set(FAMILIES)


@pytest.mark.parametrize("name", HUB)
def test_the_dimensions_give_the_published_number_of_parameters(name: str):
    card = bases()[name]
    assert card.shape is not None
    assert n_parameters(card.family, card.shape) == card.parameters
    assert card.parameters == pytest.approx(PUBLISHED[name], rel=0.02)


def built(card: BaseCard, shape: Shape) -> int:
    """Weights of a model that transformers builds from the same dimensions, on no device."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(
        card.family, hidden_size=shape.hidden, num_hidden_layers=shape.layers, num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads, head_dim=shape.head_dim, intermediate_size=shape.inner,
        vocab_size=shape.vocabulary, tie_word_embeddings=shape.tied,
    )
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    assert shape_of(config.to_dict()) == shape
    names = {name: tuple(layer.weight.shape) for name, layer in model.model.layers[0].named_modules()
             if isinstance(layer, torch.nn.Linear)}
    assert {name.split(".")[-1]: (inside, out) for name, (out, inside) in names.items()} == shape.linears()
    return model.num_parameters()


@pytest.mark.parametrize("name", ["llama-3.1-8b", "llama-3.2-3b-instruct", "qwen2.5-0.5b-instruct", "qwen3-0.6b"])
def test_transformers_builds_exactly_as_many(name: str):
    card = bases()[name]
    assert card.shape is not None and built(card, card.shape) == card.parameters


def test_another_family_names_those_the_lab_trains():
    with pytest.raises(LabError, match="'x' is of family 'gpt2': the lab trains llama, qwen2, qwen3"):
        family_of({"model_type": "gpt2"}, "'x'")
