"""A card says what one must know before training its base: licence, gate, style, memory, where its files come from."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from lab.bases.cards import TEMPLATES, BaseCard, base_label, bases
from lab.data.targets import THINKING_STYLES
from lab.training.memory_table import WAYS, memory_table

NEEDED = {
    "meditron3-8b", "meditron3-qwen2.5-7b", "llama-3.1-8b", "llama-3.1-8b-instruct", "qwen2.5-0.5b-instruct",
    "qwen2.5-1.5b-instruct", "qwen2.5-7b-instruct", "qwen3-0.6b", "qwen3-1.7b", "smollm2-135m-instruct",
    "smollm2-360m-instruct", "huatuogpt-o1-8b", "finemedlm-o1",
}


def test_every_base_of_the_papers_and_its_stand_ins_have_cards():
    assert set(bases()) >= NEEDED


@pytest.mark.parametrize("name", sorted(bases()))
def test_a_card_is_whole(name: str):
    card = bases()[name]
    assert card.license and card.notes and card.thinking_style in THINKING_STYLES
    assert not card.chat_template or (TEMPLATES / card.chat_template).is_file()
    if card.hub_id:
        assert card.license_url.startswith("https://") and card.revision_note
        assert card.revision is None or re.fullmatch("[0-9a-f]{40}", card.revision)
    stand_in = bases()[card.stand_in] if card.stand_in else None
    assert card.path or (stand_in and not stand_in.gated), "a base of the hub has an ungated stand-in"


@pytest.mark.parametrize("name", sorted(bases()))
def test_a_line_of_stand_ins_ends_at_a_base_that_ships_with_the_lab(name: str):
    card, seen = bases()[name], set()
    while card.stand_in:
        assert card.name not in seen
        seen.add(card.name)
        card = bases()[card.stand_in]
    assert card.path


@pytest.mark.parametrize("name", sorted(bases()))
def test_memory_is_known_for_every_way_without_any_file(name: str):
    card = bases()[name]
    ways = memory_table(card, min(4096, card.context_tokens))
    assert [way.name for way in ways[::2]] == list(WAYS)
    assert all(way.memory.total > 0 for way in ways)
    total = {way.name: way.memory.total for way in ways if way.activation_checkpointing}
    if card.parameters > 1e8:
        assert total["full"] > total["LoRA"] > total["4-bit LoRA"]


def test_a_base_lives_in_one_place():
    card = bases()["demo-llama"].model_dump()
    for wrong in ({"hub_id": "org/model"}, {"path": None}):
        with pytest.raises(ValidationError, match="exactly one"):
            BaseCard.model_validate({**card, **wrong})


@pytest.mark.parametrize(("name", "label"), [
    ("demo-llama", "demo-llama"), ("/models/My Base/", "My-Base"), ("org/Model-7B@v1.0", "Model-7B"),
    ("./runs/a@b", "a-b"), ("~/m", "m"),
])
def test_a_label_is_safe_in_the_name_of_a_variant(name: str, label: str):
    assert base_label(name) == label
