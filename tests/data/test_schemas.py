"""Exports: every row that is written comes back through the registered reader, and every other one is counted."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from lab.core.errors import LabError, UnknownName
from lab.core.types import Example, Pair
from lab.data.browsing import Between, Filter
from lab.data.chat import question_text
from lab.data.exporting import NOT_CHOSEN, Choice, export, render
from lab.data.jsonl import read_noted_jsonl, write_rows
from lab.data.noted import read_noted
from lab.data.pair_rows import write_pairs
from lab.data.pairs import resolve_pairs
from lab.data.resolving import resolve_dataset
from lab.data.reviewing import Review
from lab.data.schemas import schemas
from tests.data.noted_rows import NOTES, example, pair

ROWS = [
    example(0), example(1, options={"A": "2", "B": "3"}, gold="A", answer="Answer: A", verifier="choice"),
    example(2, trace=None, answer="3", gold="3"), example(3, trace="=1+1\n\u2028 ☃", steps="short"),
    example(4, trace="I think </think> so", answer="### Thought\nhm"), example(5, gold="long " * 50),
]
PAIRS = [pair(0), pair(1, chosen_trace=None), pair(2, options={"A": "3", "B": "4"}, rejected_trace="no")]


@pytest.fixture
def rows(tmp_path: Path) -> str:
    write_rows(tmp_path / "in" / "rows.jsonl", ROWS, [*NOTES, {"complexity": 9}, {"complexity": 9}])
    return str(tmp_path / "in" / "rows.jsonl")


@pytest.fixture
def pairs(tmp_path: Path) -> str:
    write_pairs(tmp_path / "in" / "pairs.jsonl", PAIRS, NOTES[:3])
    return str(tmp_path / "in" / "pairs.jsonl")


def texts(row: Example | Pair, *fields: str) -> tuple[str, ...]:
    return (question_text(row).strip(), *((getattr(row, field) or "").strip() for field in fields))


def test_every_schema_says_what_it_is_and_where_its_reader_looks() -> None:
    assert set(schemas()) == {"lab", "medical-o1-sft", "medical-o1-verifiable", "finemed-sft", "finemed-dpo",
                              "messages"}
    for schema in schemas().values():
        assert schema.title and schema.description and schema.file and schema.kinds


@pytest.mark.parametrize(("schema", "left_out"), [
    ("medical-o1-sft", {"no trace: the form is of reasoning": 1,
                        "its reader leaves it out: thinking both in a field and in the text": 1}),
    ("medical-o1-verifiable", {"has options: the form is of open questions": 1,
                               "its true answer is longer than 200 characters": 1}),
    ("finemed-sft", {"its reader leaves it out: thinking closed but not opened": 1}),
])
def test_what_a_registered_reader_finds_in_a_folder_is_what_was_meant(
    tmp_path: Path, rows: str, schema: str, left_out: dict[str, int]
) -> None:
    done = export(rows, schema, tmp_path / "out")
    assert done.rendered.left_out == left_out and done.rendered.n == len(ROWS) - sum(left_out.values())
    back = resolve_dataset(f"{schema}@{tmp_path / 'out'}").read()
    found = list(back.rows)
    if schema == "finemed-sft":
        found += resolve_dataset(f"finemed-cold-start@{tmp_path / 'out'}").load()
    assert len(found) == done.rendered.n and not back.skipped
    fields = ("gold",) if schema == "medical-o1-verifiable" else ("trace", "answer")
    assert {texts(row, *fields) for row in found} <= {texts(row, *fields) for row in ROWS}
    assert len({texts(row, *fields) for row in found}) == len(found)


def test_complex_rows_with_thinking_are_where_the_cold_start_is_read(tmp_path: Path, rows: str) -> None:
    export(rows, "finemed-sft", tmp_path / "out")
    cold = resolve_dataset(f"finemed-cold-start@{tmp_path / 'out'}").load()
    assert {row.question for row in cold} == {ROWS[0].question, ROWS[5].question}
    assert [noted.notes for noted in read_noted(f"finemed-sft@{tmp_path / 'out'}").rows] == [
        {"complexity": 3, "quality": 6}, {"complexity": 7, "quality": 8}, {}]


def test_pairs_come_back_through_the_reader_of_finemed_dpo(tmp_path: Path, pairs: str) -> None:
    done = export(pairs, "finemed-dpo", tmp_path / "out")
    back = resolve_pairs(f"finemed-dpo@{tmp_path / 'out'}").load()
    fields = ("chosen", "chosen_trace", "rejected", "rejected_trace")
    assert done.rendered.n == 3 and [texts(row, *fields) for row in back] == [texts(row, *fields) for row in PAIRS]


def test_the_labs_own_form_holds_everything(tmp_path: Path, rows: str, pairs: str) -> None:
    done = export(rows, "lab", tmp_path / "out" / "mine.jsonl")
    assert read_noted_jsonl(tmp_path / "out" / "mine.jsonl") == read_noted_jsonl(rows)
    assert not done.rendered.left_out and not done.rendered.lost
    export(pairs, "lab", tmp_path / "out" / "pairs.jsonl")
    assert read_noted(str(tmp_path / "out" / "pairs.jsonl")).rows == read_noted(pairs).rows


def test_messages_come_back_from_a_file_of_conversations(tmp_path: Path, rows: str, pairs: str) -> None:
    done = export(rows, "messages", tmp_path / "chat.jsonl")
    assert done.rendered.left_out == {"its reader leaves it out: double thinking": 1}
    back = resolve_dataset(str(tmp_path / "chat.jsonl")).load()
    assert [texts(row, "trace", "answer") for row in back] == [texts(row, "trace", "answer")
                                                               for row in ROWS if row.id != "row-4"]
    export(pairs, "messages", tmp_path / "chat-pairs.json")
    assert len(resolve_pairs(str(tmp_path / "chat-pairs.json")).load()) == 3


def test_fields_without_a_place_are_counted(tmp_path: Path, rows: str) -> None:
    lost = export(rows, "medical-o1-verifiable", tmp_path / "out").rendered.lost
    assert lost == {"trace": 3, "subject": 4, "notes": 3, "steps": 1, "answer": 3}
    assert "gold" in export(rows, "medical-o1-sft", tmp_path / "out").rendered.lost


def test_a_table_for_a_spreadsheet_runs_nothing(tmp_path: Path, rows: str) -> None:
    done = export(rows, "medical-o1-sft", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        cells = list(csv.DictReader(file))
    assert done.rendered.guarded == 1
    assert [row["Complex_CoT"][:5] for row in cells if "☃" in row["Complex_CoT"]] == ["'=1+1"]
    export(rows, "lab", tmp_path / "all.csv")
    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as file:
        first = next(csv.DictReader(file))
    assert json.loads(first["notes"]) == NOTES[0] and first["id"] == "row-0"
    with pytest.raises(LabError, match="a CSV cannot hold"):
        export(rows, "messages", tmp_path / "chat.csv")


def test_filters_and_reviews_choose_what_is_written(tmp_path: Path, rows: str) -> None:
    reviews = {"row-2": Review(verdict="rejected", note="bad"),
               "row-0": Review(verdict="edited", changes={"answer": "Now.\nAnswer: 1"})}
    choice = Choice(Filter(departments=("Surgery", "Pediatrics")), (Filter(quality=Between(None, 6)),), reviews)
    done = render(read_noted(rows), "lab", "", choice)
    assert done.left_out == {NOT_CHOSEN: 4, "rejected": 1} and done.n == 1
    (text,) = done.files.values()
    assert json.loads(text)["answer"] == "Now.\nAnswer: 1"
    only = render(read_noted(rows), "lab", ".json", Choice(reviews=reviews, only_approved=True))
    assert list(only.files) == ["lab.json"] and only.left_out == {"not approved": 4, "rejected": 1}
    filtered = Choice(Filter(reviews=("rejected",)), reviews=reviews, as_reviewed=False)
    assert render(read_noted(rows), "lab", "", filtered).n == 1


def test_nothing_is_written_over_and_what_cannot_be_is_said(tmp_path: Path, rows: str, pairs: str) -> None:
    export(rows, "medical-o1-sft", tmp_path / "out")
    with pytest.raises(LabError, match="is there already"):
        export(rows, "medical-o1-sft", tmp_path / "out")
    with pytest.raises(UnknownName, match="Did you mean 'finemed-sft'"):
        export(rows, "finemed-sf", tmp_path / "x")
    with pytest.raises(LabError, match="is of rows, .* has pairs: take lab or finemed-dpo or messages"):
        export(pairs, "medical-o1-sft", tmp_path / "x")
    with pytest.raises(LabError, match="no row of .* 1 x no trace"):
        export(f"{rows}[2:3]", "medical-o1-sft", tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_the_embedded_sets_can_be_written_in_every_form_of_their_kind() -> None:
    for found in (read_noted("demo-medical[:40]"), read_noted("demo-pairs[:40]")):
        fit = [name for name, schema in schemas().items() if found.kind in schema.kinds]
        assert len(fit) >= 3 and all(render(found, name).n == 40 for name in fit)
