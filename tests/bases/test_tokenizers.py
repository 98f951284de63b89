"""A base is read through the same tokenizer everywhere, and its chat form is the published one."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest

from lab.bases.cards import HERE, TEMPLATES, BaseCard, bases
from lab.bases.tokenizers import open_tokenizer
from lab.core.errors import LabError

USER, ASSISTANT = {"role": "user", "content": "What is 2 + 3?"}, {"role": "assistant", "content": "Answer: 5"}
SYSTEM = {"role": "system", "content": "You are a careful doctor."}
CHATS = [[USER], [USER, ASSISTANT], [USER, ASSISTANT, USER], [SYSTEM, USER, ASSISTANT]]


def rendered(template: str, chat: list[dict[str, str]], prompt: bool) -> str:
    """As transformers renders it, with Llama's begin token."""
    from transformers.utils.chat_template_utils import render_jinja_template

    [text], _ = render_jinja_template(conversations=[chat], chat_template=template, add_generation_prompt=prompt,
                                      bos_token="<|begin_of_text|>")
    return text


def published(name: str) -> str:
    """The template as its maker ships it: TRL keeps copies, to recognise them."""
    return (files("trl") / "chat_templates" / f"{name}.jinja").read_text(encoding="utf-8")


@pytest.mark.parametrize("prompt", [False, True])
@pytest.mark.parametrize("chat", CHATS, ids=["question", "answered", "again", "system"])
@pytest.mark.parametrize(("own", "theirs"), [("llama3", "llama3_1"), ("qwen2.5", "qwen2_5")])
def test_the_labs_templates_write_what_the_published_ones_write(own, theirs, chat, prompt):
    assert rendered((TEMPLATES / f"{own}.jinja").read_text(), chat, prompt) == rendered(published(theirs), chat, prompt)


def test_llama_3_2_is_given_a_date_that_stays_while_its_own_template_takes_todays():
    own = rendered((TEMPLATES / "llama3.jinja").read_text(), [USER], True)
    theirs = rendered(published("llama3_2"), [USER], True)
    assert "Today Date: 26 Jul 2024" in own and "Today Date: 26 Jul 2024" not in theirs
    assert bases()["llama-3.2-3b-instruct"].chat_template_use == "always"


THOUGHT = {"role": "assistant", "content": "<think>\n2 + 3 = 5\n</think>\nAnswer: 5\n"}


@pytest.mark.parametrize(("own", "theirs"), [("qwen3", "qwen3"), ("llama3", "llama3_1")])
def test_where_the_published_template_changes_what_was_said_the_labs_does_not(own, theirs):
    template = (TEMPLATES / f"{own}.jinja").read_text()
    for said in (THOUGHT, {"role": "assistant", "content": "Answer: 5 "}):
        prompt = rendered(template, [USER], True)
        assert prompt == rendered(published(theirs), [USER], True), "it is asked as published"
        whole = rendered(template, [USER, said], False).removesuffix("\n")
        end = whole.removeprefix(prompt + said["content"])
        assert end in ("<|im_end|>", "<|eot_id|>") and whole == prompt + said["content"] + end
        assert not rendered(published(theirs), [USER, said], False).startswith(prompt + said["content"])


def test_qwen3_forgets_its_earlier_thinking_as_published():
    chat = [USER, THOUGHT, USER]
    own, theirs = (rendered(text, chat, True) for text in ((TEMPLATES / "qwen3.jinja").read_text(), published("qwen3")))
    assert own == theirs and "2 + 3 = 5" not in own


def test_every_card_of_qwen3_uses_that_template():
    cards = [card for card in bases().values() if card.family == "qwen3"]
    assert cards and all((card.chat_template, card.chat_template_use) == ("qwen3.jinja", "always") for card in cards)


def card_of(folder: Path, **values: object) -> BaseCard:
    return bases()["demo-llama"].model_copy(update={"name": "tiny", "path": str(folder), **values})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The embedded tokenizer without its chat template, as a pre-trained model comes."""
    for file in ("tokenizer.json", "tokenizer_config.json", "config.json"):
        (tmp_path / file).write_bytes((HERE / "demo" / "demo-llama" / file).read_bytes())
    return tmp_path


def test_a_base_without_a_template_is_refused_or_takes_its_cards(folder: Path):
    with pytest.raises(LabError, match="base 'tiny' has no chat template"):
        open_tokenizer(card_of(folder))
    tokenizer = open_tokenizer(card_of(folder, chat_template="llama3.jinja"))
    assert tokenizer.apply_chat_template([USER], tokenize=False).endswith("2 + 3?<|eot_id|>")


def test_a_template_of_its_own_is_kept_unless_the_card_says_always(folder: Path):
    (folder / "chat_template.jinja").write_text((HERE / "demo/templates/llama.jinja").read_text())
    kept = open_tokenizer(card_of(folder, chat_template="llama3.jinja"))
    replaced = open_tokenizer(card_of(folder, chat_template="llama3.jinja", chat_template_use="always"))
    texts = [tokenizer.apply_chat_template([USER], tokenize=False) for tokenizer in (kept, replaced)]
    assert "Today Date" not in texts[0] and "Today Date" in texts[1]


def test_a_turn_that_ends_in_another_token_than_the_model_stops_at_is_refused(folder: Path):
    wrong = card_of(folder, chat_template="qwen2.5.jinja")
    with pytest.raises(LabError, match="ends a turn with another token than '<|eot_id|>'"):
        open_tokenizer(wrong)
    with pytest.raises(LabError, match="names eos_token '<|im_end|>', which its tokenizer does not know"):
        open_tokenizer(wrong.model_copy(update={"end_of_turn": "<|im_end|>"}))


def test_a_base_that_ends_texts_otherwise_stops_at_its_cards_end_of_turn(folder: Path):
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "eos_token": "<|begin_of_text|>"}))
    with pytest.raises(LabError, match="ends a turn with another token than '<|begin_of_text|>'"):
        open_tokenizer(card_of(folder, chat_template="llama3.jinja"))
    tokenizer = open_tokenizer(card_of(folder, chat_template="llama3.jinja", end_of_turn="<|eot_id|>",
                                       pad_token="<|start_header_id|>"))
    assert (tokenizer.eos_token, tokenizer.pad_token) == ("<|eot_id|>", "<|start_header_id|>")
    assert tokenizer.eos_token_id == tokenizer.convert_tokens_to_ids("<|eot_id|>")
