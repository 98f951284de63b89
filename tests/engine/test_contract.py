"""The template contract: the same rendering is the same contract, and every other one is named and refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from lab.bases.cards import bases
from lab.bases.tokenizers import open_tokenizer
from lab.core.errors import LabError
from lab.core.types import ModelSource
from lab.data.targets import THINKING_STYLES
from lab.engine.contract import FILE, check_contract, contract, read_contract, rendered_probe, style_of, write_contract

BASE = "demo-llama"


@pytest.fixture
def card():
    return bases()[BASE]


@pytest.fixture
def tokenizer(card):
    return open_tokenizer(card)


@pytest.fixture
def source(card, tokenizer, tmp_path) -> ModelSource:
    made = write_contract(tmp_path, tokenizer, "tags", card)
    return ModelSource(ref="variant:x", label="x", base=BASE, folder=str(tmp_path), kind="adapter",
                       thinking_style="tags", template_sha=made["template_sha256"])


def test_what_is_written_is_what_is_read_and_holds(card, tokenizer, source):
    found = read_contract(source.folder)
    assert found == contract(tokenizer, "tags", card) and found["base"] == BASE and found["eos"] == tokenizer.eos_token
    check_contract(source, tokenizer, card)
    check_contract(Path(source.folder), tokenizer, card)
    check_contract(ModelSource(ref=BASE, label=BASE, base=BASE), tokenizer, card)  # a base has none to break


def test_the_hash_is_sha256_of_what_the_template_writes_the_style_and_the_end(card, tokenizer):
    chats = rendered_probe(tokenizer, "tags")
    text = json.dumps([chats, "tags", tokenizer.eos_token], sort_keys=True, ensure_ascii=False)
    assert contract(tokenizer, "tags", card)["template_sha256"] == hashlib.sha256(text.encode()).hexdigest()
    question = [{"role": "user", "content": "First question?\nA) one"}]
    assert chats["a question"] == tokenizer.apply_chat_template(question, tokenize=False, add_generation_prompt=True)


def test_a_template_written_otherwise_that_writes_the_same_is_the_same(card, tokenizer, source):
    before = contract(tokenizer, "tags", card)
    tokenizer.chat_template = "{# another text #}" + tokenizer.chat_template
    check_contract(source, tokenizer, card)
    assert contract(tokenizer, "tags", card) == before


def test_every_style_is_another_contract(card, tokenizer):
    assert len({contract(tokenizer, style, card)["template_sha256"] for style in THINKING_STYLES}) == 4


def changed_prompt(tokenizer):
    tokenizer.chat_template = tokenizer.chat_template + "{% if add_generation_prompt %} now:{% endif %}"


def changed_end(tokenizer):
    tokenizer.eos_token = tokenizer.bos_token or tokenizer.pad_token


def strips_thinking(tokenizer):
    """What Qwen3's template does to earlier turns."""
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m['role'] }}: {{ m['content'].split('</think>')[-1] }}\n{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )


@pytest.mark.parametrize(("change", "words"), [
    (changed_prompt, "a question was written .* and is written .* now:"),
    (changed_end, "a turn ended with .* and ends"),
    (strips_thinking, "was written"),
])
def test_another_template_is_refused_and_the_difference_is_shown(card, tokenizer, source, change, words):
    change(tokenizer)
    with pytest.raises(LabError, match=f"model 'x' was trained through another chat template .*{words}.* train the"):
        check_contract(source, tokenizer, card)


@pytest.mark.parametrize("record", [{"thinking_style": "s1"}, {"template_sha": "0" * 64}])
def test_a_contract_that_is_not_the_recorded_one_is_refused(card, tokenizer, source, record):
    with pytest.raises(LabError, match="was recorded with .* belongs to another variant"):
        check_contract(source.model_copy(update=record), tokenizer, card)


def test_a_variant_from_before_contracts_is_warned_about_and_used(card, tokenizer, source, caplog):
    (Path(source.folder) / FILE).unlink()
    old = source.model_copy(update={"thinking_style": None, "template_sha": ""})
    check_contract(old, tokenizer, card)
    assert "model 'x' has no template contract" in caplog.text
    assert style_of(old, card) == card.thinking_style


def test_the_style_is_the_variants_then_the_contracts_then_the_bases(card, tokenizer, tmp_path):
    write_contract(tmp_path, tokenizer, "finemed", card)
    bare = ModelSource(ref="variant:x", label="x", base=BASE, folder=str(tmp_path), kind="adapter")
    assert style_of(bare, card) == "finemed"
    assert style_of(bare.model_copy(update={"thinking_style": "s1"}), card) == "s1"
    assert style_of(ModelSource(ref=BASE, label=BASE, base=BASE), card) == "tags"


def test_a_template_that_takes_no_system_message_has_a_contract(card, tokenizer):
    tokenizer.chat_template = (
        "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        "{{ m['content'] }}{% endfor %}"
    )
    assert contract(tokenizer, "tags", card)["rendered"]["a question after a system message"] == "refused: no system"


def test_todays_date_does_not_change_a_contract(card, tokenizer):
    tokenizer.chat_template = "{{ strftime_now('%d %b %Y') }} {{ messages[0]['content'] }}"
    assert contract(tokenizer, "tags", card)["rendered"]["a question"].startswith("26 Jul 2024 ")


@pytest.mark.parametrize("text", ["{", "[]", '{"thinking_style": "unheard of"}'])
def test_a_broken_contract_is_refused_and_not_taken_for_none(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(LabError, match="cannot be read as a template contract"):
        read_contract(tmp_path)
