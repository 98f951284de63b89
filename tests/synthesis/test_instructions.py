"""The job of kind instructions, with the embedded teacher: what it leaves, how it goes on, and what it says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.core.context import MemoryContext, Stopped
from lab.core.errors import LabError
from lab.data.jsonl import read_noted_jsonl
from lab.data.pairs import resolve_pairs
from lab.data.texts import resolve_texts
from lab.synthesis._instructions import make_instructions
from lab.synthesis.departments import DEPARTMENTS, NONE
from lab.synthesis.instructions import TASK
from lab.synthesis.specs import InstructionsSpec

DEMO = {"complex_above": 4, "judge": "demo-teacher", "thinker": "demo-teacher", "max_items": 24, "max_new_tokens": 4096}


@pytest.fixture(autouse=True)
def a_lab_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_HOME", str(tmp_path / "home"))


@dataclass
class StopsSoon(MemoryContext):
    """Asked to stop as soon as something was made."""

    def stop_requested(self) -> bool:
        return bool(self.progress_calls)


def made(tmp_path: Path, name: str = "job", **values: object) -> tuple[dict, Path]:
    context = MemoryContext(tmp_path / name)
    return make_instructions(InstructionsSpec(**{**DEMO, **values}), context), context.folder


def test_the_demo_texts_become_rows_and_pairs_that_the_lab_can_train_on(tmp_path: Path) -> None:
    result, folder = made(tmp_path, max_items=60)
    rows = read_noted_jsonl(folder / "sft.jsonl")
    pairs = resolve_pairs(str(folder / "pairs.jsonl")).load()
    n = {stage["name"]: stage["n"] for stage in result["funnel"]["stages"]}
    assert n["texts"] == 60 and n["answered"] == len(rows) > 20 and n["paired"] == len(pairs) > 0
    ids = {text.id for text in resolve_texts("demo-texts").read().rows}
    for row, notes in rows:
        assert row.id == notes["text"] and row.id in ids and notes["teacher"] == "demo-teacher"
        assert (notes["style"] == "complex") == (notes["complexity"] > 4) == (row.trace is not None)
        assert notes.get("department", NONE) in (*DEPARTMENTS, NONE)
        assert notes.get("subdepartment", NONE) in (*DEPARTMENTS.get(notes.get("department", NONE), ()), NONE)
    assert {pair.id for pair in pairs} <= {row.id for row, notes in rows if notes["style"] == "complex"}
    assert all(pair.chosen_trace and not pair.rejected_trace for pair in pairs)
    lines = [json.loads(line) for line in (folder / "dropped.jsonl").read_text().splitlines()]
    assert len(lines) == sum(each["n"] for each in result["funnel"]["dropped"])
    assert {line["id"] for line in lines if line["stage"] != "complex"} | {row.id for row, _ in rows} <= ids


def test_the_result_tells_what_was_made_of_what_by_whom(tmp_path: Path) -> None:
    result, folder = made(tmp_path)
    rows, pairs = result["datasets"]
    assert (rows["file"], rows["kind"], pairs["file"], pairs["kind"]) == ("sft.jsonl", "rows", "pairs.jsonl", "pairs")
    assert rows["name"] == "demo-texts-demo-teacher-sft" and rows["title"] and rows["rows"] > 0
    (parent,) = rows["parents"]
    assert parent["name"] == "demo-texts" and parent["rows"] == 24 and len(parent["sha256"]) == 64
    assert any("no language model" in note for note in rows["notes"])
    assert set(result["teachers"]) == {"teacher", "thinker", "judge"} and "key_env" not in str(result["teachers"])
    assert set(result["prompts"]) == {
        "instructions", "grade", "answer", "long_answer", "direct", "compare", "department"}
    assert result["spent"]["n_requests"] > 100 and set(result["spent"]["by_role"]) == {"teacher", "thinker", "judge"}
    assert json.loads(json.dumps(result)) == result


def test_without_a_judge_the_data_says_that_nobody_compared(tmp_path: Path) -> None:
    result, _ = made(tmp_path, judge="", max_items=6)
    assert any("preferred unread" in note for note in result["datasets"][0]["notes"])


def test_the_same_job_again_makes_the_same_and_pays_nothing(tmp_path: Path) -> None:
    first, folder = made(tmp_path, "first")
    again, other = made(tmp_path, "again")
    for name in ("sft.jsonl", "pairs.jsonl", "dropped.jsonl"):
        assert (folder / name).read_bytes() == (other / name).read_bytes()
    assert first["funnel"] == again["funnel"] and again["spent"]["n_requests"] == 0 < again["spent"]["n_cached"]


def test_a_job_that_was_stopped_goes_on_and_ends_as_one_that_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lab.synthesis.driving.LOOK_EVERY_S", 0.005)  # a quick machine is done in half a second
    whole, folder = made(tmp_path, "whole", use_cache=False)
    spec = InstructionsSpec(**{**DEMO, "use_cache": False, "at_once": 2})
    with pytest.raises(Stopped):
        make_instructions(spec, StopsSoon(tmp_path / "job"))
    result = make_instructions(spec, MemoryContext(tmp_path / "job"))
    assert (folder / "sft.jsonl").read_bytes() == (tmp_path / "job" / "sft.jsonl").read_bytes()
    assert (folder / "pairs.jsonl").read_bytes() == (tmp_path / "job" / "pairs.jsonl").read_bytes()
    assert result["spent"]["n_requests"] == whole["spent"]["n_requests"]  # nothing twice


def test_a_spent_budget_leaves_what_was_finished_and_counts_the_rest(tmp_path: Path) -> None:
    result, folder = made(tmp_path, budget_tokens=6000, at_once=2)
    assert result["out_of_budget"] and result["funnel"]["n_open"] > 0
    assert len((folder / "sft.jsonl").read_text().splitlines()) == sum(
        each["rows"] for each in result["datasets"] if each["kind"] == "rows")


def test_what_is_announced_while_it_runs_is_the_funnel(tmp_path: Path) -> None:
    context = MemoryContext(tmp_path / "job")
    result = make_instructions(InstructionsSpec(**{**DEMO, "max_items": 4}), context)
    assert context.facts["funnel"] == result["funnel"] and context.facts["spent"]["n_requests"] > 0


def test_texts_that_nobody_can_ask_about_leave_empty_files_and_every_reason(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "a.txt").write_text("The embedded teacher knows nothing of poems. " * 20)
    result, folder = made(tmp_path, texts=str(tmp_path / "own"), max_text_chars=200)
    assert [each["rows"] for each in result["datasets"]] == [0, 0] and result["counts"]["texts_cut"] == 1
    assert [each["outcome"] for each in result["funnel"]["dropped"]] == ["questions refused by the model"]
    assert (folder / "sft.jsonl").read_text() == ""


def test_no_text_at_all_is_an_error_that_counts_why(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "a.txt").write_text("  ")
    with pytest.raises(LabError, match=r"holds no text \(1 × empty\)"):
        made(tmp_path, texts=str(tmp_path / "own"))


@pytest.mark.parametrize(("values", "devices"), [
    ({}, 0), ({"teacher": "remote:x", "judge": "remote:y"}, 0), ({"thinker": "demo-llama"}, 1),
    ({"judge": "variant:v"}, 1),
])
def test_a_device_is_held_where_a_model_runs_here(values: dict, devices: int) -> None:
    assert TASK.needs(InstructionsSpec(**values)).devices == devices and TASK.resumes
