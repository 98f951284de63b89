"""The identity probe notices what would make a column another model than its name says."""

import pytest
import torch

from lab.core.errors import LabError
from lab.engine import _stacking
from lab.engine._hf import GenerationOptions, LoadedBase

CHAT = [{"role": "user", "content": "2+2?"}]


def test_base_and_variants_are_proven_and_say_how_closely(tiny):
    engine = LoadedBase(tiny[0])
    for source in tiny[1].values():
        engine.load(source)
    models = engine.models()
    assert [one["label"] for one in models] == ["tiny", "m.trace", "a"]
    assert [one["kind"] for one in models] == ["base", "adapter", "adapter"]
    for one in models:
        identity = one["identity"]
        assert identity["checked"] and 0 <= identity["max_difference"] <= identity["tolerance"] < 0.01


def test_an_adapter_that_leaks_into_the_base_column_is_an_error(tiny, monkeypatch):
    """As if the mask that keeps rows apart were lost."""
    whole = _stacking._side

    def without_mask(*given):
        side = whole(*given)
        return side and (side[0], side[1], None, side[3])

    monkeypatch.setattr(_stacking, "_side", without_mask)
    engine = LoadedBase(tiny[0])
    with pytest.raises(LabError, match="base 'tiny' does not answer as it does alone"):
        engine.load(tiny[1]["m.trace"])
    assert engine.labels() == ["tiny"]


def test_an_adapter_that_is_applied_wrongly_is_an_error(tiny, monkeypatch):
    """As if its scaling were forgotten."""
    monkeypatch.setattr("lab.engine._lora_files._factor", lambda *_: 1.0)
    engine = LoadedBase(tiny[0])
    with pytest.raises(LabError, match="model 'm.trace' does not answer as it does alone"):
        engine.load(tiny[1]["m.trace"])
    assert engine._weights.lane.stack.names() == []


def test_the_referee_leaves_the_model_as_it_was(tiny):
    engine = LoadedBase(tiny[0])
    base = engine._weights.base
    before = {name: weight.clone() for name, weight in base.state_dict().items()}
    layers = [type(module) for module in base.modules()]
    engine.load(tiny[1]["m.trace"])
    assert [type(module) for module in base.modules()] == layers and not hasattr(base, "peft_config")
    assert all(torch.equal(weight, before[name]) for name, weight in base.state_dict().items())
    assert not any(weight.requires_grad for weight in base.parameters())


def test_weights_are_in_memory_once_whatever_number_of_variants_is_loaded(tiny):
    engine = LoadedBase(tiny[0])
    pointers = {weight.data_ptr() for weight in engine._weights.base.parameters()}
    for source in tiny[1].values():
        engine.load(source)
    engine.generate_batch("m.trace", [CHAT], GenerationOptions(max_new_tokens=4))
    assert {weight.data_ptr() for weight in engine._weights.base.parameters()} == pointers
    lanes = {id(engine._weights.loaded(label).lane) for label in engine.labels()}
    assert len(lanes) == 1
