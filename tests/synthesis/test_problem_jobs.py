"""Problems and reasoning as jobs, with the embedded teacher: from the demo exam to rows that training reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab.core.context import MemoryContext, Stopped
from lab.core.errors import LabError
from lab.data.dataset import datasets
from lab.data.jsonl import read_jsonl, read_noted_jsonl
from lab.data.split import bucket
from lab.synthesis.funnel import Funnel
from lab.synthesis.leaving import slug
from lab.synthesis.problems import TASK as PROBLEMS
from lab.synthesis.reasoning import TASK as REASONING
from lab.synthesis.specs import ProblemsSpec, ReasoningSpec
from lab.verify.verifier import verify

PROBLEMS_SPEC = ProblemsSpec(benchmarks=("demo-medical", "demo-general"), max_items=120)
REASONING_SPEC = ReasoningSpec(max_items=30, ablation=True)


@pytest.fixture(autouse=True)
def a_home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache of replies lies in LAB_HOME."""
    monkeypatch.setenv("LAB_HOME", str(tmp_path / "home"))


def run(task, spec, folder: Path, **given) -> tuple[dict[str, Any], MemoryContext]:
    folder.mkdir(parents=True, exist_ok=True)
    context = MemoryContext(folder, **given)
    return task.load()(spec, context), context


def whole(result: dict[str, Any]) -> Funnel:
    """The funnel, whose counts add up."""
    funnel = Funnel.model_validate(result["funnel"])
    assert funnel.stages[0].n == funnel.stages[-1].n + sum(each.n for each in funnel.dropped) + funnel.n_open
    return funnel


def test_the_demo_exam_becomes_two_halves_of_problems_and_everything_left_out_is_listed(tmp_path):
    result, context = run(PROBLEMS, PROBLEMS_SPEC, tmp_path / "job")
    funnel = whole(result)
    halves = {entry["file"]: entry for entry in result["datasets"]}
    assert set(halves) == {"problems-sft.jsonl", "problems-rl.jsonl"} and funnel.stages[-1].n > 20
    rows = {name: read_noted_jsonl(context.folder / name) for name in halves}
    assert [len(found) for found in rows.values()] == [entry["rows"] for entry in halves.values()]
    exam = {row.id: row for row in datasets()["demo-exam"].load()}
    for name, found in rows.items():
        for row, notes in found:
            assert verify(row.answer, row).correct and not row.options and notes["teacher"] and notes["n_asked"] >= 2
            assert (bucket(exam[row.id].question) < 50) == (name == "problems-rl.jsonl")
    dropped = [json.loads(line) for line in (context.folder / "dropped.jsonl").read_text().splitlines()]
    assert len(dropped) == sum(each.n for each in funnel.dropped)
    assert all(row["outcome"] and row["why"] and row["question"] for row in dropped)
    assert "contaminated" in {row["outcome"] for row in dropped} and context.facts["funnel"]["stages"][0]["n"] == 120
    assert any("embedded teacher" in note for note in halves["problems-sft.jsonl"]["notes"])


def test_reasoning_of_demo_problems_is_found_verified_and_matched(tmp_path):
    result, context = run(REASONING, REASONING_SPEC, tmp_path / "job")
    funnel = whole(result)
    files = {entry["file"]: read_noted_jsonl(context.folder / entry["file"]) for entry in result["datasets"]}
    assert set(files) == {"complex.jsonl", "complex-matched.jsonl", "simple.jsonl", "direct.jsonl"}
    assert len(files["complex.jsonl"]) >= len(files["complex-matched.jsonl"]) == funnel.stages[-1].n > 10
    matched = [[row.id for row, _ in files[name]] for name in ("complex-matched.jsonl", "simple.jsonl", "direct.jsonl")]
    assert matched[0] == matched[1] == matched[2]
    given = {row.id: row for row in datasets()["demo-medical"].load()}
    for row, notes in files["complex.jsonl"]:
        assert row.gold == given[row.id].gold and row.verifier == given[row.id].verifier and "\n" in (row.trace or "")
        assert notes["provenance"] == "found" and notes["attempt"] >= 1 and len(notes["strategies"]) >= notes["depth"]
    assert all(row.trace is None for row, _ in files["direct.jsonl"])
    assert all(row.trace for row, _ in files["simple.jsonl"])
    assert sum(each.n for each in funnel.solved) == next(stage.n for stage in funnel.stages if stage.name == "solved")


