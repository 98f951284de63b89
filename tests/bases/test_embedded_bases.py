"""The shipped bases are ordinary small models: plain transformers loads them, the template marks what is learned."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.bases.cards import HERE, BaseCard, bases
from lab.bases.demo.designs import DESIGNS
from lab.benchmarks.benchmark import benchmarks
from lab.data.chat import prompt_completion, prompt_messages
from lab.data.dataset import datasets

EMBEDDED = [card for card in bases().values() if card.path]
THOUGHT = "<think>\n1+1=2\n</think>\nIt is 2."


@pytest.fixture(scope="module", params=EMBEDDED, ids=lambda card: card.name)
def card(request: pytest.FixtureRequest) -> BaseCard:
    return request.param


@pytest.fixture(scope="module")
def tokenizer(card: BaseCard):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(card.location())


def test_both_embedded_bases_have_cards_with_a_training_record() -> None:
    assert {card.name for card in EMBEDDED} == set(DESIGNS)
    for card in EMBEDDED:
        assert card.stands_in_for and "not for clinical use" in card.notes
        assert card.training["loss_end"] < card.training["loss_start"]


def test_a_folder_is_small_safetensors_and_readable_by_all(card: BaseCard) -> None:
    files = [file for file in Path(card.location()).iterdir() if file.is_file()]
    assert sum(file.stat().st_size for file in files) < 10_000_000
    assert [file.name for file in files if file.suffix in (".bin", ".pt", ".pkl")] == []
    assert all(file.stat().st_mode & 0o044 for file in files)


def test_plain_transformers_loads_it_with_the_size_its_card_says(card: BaseCard, tokenizer) -> None:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(card.location())
    assert model.config.model_type == card.family
    assert sum(parameter.numel() for parameter in model.parameters()) == card.parameters
    assert model.config.max_position_embeddings == card.context_tokens == tokenizer.model_max_length
    assert len(tokenizer) == model.config.vocab_size
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id


def test_the_shipped_template_is_the_one_in_the_source(card: BaseCard, tokenizer) -> None:
    assert tokenizer.chat_template == DESIGNS[card.name].template()
    assert HERE / card.path == DESIGNS[card.name].folder


def test_the_prompt_is_the_start_of_every_completed_chat_whatever_the_target(tokenizer) -> None:
    for row in datasets()["demo-combined"].load()[:50]:
        start = tokenizer.apply_chat_template(prompt_messages(row), tokenize=False, add_generation_prompt=True)
        for target in ("trace", "answer", "gold"):
            parts = prompt_completion(row, target)
            whole = tokenizer.apply_chat_template(parts["prompt"] + parts["completion"], tokenize=False)
            assert whole.startswith(start + parts["completion"][0]["content"])


def test_the_assistant_mask_is_the_answer_with_its_end_token(tokenizer) -> None:
    messages = [{"role": "user", "content": "What is 1+1?"}, {"role": "assistant", "content": THOUGHT}]
    out = tokenizer.apply_chat_template(messages, return_dict=True, return_assistant_tokens_mask=True)
    learned = [i for i, mask in zip(out["input_ids"], out["assistant_masks"], strict=True) if mask]
    assert tokenizer.decode(learned) == THOUGHT + tokenizer.eos_token
    assert learned[-1] == tokenizer.eos_token_id


def test_reasoning_content_renders_like_tags_in_the_text(tokenizer) -> None:
    told = [{"role": "assistant", "reasoning_content": "1+1=2", "content": "It is 2."}]
    plain = [{"role": "assistant", "content": THOUGHT}]
    render = tokenizer.apply_chat_template
    assert render(told, tokenize=False) == render(plain, tokenize=False)
    empty = [{"role": "assistant", "reasoning_content": None, "content": "It is 2."}]
    assert "<think>" not in render(empty, tokenize=False)


def test_thinking_tags_are_single_tokens_that_survive_skipping_special_tokens(tokenizer) -> None:
    for tag in ("<think>", "</think>"):
        (token,) = tokenizer.encode(tag, add_special_tokens=False)
        assert token not in tokenizer.all_special_ids
    ids = tokenizer.encode(THOUGHT + tokenizer.eos_token, add_special_tokens=False)
    assert tokenizer.decode(ids, skip_special_tokens=True) == THOUGHT


def test_every_number_below_a_thousand_is_one_token_and_any_text_comes_back(tokenizer) -> None:
    for number in range(1000):
        assert len(tokenizer.encode(str(number), add_special_tokens=False)) == 1
    for text in ("1234567 mg", "β-blockade à 37,5 °C\n\t→ 12 %", "日本語 😀", "x" * 50):
        assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text


def test_every_demo_row_fits_the_context_with_room(card: BaseCard, tokenizer) -> None:
    rows = [row for name in ("demo-general", "demo-medical") for row in (*datasets()[name].load()[:400],
                                                                         *benchmarks()[name].load())]
    for row in rows:
        parts = prompt_completion(row, "trace")
        text = tokenizer.apply_chat_template(parts["prompt"] + parts["completion"], tokenize=False)
        assert len(tokenizer.encode(text, add_special_tokens=False)) <= card.context_tokens // 2
