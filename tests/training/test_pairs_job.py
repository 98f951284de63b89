"""The pairs job: which answers become a pair, what is counted, and that a stop changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.core.context import MemoryContext, Stopped
from lab.core.errors import LabError, SpecError
from lab.core.spec import load_spec
from lab.core.types import Example, Generation, Pair
from lab.data.pairs import resolve_pairs
from lab.training import _pairs, pairing
from lab.training.pairs import TASK
from lab.training.preference_specs import PairsSpec
from tests.training.attempts import attempt

QUESTION = Example(id="q", question="2+2?", answer="Answer: 4", gold="4", verifier="numeric", subject="sums")
QUICK = {"model": "variant:start", "dataset": "sums", "max_rows": 12, "questions_at_once": 4, "max_new_tokens": 40,
         "temperature": 1.2}


def spec(**values) -> PairsSpec:
    return load_spec(PairsSpec, {**QUICK, **values})


def said(text: str, ended: bool = True) -> Generation:
    return Generation(
        raw_text=text, think_text="", final_text="", think_state="none", finish_reason="eos" if ended else "length",
        n_prompt_tokens=1, n_think_tokens=2, n_answer_tokens=3, seconds=0.1,
    )


def judged(*texts: str, cut: bool = False, thinking: bool = True) -> list[pairing.Sampled]:
    return [pairing.judged(QUESTION, number, said(text, not cut), "tags", thinking)
            for number, text in enumerate(texts)]


RIGHT, OTHER = "<think>\n2+2=4\n</think>\nAnswer: 4", "<think>\ntwo twos\n</think>\nAnswer: 4"
WRONG, BARE = "<think>\nhm\n</think>\nAnswer: 5", "Answer: 4"


def test_the_task_names_its_spec_and_function():
    assert (TASK.kind, TASK.spec) == ("pairs", PairsSpec) and TASK.load() is _pairs.sample_pairs


def test_an_answer_is_right_wrong_or_of_no_use_and_says_why():
    assert [each.verdict for each in judged(RIGHT, WRONG, BARE)] == ["right", "wrong", "unusable"]
    (cut,) = judged(RIGHT, cut=True)
    assert (cut.verdict, cut.rule) == ("unusable", "cut by the token budget")
    assert [each.verdict for each in judged(BARE, "Answer: 5", RIGHT, thinking=False)] == ["right", "wrong", "unusable"]


def test_a_right_answer_is_paired_with_a_wrong_one_and_no_text_is_in_two_pairs():
    answers = judged(WRONG, RIGHT, BARE, RIGHT, OTHER)
    (pair,) = pairing.pairs_of(QUESTION, answers, 3)
    assert (pair.chosen, pair.chosen_trace, pair.rejected, pair.rejected_trace) == (
        "Answer: 4", "2+2=4", "Answer: 5", "hm")
    wrongs = judged("<think>\na\n</think>\nAnswer: 1", "<think>\nb\n</think>\nAnswer: 2", RIGHT, OTHER)
    assert [pair.id for pair in pairing.pairs_of(QUESTION, wrongs, 3)] == ["q-1", "q-2"]
    assert len(pairing.pairs_of(QUESTION, wrongs, 1)) == 1
    assert pairing.pairs_of(QUESTION, judged(RIGHT, OTHER), 1) == []


def test_every_question_is_counted_once():
    groups = [judged(RIGHT, WRONG), judged(RIGHT, OTHER), judged(WRONG, WRONG), judged(BARE, RIGHT)]
    pairs = [pair for group in groups for pair in pairing.pairs_of(QUESTION, group, 1)]
    found = pairing.figures(groups, pairs, "tags")
    assert (found["n_questions"], found["n_samples"], found["n_pairs"]) == (4, 8, 1)
    assert (found["n_with_pair"], found["n_all_right"], found["n_all_wrong"], found["n_no_pair"]) == (1, 1, 1, 1)
    assert (found["n_right"], found["n_wrong"], found["n_unusable"], found["accuracy"]) == (4, 3, 1, 0.5)
    assert found["n_rewritten"] == 0
    spaced = judged("<think> 2+2=4 </think> Answer: 4", WRONG)
    assert pairing.n_rewritten(pairing.pairs_of(QUESTION, spaced, 1), spaced, "tags") == 1


def context(folder: Path, **values) -> MemoryContext:
    folder.mkdir(parents=True, exist_ok=True)
    return MemoryContext(folder, **values)


def test_the_file_holds_pairs_of_the_models_own_answers_that_dpo_can_read(tiny, tmp_path, taught):
    about = context(tmp_path / "run", models={"variant:start": taught("full")})
    result = TASK.load()(spec(), about)
    pairs = [Pair.model_validate(json.loads(line)) for line in (about.folder / "pairs.jsonl").read_text().splitlines()]
    samples = [json.loads(line) for line in (about.folder / "samples.jsonl").read_text().splitlines()]
    assert len(pairs) == result["n_pairs"] > 0 and len(samples) == result["n_samples"] == 60
    said_texts = {row["text"]: row["verdict"] for row in samples}
    for pair in pairs:
        assert said_texts[f"<think>\n{pair.chosen_trace}\n</think>\n{pair.chosen}"] == "right"
        assert said_texts[f"<think>\n{pair.rejected_trace}\n</think>\n{pair.rejected}"] == "wrong"
    assert len({row["text"] for row in samples[:5]}) > 1  # samples of one question differ
    read = resolve_pairs(str(about.folder / "pairs.jsonl")).load()  # a pair without a source is given its file's name
    assert [pair.model_copy(update={"source": ""}) for pair in read] == pairs
    assert about.progress_calls[-1][:2] == (12, 12)


def test_a_job_that_was_stopped_writes_what_it_would_have_written(tiny, tmp_path, taught):
    models = {"variant:start": taught("full")}
    whole = attempt(tmp_path / "whole")
    whole.models = models
    expected = TASK.load()(spec(), whole)
    first = attempt(tmp_path / "cut", n_steps=2)
    first.models = models
    with pytest.raises(Stopped, match="after step 8 of 12"):
        TASK.load()(spec(), first)
    second = attempt(tmp_path / "cut", first)
    second.models = models
    result = TASK.load()(spec(), second)
    for name in ("pairs.jsonl", "samples.jsonl"):
        assert (second.folder / name).read_text() == (whole.folder / name).read_text()
    assert result["n_pairs"] == expected["n_pairs"] and [step for step, _ in second.metrics] == [4, 8, 12]
    assert any("goes on after step 8" in line for line in second.logs)


def test_a_model_that_is_never_right_leaves_a_sentence_instead_of_no_pairs(tiny, tmp_path):
    with pytest.raises(LabError, match="no question has both a right and a wrong answer .* raise temperature"):
        TASK.load()(spec(model="tiny", max_rows=4), context(tmp_path))


def test_sampling_from_the_likeliest_tokens_alone_leaves_the_others_out():
    import torch

    from lab.engine._decoding import likeliest

    shares = torch.tensor([[0.5, 0.3, 0.15, 0.05], [0.05, 0.15, 0.3, 0.5]])  # (B, V)
    assert likeliest(shares, 1.0) is shares
    assert likeliest(shares, 0.7).tolist() == [pytest.approx([0.5, 0.3, 0, 0]), pytest.approx([0, 0, 0.3, 0.5])]
    assert likeliest(shares, 0.1).tolist()[0] == pytest.approx([0.5, 0, 0, 0])


def test_all_faults_of_a_spec_are_told_together(tiny):
    with pytest.raises(SpecError) as caught:
        spec(model="no-such-base", dataset="no-such-data")
    assert {fault.field for fault in caught.value.faults} == {"model", "dataset"}
