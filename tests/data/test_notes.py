"""Notes: a column that says what is known about a row. Training reads the same rows with and without it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.core.errors import LabError
from lab.data.dataset import fingerprint
from lab.data.jsonl import read_jsonl, read_noted_jsonl, write_rows
from lab.data.pair_rows import write_pairs
from lab.data.pairs import resolve_pairs
from lab.data.resolving import resolve_dataset
from tests.data.noted_rows import NOTES, example, pair

AWKWARD = [
    example(0, id="empty source", source="", subject=""), example(1, trace=None, steps="1\n2"),
    example(2, options={"A": "3", "B": "4"}, gold="A", verifier="choice"),
    example(3, question="a\u2028b \u2603 \"quoted\"\n\ttab", answer=" outer space \n", trace="t\r\nu"),
]


def test_rows_come_back_as_they_were_written_and_their_notes_with_them(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_rows(path, AWKWARD, NOTES)
    assert read_jsonl(path) == AWKWARD
    assert [notes for _, notes in read_noted_jsonl(path)] == NOTES
    assert resolve_dataset(str(path)).load() == AWKWARD


def test_notes_change_neither_the_rows_nor_their_fingerprint(tmp_path: Path) -> None:
    with_notes, without = tmp_path / "a" / "rows.jsonl", tmp_path / "b" / "rows.jsonl"
    write_rows(with_notes, AWKWARD, NOTES)
    write_rows(without, AWKWARD)
    assert fingerprint(read_jsonl(with_notes)) == fingerprint(read_jsonl(without)) == fingerprint(AWKWARD)
    assert '"notes"' not in without.read_text()


@pytest.mark.parametrize("notes", ["great", ["a"], 3])
def test_notes_that_are_no_object_are_named_with_their_line(tmp_path: Path, notes: object) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"question": "q", "answer": "a"}) + "\n"
                    + json.dumps({"question": "q", "answer": "a", "notes": notes}) + "\n")
    with pytest.raises(LabError, match=r"line 2: column 'notes' should be an object like .*, not (str|list|int)"):
        read_jsonl(path)


def test_pairs_come_back_through_the_reader_of_preference_training(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    pairs = [pair(0), pair(1, chosen_trace=None, options={"A": "x", "B": "y"}), pair(2, rejected_trace="no")]
    write_pairs(path, pairs, NOTES[:3])
    assert resolve_pairs(str(path)).load() == pairs
    assert [json.loads(line).get("notes") for line in path.read_text().splitlines()] == NOTES[:3]


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="1 notes for 2 rows"):
        write_rows(tmp_path / "rows.jsonl", AWKWARD[:2], NOTES[:1])
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(LabError, match="cannot be written") as caught:
        write_rows(tmp_path / "taken" / "rows.jsonl", AWKWARD)
    assert caught.value.reason == "disk"
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
