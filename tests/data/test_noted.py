"""Reading with notes gives the rows that training reads, in the same order, each with its own notes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from lab.core.errors import LabError
from lab.data.dataset import fingerprint
from lab.data.jsonl import write_rows
from lab.data.mixture import interleave, spread
from lab.data.noted import read_kind, read_noted
from lab.data.pair_rows import write_pairs
from lab.data.pairs import resolve_pairs
from lab.data.resolving import resolve_dataset
from tests.data.noted_rows import NOTES, example, pair
from tests.data.rows import MADE, finemed, write


@pytest.fixture
def own(tmp_path: Path) -> Path:
    write_rows(tmp_path / "own.jsonl", [example(number) for number in range(4)], NOTES)
    return tmp_path / "own.jsonl"


def test_a_file_of_the_labs_format_has_its_notes_and_a_key_of_its_bytes(own: Path) -> None:
    found = read_noted(str(own))
    assert [noted.notes for noted in found.rows] == NOTES and [noted.position for noted in found.rows] == [1, 2, 3, 4]
    assert found.fingerprint == fingerprint(resolve_dataset(str(own)).load()) and found.kind == "rows"
    assert found.key == hashlib.sha256(own.read_bytes()).hexdigest() and found.file == own
    assert [noted.id for noted in read_noted(str(own), 2).rows] == ["row-0", "row-1"]


@pytest.mark.parametrize("expression", [
    "{own} + demo-medical[:6]", "demo-medical[:6] + {own}[:50%]", "{own}[1:] + {own}[:2] + demo-general[:3]"])
def test_in_a_mixture_every_row_keeps_its_notes(own: Path, expression: str) -> None:
    name = expression.format(own=own)
    found = read_noted(name)
    assert [noted.row for noted in found.rows] == resolve_dataset(name).load()
    told = {f"What is {number}+1?": NOTES[number] for number in range(4)}
    assert all(noted.notes == told.get(noted.row.question, {}) for noted in found.rows)
    first = read_noted(name, 3)
    assert found.key == found.fingerprint and first.rows == found.rows[:3] and first.key == ""


def test_the_order_of_a_mixture_is_that_of_interleaving() -> None:
    parts = [[example(number, id=f"{part}-{number}") for number in range(size)] for part, size in enumerate((5, 1, 12))]
    assert [parts[part][at] for part, at in spread([5, 1, 12])] == interleave(parts)


def test_a_generated_set_has_no_notes_and_its_fingerprint_is_its_key() -> None:
    found = read_noted("demo-medical")
    assert len(found.rows) == 2400 and not any(noted.notes for noted in found.rows)
    assert found.key == fingerprint(resolve_dataset("demo-medical").load()) and read_noted("demo-medical", 5).key == ""
    assert found.license == "apache-2.0"


def test_grades_of_a_public_set_come_from_its_own_columns(tmp_path: Path) -> None:
    made = MADE["finemed-sft"]
    write(tmp_path, made.file, [finemed(quality="7", complexity=3.0), *made.without.values(), finemed(quality="nan")])
    found = read_noted(f"finemed-sft@{tmp_path}")
    assert [noted.notes for noted in found.rows] == [{"quality": 7, "complexity": 3}, {"complexity": 6}]
    assert [noted.row for noted in found.rows] == resolve_dataset(f"finemed-sft@{tmp_path}").load()
    assert found.skipped == {"no question": 1, "no answer": 1}
    write(tmp_path / "dpo", "rows.jsonl", [
        {"prompt": "q", "chosen": "a", "rejected": "b", "quality": 9, "text": "page"},
        {"prompt": "q", "chosen": "a", "rejected": "a", "quality": 8}])
    pairs = read_noted(f"finemed-dpo@{tmp_path / 'dpo'}")
    assert [noted.notes for noted in pairs.rows] == [{"quality": 9}] and pairs.n_skipped == 1


def test_a_folder_with_a_table_of_any_columns_is_read_as_training_reads_it(tmp_path: Path, own: Path) -> None:
    write(tmp_path, "table.json", [{"question": "1?", "answer": "2", "quality": 5}, {"question": "", "answer": "x"}])
    found = read_noted(str(tmp_path))
    assert [noted.row for noted in found.rows] == resolve_dataset(str(tmp_path)).load()
    assert [noted.notes for noted in found.rows] == [*NOTES, {"quality": 5}] and found.skipped == {"no question": 1}


def test_pairs_are_read_with_their_notes(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    write_pairs(path, [pair(number) for number in range(3)], NOTES[:3])
    found = read_noted(str(path))
    assert read_kind(str(path)) == found.kind == "pairs" and [noted.notes for noted in found.rows] == NOTES[:3]
    assert [noted.row for noted in found.rows] == resolve_pairs(str(path)).load()
    mixed = read_noted(f"demo-pairs[:4] + {path}")
    assert [noted.row for noted in mixed.rows] == resolve_pairs(f"demo-pairs[:4] + {path}").load()
    write(tmp_path, "bad.jsonl", [{"prompt": "q", "chosen": "a", "rejected": "b", "notes": "good"}])
    with pytest.raises(LabError, match="line 1: column 'notes' should be an object"):
        read_noted(str(tmp_path / "bad.jsonl"))


def test_a_set_of_the_hub_that_is_not_here_is_not_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    for name in ("finemed-sft", "finemed-dpo", "hub:nobody/nothing"):
        with pytest.raises(LabError, match="not on this machine yet"):
            read_noted(name)
