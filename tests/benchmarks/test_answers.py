"""An answer bank: several models, the same questions, one clean-up."""

import hashlib
import json
from collections import Counter

import pytest

from lab.benchmarks.answers import TASK
from lab.benchmarks.questions import drawn_questions
from lab.benchmarks.shown import shown_text
from lab.benchmarks.specs import AnswersSpec
from lab.core.context import MemoryContext, Stopped
from lab.core.errors import LabError
from lab.core.types import Generation
from lab.data.targets import THINKING_STYLES
from lab.engine.thinking import split_thinking
from tests.benchmarks.conftest import make_benchmark

STYLE = THINKING_STYLES["tags"]


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
        assert "<think>" in row["raw_text"] and "=" not in row["shown_text"]
        assert row["shown_text"].startswith("Answer: ")
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


def test_a_bank_stops_between_batches(sums, tmp_path):
    context = MemoryContext(tmp_path, stop=True)
    spec = AnswersSpec(name="b", models=("tiny", "variant:a"), benchmark="sums", n_questions=6, batch_size=2)
    context.models["variant:a"] = sums[1]["a"]
    with pytest.raises(Stopped):
        TASK.load()(spec, context)
    left = (tmp_path / "answers.jsonl").read_text()
    assert left.endswith("\n") and 0 < len([json.loads(line) for line in left.splitlines()]) < 12


def test_questions_are_drawn_evenly_over_subjects_and_by_the_seed():
    benchmark = make_benchmark()
    for n in (4, 8, 10):
        counts = Counter(question.subject for question in drawn_questions(benchmark, n, seed=1))
        assert max(counts.values()) - min(counts.values()) <= 1 and len(counts) == 4
    first, again, other = (drawn_questions(benchmark, 8, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert len({question.id for question in drawn_questions(benchmark, 16, 0)}) == 16


def generation(text, finish="eos"):
    counts = dict(n_prompt_tokens=1, n_think_tokens=0, n_answer_tokens=1, seconds=0.1)
    return Generation(raw_text=text, finish_reason=finish, **split_thinking(text, STYLE, finish)._asdict(), **counts)


@pytest.mark.parametrize(
    "raw, finish, shown",
    [
        ("Twelve.\n\nAnswer: 12", "eos", "Twelve.\n\nAnswer: 12"),
        ("<think>5+7=12</think>\n\n\nTwelve.\n\n\n\nAnswer:  12 ", "eos", "Twelve.\n\nAnswer: 12"),
        ("<think>a</think> b <|im_start|>c", "eos", "b c"),
        ("Twelve.", "length", ""),
        ("<think>Twelve.", "eos", ""),
    ],
)
def test_the_same_answer_looks_the_same_with_and_without_thinking(raw, finish, shown):
    assert shown_text(generation(raw, finish), STYLE) == shown
