"""Reviews: what is rejected goes, what is edited is as edited and still a sound row, and a version says what it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab.core.errors import LabError, SpecError
from lab.core.types import Example
from lab.data.dataset import fingerprint
from lab.data.jsonl import read_jsonl, read_noted_jsonl, write_rows
from lab.data.keeping import keep_made
from lab.data.lineage import lineage
from lab.data.made import made_of
from lab.data.noted import read_noted
from lab.data.pair_rows import write_pairs
from lab.data.reviewing import Review, edited, make_version, reviewed_version
from lab.synthesis.funnel import Funnel
from lab.verify.verifier import verify
from tests.data.noted_rows import NOTES, example, noted, pair

ROWS = noted([example(number) for number in range(4)], NOTES)
REVIEWS = {
    "row-0": Review(verdict="approved"), "row-1": Review(verdict="rejected", note="not a question"),
    "row-2": Review(verdict="edited", changes={"answer": "Three.\nAnswer: 3", "trace": ""}),
    "elsewhere": Review(verdict="approved"),
}
CHOICE = example(7, options={"A": "8", "B": "9"}, gold="A", answer="Answer: A", verifier="choice")


def scores(row: Example) -> bool:
    return verify(row.answer, row).correct


def test_a_version_keeps_what_was_not_rejected_and_counts_all_of_it() -> None:
    version = reviewed_version(ROWS, REVIEWS, scores=scores)
    assert [row.id for row in version.rows] == ["row-0", "row-2", "row-3"]
    assert version.rows[1].row.answer == "Three.\nAnswer: 3" and version.rows[1].row.trace is None
    assert version.counts == {"approved": 1, "edited": 1, "not reviewed": 1, "left out": 1, "reviews of no row here": 1}
    assert version.dropped == [("row-1", "rejected: not a question")]
    assert [row.notes.get("reviewed") for row in version.rows] == ["approved", "edited", None]
    assert [row.position for row in version.rows] == [1, 2, 3] and version.rows[0].notes["quality"] == 8


def test_only_approved_leaves_out_what_nobody_has_read_and_what_was_left_open() -> None:
    version = reviewed_version(ROWS, REVIEWS | {"row-3": Review(verdict="open")}, only_approved=True)
    assert [row.id for row in version.rows] == ["row-0", "row-2"] and ("row-3", "not approved") in version.dropped


def test_an_approval_may_carry_changes() -> None:
    (row,) = reviewed_version(ROWS[:1], {"row-0": Review(verdict="approved", changes={"question": "1+0?"})}).rows
    assert row.row.question == "1+0?" and row.notes["reviewed"] == "edited"


@pytest.mark.parametrize(("row", "changes", "said"), [
    (example(0), {"answer": "Answer: 7"}, "answer: no longer scores 1 .* 'numeric' against the true answer '1'"),
    (example(0), {"gold": "7"}, "no longer scores 1"),
    (CHOICE, {"options": {"B": "8", "C": "9"}}, "gold: 'A' is none of the options"),
    (CHOICE, {"options": {"A": "8"}}, "options: should be an object"),
    (CHOICE, {"options": {}}, "none of the options .there are none"),
    (CHOICE, {"options": "A or B"}, "options: should be an object"),
    (example(0), {"question": "  "}, "question: must not be empty"),
    (example(0), {"answer": 3}, "answer: should be text, not int"),
    (example(0), {"anser": "x"}, "anser: cannot be edited. Did you mean 'answer'"),
    (example(0), {"verifier": "exact"}, "verifier: cannot be edited"),
    (pair(0), {"chosen": "Answer: 0", "chosen_trace": ""}, "chosen: is the same as rejected now"),
    (pair(0), {"answer": "x"}, "answer: cannot be edited"),
])
def test_an_edit_that_breaks_a_row_is_named(row: Any, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        edited(row, changes, scores)


def test_sound_edits_are_taken() -> None:
    assert edited(example(0), {"answer": "Answer: 7", "gold": "7"}, scores).gold == "7"
    assert edited(CHOICE, {"options": {"A": "8", "B": "10"}}, scores).options == {"A": "8", "B": "10"}
    assert edited(example(0), {"subject": "", "steps": "1"}, scores).subject == ""
    assert edited(pair(0), {"rejected_trace": "hm"}).rejected_trace == "hm"


def test_a_row_that_did_not_score_before_need_not_score_after() -> None:
    free = example(0, gold="a long explanation", verifier="exact")
    assert not scores(free) and edited(free, {"answer": "Other words."}, scores).answer == "Other words."


def test_all_bad_edits_of_a_version_are_told_at_once() -> None:
    bad = {name: Review(verdict="edited", changes={"answer": "Answer: 99"}) for name in ("row-0", "row-3")}
    with pytest.raises(SpecError, match="2 faults") as caught:
        reviewed_version(ROWS, bad, scores=scores)
    assert [fault.field for fault in caught.value.faults] == ["row-0.answer", "row-3.answer"]


def test_a_version_is_kept_with_the_original_as_its_parent(tmp_path: Path) -> None:
    write_rows(tmp_path / "x.jsonl", [noted.row for noted in ROWS], NOTES)
    parent = keep_made(tmp_path / "datasets", tmp_path / "x.jsonl", {
        "name": "complex", "title": "Complex", "kind": "rows", "by": "reasoning", "notes": ("written by a script",),
        "teachers": {"teacher": {"ref": "demo-teacher"}}, "license": "mit"})
    kept = make_version(str(parent), tmp_path, REVIEWS, scores=scores)
    made = made_of(kept)
    assert made and (made.by, made.rows, made.license, made.name) == ("review", 3, "mit", "complex-reviewed")
    assert made.fingerprint == fingerprint(read_jsonl(kept)) and made.teachers == {"teacher": {"ref": "demo-teacher"}}
    assert made.notes[0] == "written by a script" and "1 edited" in made.notes[1]
    assert [(link.depth, link.path) for link in lineage(kept.stem, tmp_path)] == [(0, kept), (1, parent)]
    funnel = Funnel.model_validate(made.funnel)
    assert [(stage.name, stage.n) for stage in funnel.stages] == [("read", 4), ("kept", 3)]
    assert [(each.outcome, each.n, each.items) for each in funnel.dropped] == [
        ("rejected: not a question", 1, ("row-1",))]
    assert read_noted_jsonl(kept)[2][1] == NOTES[3]
    assert make_version(str(parent), tmp_path, REVIEWS, scores=scores) == kept
    again = make_version(str(kept), tmp_path, {"row-3": Review(verdict="rejected")})
    second = made_of(again)
    assert second and second.name == "complex-reviewed" and len(lineage(again.stem, tmp_path)) == 3


def test_a_version_of_pairs_and_of_a_registered_set(tmp_path: Path) -> None:
    write_pairs(tmp_path / "p.jsonl", [pair(0), pair(1)])
    kept = make_version(str(tmp_path / "p.jsonl"), tmp_path, {"pair-0": Review(verdict="rejected")})
    assert [noted.row for noted in read_noted(str(kept)).rows] == [pair(1)]
    row = read_noted("demo-medical", 1).rows[0]
    made = made_of(make_version("demo-medical[:5]", tmp_path, {row.id: Review(verdict="rejected")}, scores=scores))
    assert made and (made.rows, made.license, made.parents[0].name) == (4, "apache-2.0", "demo-medical[:5]")


def test_a_version_that_is_the_same_or_empty_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no row of it has been reviewed"):
        make_version("demo-medical[:3]", tmp_path, {"x": Review(verdict="rejected")})
    rows = read_noted("demo-medical[:2]").rows
    with pytest.raises(LabError, match="leave no row of 2"):
        make_version("demo-medical[:2]", tmp_path, {row.id: Review(verdict="rejected") for row in rows})
