"""Made datasets: kept under a name made of their content, never written again, with where they come from."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from lab.core.errors import LabError
from lab.data.dataset import fingerprint
from lab.data.importing import import_file
from lab.data.jsonl import read_jsonl, write_rows
from lab.data.keeping import keep_made
from lab.data.lineage import lineage
from lab.data.made import EMBEDDED, FOLDER, Parent, embedded_roles, find_made, made_files, made_of
from lab.data.pair_rows import write_pairs
from lab.data.resolving import resolve_dataset
from lab.synthesis.specs import EMBEDDED as TEACHER
from tests.data.noted_rows import NOTES, example, pair
from tests.data.rows import write

ROWS = [example(number) for number in range(4)]


def facts(**changes: Any) -> dict[str, Any]:
    return {"name": "complex", "title": "Complex traces", "kind": "rows", "by": "reasoning", "job": "abc"} | changes


def source(folder: Path, rows: list[Any] = ROWS, name: str = "complex.jsonl") -> Path:
    folder.mkdir(exist_ok=True)
    write_rows(folder / name, rows, NOTES[: len(rows)])
    return folder / name


def test_a_made_file_is_named_by_its_content_and_its_facts_are_those_a_training_finds(tmp_path: Path) -> None:
    given = source(tmp_path / "job")
    kept = keep_made(tmp_path / "datasets", given, facts())
    digest = hashlib.sha256(given.read_bytes()).hexdigest()
    assert kept == tmp_path / "datasets" / f"complex-{digest[:8]}.jsonl" and kept.read_bytes() == given.read_bytes()
    made = made_of(kept)
    assert made and (made.rows, made.sha256, made.by, made.job) == (4, digest, "reasoning", "abc")
    assert made.fingerprint == fingerprint(resolve_dataset(str(kept)).load()) == fingerprint(ROWS)
    assert sorted(path.name for path in kept.parent.iterdir()) == sorted([kept.name, f"{kept.stem}.made.json"])


def test_ids_that_follow_from_the_file_name_are_those_of_the_kept_file(tmp_path: Path) -> None:
    given = write(tmp_path, "x.jsonl", [{"question": "q", "answer": "a"}])
    kept = keep_made(tmp_path / "datasets", given, facts())
    made = made_of(kept)
    assert made and made.fingerprint == fingerprint(read_jsonl(kept)) != fingerprint(read_jsonl(given))


def test_keeping_twice_keeps_once_and_the_first_facts_stay(tmp_path: Path) -> None:
    given, folder = source(tmp_path / "job"), tmp_path / "datasets"
    kept = keep_made(folder, given, facts())
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert keep_made(folder, given, facts(job="another")) == kept
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    made = made_of(kept)
    assert made and made.job == "abc"


def test_a_file_whose_facts_were_not_written_any_more_gets_them(tmp_path: Path) -> None:
    given, folder = source(tmp_path / "job"), tmp_path / "datasets"
    kept = keep_made(folder, given, facts())
    kept.with_suffix(".made.json").unlink()
    assert made_files(tmp_path) == [] and find_made(tmp_path, kept.name) is None
    assert keep_made(folder, given, facts()) == kept and made_of(kept)


def test_another_content_under_the_same_first_digits_is_never_written_over(tmp_path: Path) -> None:
    given, folder = source(tmp_path / "job"), tmp_path / "datasets"
    digest = hashlib.sha256(given.read_bytes()).hexdigest()
    other = write(folder, f"complex-{digest[:8]}.jsonl", [{"question": "other", "answer": "other"}])
    said = other.read_text()
    kept = keep_made(folder, given, facts())
    assert kept.name == f"complex-{digest[:16]}.jsonl" and other.read_text() == said


def test_a_broken_file_is_not_kept(tmp_path: Path) -> None:
    broken = write(tmp_path, "x.jsonl", [{"question": "q"}])
    with pytest.raises(LabError, match="column 'answer' is missing"):
        keep_made(tmp_path / "datasets", broken, facts())
    with pytest.raises(LabError, match="cannot be read"):
        keep_made(tmp_path / "datasets", tmp_path / "none.jsonl", facts())
    assert list((tmp_path / "datasets").iterdir()) == []


def test_pairs_are_kept_as_pairs_and_a_row_that_is_none_is_refused(tmp_path: Path) -> None:
    write_pairs(tmp_path / "p.jsonl", [pair(0), pair(1)], NOTES[:2])
    told = facts(kind="pairs", name="chosen & rejected")
    made = made_of(keep_made(tmp_path / "datasets", tmp_path / "p.jsonl", told))
    assert made and (made.kind, made.rows, made.fingerprint) == ("pairs", 2, fingerprint([pair(0), pair(1)]))
    write_pairs(tmp_path / "q.jsonl", [pair(0), pair(1, rejected="Answer: 2", rejected_trace="1+1=2")])
    with pytest.raises(LabError, match="1 x chosen and rejected are the same"):
        keep_made(tmp_path / "datasets", tmp_path / "q.jsonl", facts(kind="pairs"))


def test_made_files_are_listed_newest_first_and_found_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "datasets"
    old = keep_made(folder, source(tmp_path / "job"), facts(created="2026-01-01T00:00:00+00:00"))
    new = keep_made(folder, source(tmp_path / "job", ROWS[:2]), facts(name="new"))
    write(folder, "by-hand.jsonl", [{"question": "q", "answer": "a"}])
    assert [file.path for file in made_files(tmp_path)] == [new, old]
    assert find_made(tmp_path, old.stem) == find_made(tmp_path, old.name) == find_made(tmp_path, str(old)) == old
    assert find_made(tmp_path, "by-hand") is None and find_made(tmp_path, "demo-medical") is None
    assert len(resolve_dataset(str(folder)).load()) == 7  # a folder's facts are no rows


def test_lineage_goes_from_child_to_parents_as_far_as_they_are_here(tmp_path: Path) -> None:
    raw = write(tmp_path, "notes.csv.jsonl", [{"Frage": "1+1?", "Antwort": "2"}])
    imported = import_file(raw, {"question": "Frage", "answer": "Antwort"}, tmp_path / "uploads")
    problems = keep_made(tmp_path / "datasets", source(tmp_path / "job"), facts(
        name="problems", by="problems", parents=(
            Parent(name=str(imported.path), sha256="i" * 64, rows=1),
            Parent(name="demo-medical", sha256="d" * 64, rows=2400), Parent(name="job:gone", sha256="g" * 64, rows=7))))
    told = made_of(problems)
    child = keep_made(tmp_path / "datasets", source(tmp_path / "job", ROWS[:3]), facts(
        parents=(Parent(name="job:abc", sha256=told.fingerprint, rows=4),)))
    links = lineage(child.stem, tmp_path)
    assert [(link.depth, link.kind, link.by) for link in links] == [
        (0, "made", "reasoning"), (1, "made", "problems"), (2, "import", "import"), (2, "registered", ""),
        (2, "missing", "")]
    assert links[1].path == problems and links[1].name == "job:abc"  # by its rows: the name says where it was read
    assert "notes.csv.jsonl" in links[2].remark and links[3].license == "apache-2.0" and links[4].rows == 7


def test_a_parent_whose_file_holds_other_rows_now_is_said_so(tmp_path: Path) -> None:
    parent = keep_made(tmp_path / "datasets", source(tmp_path / "job"), facts())
    child = keep_made(tmp_path / "datasets", source(tmp_path / "job", ROWS[:3]), facts(
        name="child", parents=(Parent(name=str(parent), sha256="0" * 64, rows=9),)))
    assert "other rows" in lineage(str(child), tmp_path)[1].remark


def test_the_parts_of_a_mixture_each_have_their_chain(tmp_path: Path) -> None:
    links = lineage("demo-medical[:10] + demo-general", tmp_path)
    assert [(link.depth, link.kind, link.name) for link in links] == [
        (0, "mixture", "demo-medical[:10] + demo-general"), (1, "registered", "demo-medical[:10]"),
        (1, "registered", "demo-general")]


def test_the_embedded_teacher_is_known_by_the_name_synthesis_gives_it(tmp_path: Path) -> None:
    assert EMBEDDED == TEACHER
    kept = keep_made(tmp_path / "datasets", source(tmp_path / "job"), facts(
        teachers={"teacher": {"ref": EMBEDDED, "label": EMBEDDED}, "verifier": {"ref": "remote:big", "label": "big"}}))
    made = made_of(kept)
    assert made and embedded_roles(made) == ["teacher"]
    assert json.loads(kept.with_suffix(".made.json").read_text())["teachers"]["verifier"]["label"] == "big"


def test_a_version_in_which_rows_were_only_approved_is_not_its_own_parent(tmp_path: Path) -> None:
    """Notes are no part of a fingerprint: child and parent have the same."""
    first = keep_made(tmp_path / FOLDER, source(tmp_path / "job"), facts())
    same = made_of(first).fingerprint
    write_rows(tmp_path / "approved.jsonl", ROWS, [{"reviewed": "approved"}] * len(ROWS))
    parent = Parent(name=str(first), sha256=same, rows=len(ROWS))
    second = keep_made(tmp_path / FOLDER, tmp_path / "approved.jsonl", facts(by="review", parents=[parent]))
    assert made_of(second).fingerprint == same
    links = lineage(str(second), tmp_path)
    assert [link.path for link in links[:2]] == [second, first] and len(links) < 5
