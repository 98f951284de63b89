"""Rows: what is rendered, what is dropped, what two arms share."""

from __future__ import annotations

import pytest
from transformers import PreTrainedTokenizerFast

from lab.core.errors import LabError, SpecError
from lab.core.spec import load_spec
from lab.data.dataset import datasets
from lab.training.rows import build_rows, render, tokenise
from lab.training.specs import SftSpec
from tests.training.tiny import sums


@pytest.fixture
def tokenizer(tiny) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast.from_pretrained(tiny.location())


def spec(**values) -> SftSpec:
    return load_spec(SftSpec, {"base": "tiny", "dataset": "sums", "target": "trace", **values})


def rows_of(tokenizer, **values):
    chosen = spec(**values)
    return build_rows(chosen, datasets()[chosen.dataset].load(), tokenizer, "tags")


def test_two_arms_resolve_to_specs_that_differ_in_the_target_alone(tiny):
    trace, answer = spec(target="trace").as_dict(), spec(target="answer").as_dict()
    assert {name for name in trace if trace[name] != answer[name]} == {"target"}


def test_two_arms_have_the_same_prompts_to_the_byte_and_the_same_final_words(tokenizer):
    prompts, with_trace = render(sums(20), tokenizer, "trace", "tags")
    same_prompts, without = render(sums(20), tokenizer, "answer", "tags")
    assert len(prompts) == 20 and prompts == same_prompts
    for example, long, short in zip(sums(20), with_trace, without, strict=True):
        assert long == f"<think>\n{example.trace}\n</think>\n{short}"
        assert short == f"{example.answer}<eos>"


def test_two_arms_train_on_the_same_rows_in_the_same_order_even_when_only_traces_are_too_long(tokenizer):
    trace = rows_of(tokenizer, dataset="long", max_length=120)
    answer = rows_of(tokenizer, dataset="long", max_length=120, target="answer")
    assert [row.id for row in trace.kept] == [row.id for row in answer.kept] == [f"sum-{i}" for i in range(3, 8)]
    assert [row.prompt_ids for row in trace.kept] == [row.prompt_ids for row in answer.kept]
    assert trace.n_dropped == answer.n_dropped == 3


def test_tokens_are_those_of_the_text_with_one_beginning_and_one_end(tokenizer):
    (row,) = tokenise(sums(1), tokenizer, "trace", "tags")
    (prompt,), (completion,) = render(sums(1), tokenizer, "trace", "tags")
    assert tokenizer.decode(row.prompt_ids) == prompt and tokenizer.decode(row.completion_ids) == completion
    ids = row.prompt_ids + row.completion_ids
    assert ids.count(tokenizer.bos_token_id) == 1 and row.completion_ids.count(tokenizer.eos_token_id) == 1
    assert len(row) == len(ids)


def test_the_prompt_is_what_a_model_is_asked_at_inference(tokenizer):
    (row,) = tokenise(sums(1), tokenizer, "trace", "tags")
    asked = [{"role": "user", "content": sums(1)[0].question}]
    encoded = tokenizer.apply_chat_template(asked, tokenize=True, add_generation_prompt=True, return_dict=True)
    assert row.prompt_ids == encoded["input_ids"]


def test_a_row_of_exactly_max_length_is_kept_and_one_token_less_drops_it(tokenizer):
    longest = max(map(len, rows_of(tokenizer).kept))
    assert rows_of(tokenizer, max_length=longest).n_dropped == 0
    shorter = rows_of(tokenizer, max_length=longest - 1)
    assert shorter.n_dropped > 0 and len(shorter.kept) + shorter.n_dropped == 96
    assert max(map(len, shorter.kept)) < longest


def test_max_rows_takes_the_first_rows(tokenizer):
    assert [row.id for row in rows_of(tokenizer, max_rows=3).kept] == ["sum-0", "sum-1", "sum-2"]


def test_an_empty_dataset_is_refused_by_name(tokenizer):
    with pytest.raises(LabError, match="'nothing' is empty"):
        rows_of(tokenizer, dataset="nothing")


