"""An answer bank: several models, the same questions, one clean-up."""

import hashlib
import json
from collections import Counter

import pytest

from lab.benchmarks.answers import TASK
from lab.benchmarks.benchmark import benchmarks
from lab.benchmarks.questions import drawn_questions
from lab.benchmarks.specs import AnswersSpec
from lab.core.context import MemoryContext, Stopped
from lab.core.errors import LabError
from tests.benchmarks.conftest import make_benchmark


def collect(tmp_path, sources, **values):
    context = MemoryContext(tmp_path, models={f"variant:{label}": source for label, source in sources.items()})
    given = {"name": "bank", "models": ("tiny", "variant:m.trace"), "benchmark": "sums", "n_questions": 6}
    spec = AnswersSpec(**(given | {"max_new_tokens": 40} | values))
    result = TASK.load()(spec, context)
    return result, [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text().splitlines()]


def test_every_model_answers_the_same_questions(sums, tmp_path):
    result, rows = collect(tmp_path, sums[1])
    asked = [{row["item_id"] for row in rows if row["model_label"] == label} for label in ("tiny", "m.trace")]
    assert asked[0] == asked[1] and len(asked[0]) == 6 == result["n_questions"] and len(rows) == 12
    assert [model["label"] for model in result["models"]] == ["tiny", "m.trace"]
    assert {row["arm"] for row in rows} == {"base", "trace"}


def test_what_is_shown_has_no_thinking_and_a_hash(sums, tmp_path):
    _, rows = collect(tmp_path, sums[1])
    thinking = [row for row in rows if row["model_label"] == "m.trace" and row["think_state"] == "closed"]
    assert len(thinking) >= 5
    for row in thinking:
        assert "<think>" in row["raw_text"] and "=" in row["think_text"] and "=" not in row["shown_text"]
        assert row["shown_text"] == row["gold"]  # the label in front is every arm's or nobody's
    assert all(row["sha256"] == hashlib.sha256(row["shown_text"].encode()).hexdigest() for row in rows)


def test_an_answer_that_was_cut_is_not_shown_and_keeps_its_state(sums, tmp_path):
    _, rows = collect(tmp_path, sums[1], max_new_tokens=5)
    assert {(row["shown_text"], row["finish_reason"]) for row in rows} == {("", "length")}
    assert {row["think_state"] for row in rows if row["arm"] == "trace"} == {"unclosed_length"}


def test_a_model_named_twice_or_too_many_questions_is_a_plain_sentence(sums, tmp_path):
    with pytest.raises(LabError, match="'tiny' is named twice"):
        collect(tmp_path, sums[1], models=("tiny", "tiny"))
    with pytest.raises(LabError, match="has 16 questions, so n_questions cannot be 17"):
        collect(tmp_path, sums[1], n_questions=17)


def stopped(sums, tmp_path, **values):
    """A bank that was told to stop after its first batch."""
    context = MemoryContext(tmp_path / "job", models={"variant:a": sums[1]["a"]}, stop=True)
    spec = AnswersSpec(**({"name": "b", "models": ("tiny", "variant:a"), "benchmark": "sums", "n_questions": 6,
                           "batch_size": 2, "max_new_tokens": 40} | values))
    with pytest.raises(Stopped, match="of 12 answers are kept"):
        TASK.load()(spec, context)
    assert not (context.folder / "answers.jsonl").exists(), "half a bank is no bank"
    return context, spec


def test_a_bank_that_was_stopped_asks_the_rest_only_and_is_what_it_would_have_been(sums, tmp_path):
    context, spec = stopped(sums, tmp_path)
    kept = (context.checkpoints.folder / "rows.jsonl").read_text().splitlines()
    assert 0 < len(kept) < 12 and context.checkpoints.last_whole().step == len(kept)
    again = MemoryContext(context.folder, models=context.models)
    TASK.load()(spec, again)
    assert f"{len(kept)} of 12 answers are kept from before" in again.logs
    whole = (context.folder / "answers.jsonl").read_text()
    assert set(kept) <= set(whole.splitlines()) and len(whole.splitlines()) == 12
    fresh = MemoryContext(tmp_path / "fresh", models=context.models)
    TASK.load()(spec, fresh)
    assert (fresh.folder / "answers.jsonl").read_text() == whole


def test_a_bank_that_is_whole_loads_no_model_again(sums, tmp_path, monkeypatch):
    context, spec = stopped(sums, tmp_path)
    context.stop = False
    TASK.load()(spec, context)
    monkeypatch.setattr("lab.benchmarks._answers.warm_engine", None)
    assert TASK.load()(spec, context)["n_questions"] == 6


def test_an_answer_to_other_words_under_the_same_name_is_not_kept(sums, tmp_path, monkeypatch):
    context, spec = stopped(sums, tmp_path)
    changed = [row.model_copy(update={"question": f"{row.question} "}) for row in make_benchmark().load()]
    monkeypatch.setitem(benchmarks(), "sums", make_benchmark(load=lambda: changed))
    context.stop = False
    TASK.load()(spec, context)
    assert not any("kept from before" in line for line in context.logs)
    rows = [json.loads(line) for line in (context.folder / "answers.jsonl").read_text().splitlines()]
    assert len(rows) == 12 and all(row["question"].endswith(" ") for row in rows)


def test_pasted_prompts_are_all_asked_and_named_by_their_words(sums, tmp_path):
    asked = ("What is 2+3?", "What is 4+5?\nShow it.")
    result, rows = collect(tmp_path, sums[1], benchmark="", prompts=asked)
    assert result["n_questions"] == 2 and result["settings"]["prompts"] == 2 and "benchmark" not in result["settings"]
    assert {row["question"] for row in rows} == set(asked) and len(rows) == 4
    assert {row["part"] for row in rows} == {"prompts"} and all(row["item_id"].startswith("asked-") for row in rows)


def test_questions_are_drawn_evenly_over_subjects_and_by_the_seed():
    benchmark = make_benchmark()
    for n in (4, 8, 10):
        counts = Counter(question.subject for question in drawn_questions(benchmark, n, seed=1))
        assert max(counts.values()) - min(counts.values()) <= 1 and len(counts) == 4
    first, again, other = (drawn_questions(benchmark, 8, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert len({question.id for question in drawn_questions(benchmark, 16, 0)}) == 16
