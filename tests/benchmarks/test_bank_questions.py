"""What an answer bank asks: one source, drawn by seed, what no model was trained on first."""

from __future__ import annotations

import json

import pytest

from lab.benchmarks.bank_questions import bank_questions
from lab.benchmarks.benchmark import benchmarks
from lab.benchmarks.specs import MOST_PROMPTS, AnswersSpec
from lab.core.errors import LabError, SpecError
from lab.core.spec import load_spec
from lab.core.types import ModelSource
from tests.benchmarks.conftest import make_benchmark

BASE = ModelSource(ref="demo-llama", label="demo-llama", base="demo-llama")
GIVEN = {"name": "b", "models": ["demo-llama", "variant:a"]}


def trained(*names: str, **more) -> ModelSource:
    return ModelSource(ref="variant:a", label="a", base="demo-llama", kind="adapter", trained_on=names, **more)


def spec(**values) -> AnswersSpec:
    return AnswersSpec(name="b", models=("demo-llama", "variant:a"), **values)


@pytest.fixture
def files(tmp_path):
    """Twelve questions of two subjects, and a training file with five of them in other spelling."""
    whole = [{"id": f"q{i}", "question": f"What is {i} plus {i}?", "answer": f"Answer: {2 * i}", "gold": str(2 * i),
              "subject": "even" if i % 2 else "odd"} for i in range(12)]
    known = [{**row, "question": row["question"].upper().replace(" ", "  ")} for row in whole[:5]]
    for name, rows in (("whole", [*whole, {**whole[7], "id": "again"}]), ("known", known)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {name: str(tmp_path / f"{name}.jsonl") for name in ("whole", "known")}


def test_questions_nobody_was_trained_on_come_first_and_each_says_which_it_is(files):
    asked = bank_questions(spec(dataset=files["whole"], n_questions=9), [BASE, trained(files["known"])])
    assert asked.parts == ("held out",) * 7 + ("trained on",) * 2 and not asked.note
    assert {row.id for row in asked.questions[:7]} == {f"q{i}" for i in range(5, 12)}
    assert {row.id for row in asked.questions[7:]} < {f"q{i}" for i in range(5)}
    assert asked.counts() == {"held out": 7, "trained on": 2}


def test_a_draw_is_even_over_subjects_and_follows_the_seed(files):
    sources = [BASE, trained(files["known"])]
    first, again, other = (bank_questions(spec(dataset=files["whole"], n_questions=4, seed=seed), sources).questions
                           for seed in (1, 1, 2))
    assert first == again and {row.id for row in first} != {row.id for row in other}
    assert sum(row.subject == "even" for row in first) == 2


def test_a_question_that_comes_twice_is_asked_once_and_more_than_there_are_is_a_plain_sentence(files):
    asked = bank_questions(spec(dataset=files["whole"], n_questions=12), [BASE])
    assert len({row.question for row in asked.questions}) == 12
    with pytest.raises(LabError, match="has 12 different questions, so n_questions cannot be 13"):
        bank_questions(spec(dataset=files["whole"], n_questions=13), [BASE])


def test_where_nobody_knows_what_a_model_was_trained_on_the_rows_say_so(files, tmp_path):
    remote = ModelSource(ref="remote:x", label="x", base="x", kind="remote", url="http://127.0.0.1:9/v1")
    asked = bank_questions(spec(dataset=files["whole"], n_questions=3), [BASE, remote])
    assert set(asked.parts) == {"unknown"} and "'x'" in asked.note
    gone = bank_questions(spec(dataset=files["whole"], n_questions=3), [trained(str(tmp_path / "gone.jsonl"))])
    assert set(gone.parts) == {"unknown"} and "could not be read again" in gone.note


def test_a_benchmark_is_drawn_as_it_always_was(monkeypatch):
    monkeypatch.setitem(benchmarks(), "sums", make_benchmark())
    asked = bank_questions(spec(benchmark="sums", n_questions=4), [BASE])
    assert asked.parts == ("benchmark",) * 4 and len({row.subject for row in asked.questions}) == 4


def test_pasted_prompts_keep_their_order_and_their_name_does_not_hang_on_spacing():
    one, two = (bank_questions(spec(prompts=prompts), [BASE]).questions for prompts in
                (("Why?  Say it. ", "How?"), ("Why? Say it.",)))
    assert [row.question for row in one] == ["Why?  Say it.", "How?"] and one[0].id == two[0].id != one[1].id


@pytest.mark.parametrize(("values", "fault"), [
    ({}, "name a benchmark, or a dataset, or give prompts"),
    ({"benchmark": "demo-medical", "dataset": "demo-medical"}, "dataset: the questions come from one place"),
    ({"benchmark": "demo-medical", "prompts": ["Why?"]}, "prompts: the questions come from one place"),
    ({"dataset": "demo-medicl"}, "demo-medical"),
    ({"benchmark": "demo-medicl"}, "demo-medical"),
    ({"prompts": ["Why?", "  "]}, "prompts.1"),
    ({"prompts": ["Why not?", "How?", " Why  not?"]}, "prompts.2: is the same as prompts.0"),
    ({"prompts": ["x" * 20_001]}, "prompts.0: has more than 20000 characters"),
    ({"prompts": [str(i) for i in range(MOST_PROMPTS + 1)]}, "prompts"),
])
def test_what_cannot_be_asked_is_refused_before_anything_is_queued(values, fault):
    with pytest.raises(SpecError) as caught:
        load_spec(AnswersSpec, GIVEN | values)
    assert fault in str(caught.value)


@pytest.mark.parametrize(("values", "source"), [
    ({"benchmark": "demo-medical"}, "demo-medical"), ({"dataset": "demo-medical[:5]"}, "demo-medical[:5]"),
    ({"prompts": ["Why?", "How?"]}, "prompts"),
])
def test_each_source_alone_is_enough(values, source):
    assert load_spec(AnswersSpec, GIVEN | values).asked_of == source