def test_when_no_row_fits_the_error_says_how_long_they_are(tokenizer):
    with pytest.raises(LabError, match=r"none of the 8 rows of 'long' fits max_length 16: the shortest has \d+ tokens"):
        rows_of(tokenizer, dataset="long", max_length=16)


def test_a_row_without_trace_is_refused_for_the_trace_arm_and_fine_for_the_other(tokenizer):
    bare = [sums(1)[0].model_copy(update={"trace": None})]
    with pytest.raises(LabError, match="sum-0"):
        build_rows(spec(), bare, tokenizer, "tags")
    assert len(build_rows(spec(target="answer"), bare, tokenizer, "tags").kept) == 1


def test_a_template_that_never_ends_the_turn_is_refused(tokenizer):
    tokenizer.chat_template = tokenizer.chat_template.replace("{{ eos_token }}", "")
    with pytest.raises(LabError, match="chat template"):
        tokenise(sums(1), tokenizer, "answer", "tags")


def test_rows_longer_than_the_bases_context_are_a_fault_of_the_spec(tiny):
    with pytest.raises(SpecError, match="max_length: should be at most 512, the context of base 'tiny'"):
        spec(max_length=513)


@pytest.mark.parametrize(
    ("values", "steps"),
    [({}, 12), ({"epochs": 0.5}, 2), ({"batch_size": 100, "micro_batch_size": 50}, 3), ({"max_steps": 7}, 7)],
)
def test_steps_are_passes_times_batches(tiny, values, steps):
    assert spec(epochs=values.pop("epochs", 3), **values).n_steps(96) == steps


def test_a_row_is_kept_by_its_trace_even_where_another_form_is_longer(tokenizer):
    """A wrong answer may be longer than the right one; all arms train on the same rows all the same."""
    rows = sums(8)
    donor = rows[7].model_copy(update={"answer": rows[7].answer + " " + "because " * 30, "gold": "elsewhere"})
    rows[7] = donor
    lengths = [len(row) for row in tokenise(rows, tokenizer, "trace", "tags")]
    settings = spec(target="wrong", max_length=max(16, max(lengths[:7])), seed=1)
    trace = build_rows(spec(max_length=settings.max_length), rows, tokenizer, "tags")
    wrong = build_rows(settings, rows, tokenizer, "tags")
    assert [row.id for row in wrong.kept] == [row.id for row in trace.kept] == [f"sum-{i}" for i in range(7)]
    assert wrong.n_over == sum(len(row) > settings.max_length for row in wrong.kept) and trace.n_over == 0


def test_a_shuffled_or_wrong_row_depends_on_the_seed_and_on_nothing_else(tokenizer):
    for target in ("shuffled", "wrong"):
        first, again, other = (rows_of(tokenizer, target=target, seed=seed).kept for seed in (1, 1, 2))
        assert first == again
        assert target == "shuffled" or first != other  # a trace of one line has one order


@pytest.mark.parametrize(("style", "begins", "closes"), [
    ("headings", "## Thinking\n\n", "\n\n## Final Response\n\n"),
    ("s1", "<|im_start|>think\n", "\n<|im_start|>answer\n"),
    ("finemed", "### Thought\n\n", "\n\n### Summarization\n\n"),
])
def test_thinking_is_marked_in_the_style_that_is_asked_for(tokenizer, style, begins, closes):
    _, (said,) = render(sums(1), tokenizer, "trace", style)
    assert said.startswith(begins) and closes in said


def test_tokens_are_matched_by_reading_shorter_rows_more_often(tokenizer):
    trace, gold = rows_of(tokenizer), rows_of(tokenizer, target="gold")
    assert gold.n_trace_tokens == trace.n_trace_tokens == trace.n_tokens > gold.n_tokens
    assert gold.passes("tokens") == trace.n_tokens / gold.n_tokens and trace.passes("tokens") == 1
    assert gold.passes("rows") == gold.passes("steps") == 1