def test_reasoning_takes_the_problems_that_a_job_has_left(tmp_path):
    run(PROBLEMS, PROBLEMS_SPEC, tmp_path / "job")
    left = tmp_path / "job" / "problems-sft.jsonl"
    spec = ReasoningSpec(problems="job:abc", max_items=10)
    result, _ = run(REASONING, spec, tmp_path / "next", files={"job:abc": left})
    parent = result["datasets"][0]["parents"][0]
    assert parent["name"] == "job:abc" and parent["rows"] == len(read_jsonl(left))  # all, whatever was asked of


def test_a_stopped_job_goes_on_and_ends_as_one_that_was_never_stopped(tmp_path):
    stopped = MemoryContext(tmp_path / "stopped", stop=True)
    stopped.folder.mkdir()
    with pytest.raises(Stopped):
        REASONING.load()(REASONING_SPEC, stopped)
    result, _ = run(REASONING, REASONING_SPEC, tmp_path / "stopped")
    run(REASONING, REASONING_SPEC, tmp_path / "straight")
    assert result["funnel"]["n_open"] == 0
    for name in ("complex.jsonl", "simple.jsonl", "dropped.jsonl"):
        assert (tmp_path / "stopped" / name).read_text() == (tmp_path / "straight" / name).read_text()


def test_a_spent_budget_leaves_the_rest_open_and_says_so(tmp_path):
    spec = REASONING_SPEC.model_copy(update={"budget_tokens": 3000, "at_once": 2})
    result, _ = run(REASONING, spec, tmp_path / "job")
    funnel = whole(result)
    assert result["out_of_budget"] and funnel.n_open > 0
    assert any("budget" in note for note in result["datasets"][0]["notes"])


@pytest.mark.parametrize(("spec", "devices"), [
    (ProblemsSpec(), 0), (ProblemsSpec(teacher="remote:x", solvers=("remote:y",)), 0),
    (ProblemsSpec(solvers=("demo-llama",)), 1), (ReasoningSpec(), 0), (ReasoningSpec(verifier="rule"), 0),
    (ReasoningSpec(verifier="variant:judge"), 1), (ReasoningSpec(teacher="job:abc"), 1),
])
def test_a_job_whose_models_are_elsewhere_holds_no_device(spec, devices):
    task = PROBLEMS if isinstance(spec, ProblemsSpec) else REASONING
    assert task.needs(spec).devices == devices and task.resumes


def test_an_empty_file_of_problems_is_said(tmp_path):
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(LabError, match="is empty"):
        run(REASONING, ReasoningSpec(problems="job:x"), tmp_path / "job", files={"job:x": tmp_path / "empty.jsonl"})


def test_rows_whose_true_answer_was_shown_say_so_and_are_not_counted_as_solved_by_search(tmp_path):
    spec = ReasoningSpec(max_items=60, attempts=1, rethinks=0, show_label=True, verifier="rule")
    result, context = run(REASONING, spec, tmp_path / "job")
    provenance = [notes["provenance"] for _, notes in read_noted_jsonl(context.folder / "complex.jsonl")]
    shown = provenance.count("label_shown")
    n_solved = sum(each.n for each in whole(result).solved)
    assert shown and n_solved == provenance.count("found") == len(provenance) - shown
    assert any(f"Of {shown} rows the true answer was shown" in note for note in result["datasets"][0]["notes"])
    assert "label_shown" in result["prompts"] and "simple" not in result["prompts"]


@pytest.mark.parametrize(("name", "slug_of_it"), [("My Data (v2)", "my-data-v2"), ("Ähren", "hren"), ("…", "made")])
def test_a_name_becomes_a_part_of_a_files_name(name, slug_of_it):
    assert slug(name) == slug_of_it


def test_what_every_small_model_answers_is_too_easy(tmp_path):
    spec = PROBLEMS_SPEC.model_copy(update={"solvers": ("demo-teacher", "demo-teacher"), "max_items": 60})
    result, _ = run(PROBLEMS, spec, tmp_path / "job")
    outcomes = {each.outcome: each.n for each in whole(result).dropped}
    assert outcomes["too easy"] > 10 and set(result["teachers"]) == {"teacher", "solver:0", "solver:1"}
    assert "solve" in result["prompts"] and result["spent"]["by_role"]["solver:1"]["n_requests"] > 0
