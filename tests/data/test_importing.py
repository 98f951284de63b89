"""Importing a table through a mapping of its columns: what is guessed, kept, left out and written down."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from lab.core.errors import LabError, SpecError
from lab.data.columns import check_mapping, example_of, guess
from lab.data.importing import import_file, inspect, lineage_of, read_through
from lab.data.jsonl import read_jsonl
from lab.data.resolving import resolve_dataset
from lab.data.short_answer import short_answer, verifier_of
from tests.data.rows import MADE, write

ROWS = [{"Frage": "1+1?", "Weg": "1+1=2", "Antwort": "Answer: 2", "opa": "2", "opb": "3", "Nr": 7.0},
        {"Frage": "", "Weg": "x", "Antwort": "y", "opa": None, "opb": None, "Nr": None},
        {"Frage": "1+2?", "Weg": "", "Antwort": "<think>a</think>Answer: 3", "opa": "2", "opb": "3", "Nr": 8.0}]
MAPPING = {"question": "Frage", "trace": "Weg", "answer": "Antwort", "id": "Nr"}


@pytest.mark.parametrize("name", ["m1k", "medical-r1-distill", "medthoughts-8k", "medical-o1-sft",
                                  "medical-o1-verifiable", "finemed-sft"])
def test_the_columns_of_the_public_data_sets_are_guessed_and_give_their_rows(name: str) -> None:
    row = MADE[name].rows[0]
    example = example_of(row, guess(row), "here")
    expected = {field: value for field, value in MADE[name].becomes.items() if field in ("trace", "answer", "gold")}
    assert {field: getattr(example, field) for field in expected} == expected


def test_alpaca_columns_join_instruction_and_input() -> None:
    example = example_of({"instruction": "Add.", "input": "1 and 1", "output": "2"},
                         guess(["instruction", "input", "output"]), "here")
    assert example.question == "Add.\n\n1 and 1" and example.answer == "2"


def test_all_faults_of_a_mapping_are_told_at_once() -> None:
    faults = check_mapping({"question": "Frge", "traces": "Weg"}, ["Frage", "Weg"])
    assert [fault.field for fault in faults] == ["traces", "question", "answer"]
    assert "Did you mean 'trace'" in faults[0].message and "Did you mean 'Frage'" in faults[1].message
    with pytest.raises(SpecError, match="3 faults"):
        raise SpecError(faults, "mapping")


@pytest.mark.parametrize("ending", ["jsonl", "parquet", "json"])
def test_an_import_keeps_the_rows_and_where_they_come_from(tmp_path: Path, ending: str) -> None:
    source = write(tmp_path, f"notes of May.{ending}", ROWS)
    made = import_file(source, MAPPING, tmp_path / "uploads")
    rows = read_jsonl(made.path)
    assert [(row.id, row.question, row.trace, row.gold) for row in rows] == [
        ("7", "1+1?", "1+1=2", "2"), ("8", "1+2?", "a", "3")]
    (fault,) = made.faults
    assert made.path.name.startswith("notes-of-May-") and fault in ("line 2: no question", "row 2: no question")
    lineage = lineage_of(made.path)
    assert lineage == made.lineage and lineage.source_file == source.name and lineage.mapping == MAPPING
    assert (lineage.rows, lineage.skipped) == (2, {"no question": 1})
    assert lineage.source_sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    assert lineage.sha256 == hashlib.sha256(made.path.read_bytes()).hexdigest()
    assert resolve_dataset(str(made.path)).load() == rows
    assert import_file(source, MAPPING, tmp_path / "uploads").path == made.path


def test_options_in_columns_of_their_own_are_lettered_and_the_gold_text_becomes_its_letter(tmp_path: Path) -> None:
    source = write(tmp_path, "a.jsonl", ROWS[:1])
    (row,) = read_through(source, MAPPING | {"options": "opa+opb"}).rows
    assert row.options == {"A": "2", "B": "3"} and row.gold == "A" and row.verifier == "choice"


def test_a_gold_answer_that_is_no_option_is_left_out_and_not_guessed(tmp_path: Path) -> None:
    source = write(tmp_path, "a.jsonl", [{"question": "q", "answer": "x", "options": ["one", "two"], "label": 1}])
    mapped = read_through(source, {"question": "question", "answer": "answer", "options": "options", "gold": "label"})
    assert not mapped.rows and mapped.skipped == {"the gold answer is none of the options": 1}
    assert mapped.faults == ["line 1: the gold answer is none of the options"]


def test_a_file_of_which_nothing_can_be_used_keeps_nothing(tmp_path: Path) -> None:
    source = write(tmp_path, "a.jsonl", ROWS[1:2])
    with pytest.raises(LabError, match="no row could be made with this mapping: line 1: no question"):
        import_file(source, MAPPING, tmp_path / "uploads")
    assert not (tmp_path / "uploads").exists()


def test_inspecting_shows_columns_first_rows_and_a_guess(tmp_path: Path) -> None:
    found = inspect(write(tmp_path, "a.parquet", [{"Question": f"{i}?", "Response": "a", "n": i} for i in range(9)]))
    assert found.columns == ["Question", "Response", "n"] and len(found.sample) == 3
    assert found.guess == {"question": "Question", "answer": "Response"}
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(LabError, match="has no rows"):
        inspect(tmp_path / "empty.csv")


SHORT = [("so\nAnswer: 12 mmol/L", "12 mmol/L"), ("**Final Answer:** B", "B"),
         (r"it is \boxed{\frac{1}{2}}", r"\frac{1}{2}"),
         (r"Answer: $\boxed{4}$", "4"), ("first Answer: no\nAnswer: 1\nAnswer: 2", "2"), ("just text", "just text")]


@pytest.mark.parametrize(("answer", "short"), SHORT)
def test_the_short_answer_is_the_last_one_stated(answer: str, short: str) -> None:
    assert short_answer(answer) == short


def test_plain_numbers_are_checked_as_numbers() -> None:
    assert [verifier_of(gold) for gold in ("12", "1,200.5", "-3", "12 mg", "NaN", "B")] == [
        "numeric", "numeric", "numeric", "exact", "exact", "exact"]


def test_the_lineage_is_plain_json(tmp_path: Path) -> None:
    made = import_file(write(tmp_path, "a.jsonl", ROWS), MAPPING, tmp_path / "uploads")
    assert json.loads(made.path.with_suffix(".lineage.json").read_text())["rows"] == 2
    assert lineage_of(tmp_path / "none.jsonl") is None
