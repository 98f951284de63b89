"""Reviews of rows by people, and the version of a dataset that follows from them.

A review is kept elsewhere (the store); here it is a verdict and the fields that were changed. A version is another
dataset: what was rejected is left out, what was edited is as edited, and the original is its parent.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lab.core.errors import Fault, LabError, SpecError, nearest
from lab.core.types import Example, Pair, Plain
from lab.data.jsonl import write_rows
from lab.data.keeping import keep_made
from lab.data.made import FOLDER, Parent, made_of
from lab.data.noted import NotedRow, NotedSet, read_noted
from lab.data.pair_rows import write_pairs

Verdict = Literal["approved", "rejected", "edited", "open"]
VERDICTS: tuple[Verdict, ...] = ("approved", "rejected", "edited", "open")
EDITABLE = {"rows": ("question", "options", "trace", "steps", "answer", "gold", "subject"),
            "pairs": ("question", "chosen", "chosen_trace", "rejected", "rejected_trace", "subject")}
OR_NONE = ("options", "trace", "steps", "chosen_trace", "rejected_trace")  # what is empty is not there
MAY_BE_EMPTY = (*OR_NONE, "subject")
REVIEWED = "reviewed"  # the note that a version puts on a row that somebody has read
MOST_NAMED = 5  # rows named with each reason
Scores = Callable[[Example], bool]  # whether the row's answer scores 1 through its own verifier


class Review(Plain):
    """What somebody said of one row. `changes`: whole new texts by field, relative to the row in the file."""

    verdict: Verdict
    changes: dict[str, Any] = {}
    reviewer: str = ""
    note: str = ""


@dataclass(frozen=True)
class Reviewed:
    """The rows of a version, how many of them are what, and what was left out with the reason."""

    rows: list[NotedRow]
    counts: dict[str, int]  # approved, edited, not reviewed (kept), left out, reviews of no row here
    dropped: list[tuple[str, str]] = field(default_factory=list)  # (row id, why)


def edited(row: Example | Pair, changes: Mapping[str, Any], scores: Scores | None = None) -> Any:
    """The row with its changes. SpecError where that is no row any more, or scores less than it did."""
    kind = "rows" if isinstance(row, Example) else "pairs"
    faults = [fault for name, value in changes.items() for fault in _faults(name, value, EDITABLE[kind])]
    if faults:
        raise SpecError(faults, f"row '{row.id}'")
    changed = row.model_copy(update={name: value or None if name in OR_NONE else value
                                     for name, value in changes.items()})
    _check_whole(changed, row, scores)
    return changed


def _faults(name: str, value: Any, known: Sequence[str]) -> list[Fault]:
    if name not in known:
        return [Fault(name, f"cannot be edited. {nearest(name, known)}", value)]
    if name == "options":
        sound = isinstance(value, Mapping) and all(isinstance(text, str) and text.strip() for text in value.values())
        return [] if sound and len(value) != 1 else [Fault(name, 'should be an object like {"A": "text", "B": "text"}')]
    if not isinstance(value, str):
        return [Fault(name, f"should be text, not {type(value).__name__}", value)]
    return [] if value.strip() or name in MAY_BE_EMPTY else [Fault(name, "must not be empty", value)]


def _check_whole(changed: Example | Pair, row: Example | Pair, scores: Scores | None) -> None:
    if isinstance(changed, Pair):
        if (changed.chosen, changed.chosen_trace) == (changed.rejected, changed.rejected_trace):
            fault = Fault("chosen", "is the same as rejected now: a pair needs two replies")
            raise SpecError([fault], f"row '{row.id}'")
        return
    if changed.verifier == "choice" and changed.gold not in (changed.options or {}):
        raise SpecError([Fault("gold", f"'{changed.gold}' is none of the options "
                               f"({', '.join(changed.options or {}) or 'there are none'})")], f"row '{row.id}'")
    if scores and isinstance(row, Example) and not scores(changed) and scores(row):
        raise SpecError([Fault("answer", f"no longer scores 1 through the row's own verifier '{changed.verifier}' "
                               f"against the true answer '{changed.gold}', as it did before: change answer and gold "
                               "together")], f"row '{row.id}'")


def reviewed_version(
    rows: Sequence[NotedRow], reviews: Mapping[str, Review], only_approved: bool = False, scores: Scores | None = None
) -> Reviewed:
    """The rows as reviewed; `only_approved` leaves out what nobody has approved or edited. SpecError for bad edits."""
    kept: list[NotedRow] = []
    counts: Counter[str] = Counter()
    dropped: list[tuple[str, str]] = []
    faults: list[Fault] = []
    for noted in rows:
        review = reviews.get(noted.id, Review(verdict="open"))
        why = _why_not(review, only_approved)
        if why:
            dropped.append((noted.id, why))
            continue
        counts["not reviewed" if review.verdict == "open" else "edited" if review.changes else "approved"] += 1
        try:
            kept.append(_applied(noted, review, scores, len(kept) + 1))
        except SpecError as error:
            faults += [Fault(f"{noted.id}.{fault.field}", fault.message, fault.value) for fault in error.faults]
    if faults:
        raise SpecError(faults, "the reviews")
    counts["left out"] = len(dropped)
    counts["reviews of no row here"] = len(set(reviews) - {noted.id for noted in rows})
    return Reviewed(kept, dict(counts), dropped)


def _why_not(review: Review, only_approved: bool) -> str:
    if review.verdict == "rejected":
        return f"rejected: {review.note}" if review.note else "rejected"
    return "not approved" if only_approved and review.verdict == "open" else ""


def _applied(noted: NotedRow, review: Review, scores: Scores | None, position: int) -> NotedRow:
    if review.verdict == "open":
        return noted._replace(position=position)
    row = edited(noted.row, review.changes, scores) if review.changes else noted.row
    return NotedRow(row, {**noted.notes, REVIEWED: "edited" if review.changes else "approved"}, position)


def make_version(
    name: str, home: str | Path, reviews: Mapping[str, Review], only_approved: bool = False,
    scores: Scores | None = None
) -> Path:
    """Keep the reviewed version of a dataset; where it is. Raises LabError when it would be empty or is the same."""
    found = read_noted(name)
    version = reviewed_version(found.rows, reviews, only_approved, scores)
    if not any(noted.id in reviews and reviews[noted.id].verdict != "open" for noted in found.rows):
        raise LabError(f"'{name}': no row of it has been reviewed, so its version would be itself", "spec")
    if not version.rows:
        raise LabError(f"'{name}': the reviews leave no row of {len(found.rows)}", "data")
    write = write_rows if found.kind == "rows" else write_pairs
    with tempfile.TemporaryDirectory() as aside:
        file = Path(aside) / "version.jsonl"
        write(file, [noted.row for noted in version.rows], [noted.notes for noted in version.rows])
        return keep_made(Path(home) / FOLDER, file, _facts(found, version, only_approved))


def _facts(found: NotedSet, version: Reviewed, only_approved: bool) -> dict[str, Any]:
    made = made_of(found.file) if found.file else None
    stem = made.name if made else Path(found.name).stem if found.file else found.name
    counted = ", ".join(f"{count:,} {what}" for what, count in version.counts.items() if count)
    told: dict[str, Any] = {
        "name": stem if stem.endswith("-reviewed") else f"{stem}-reviewed", "kind": found.kind, "by": "review",
        "title": f"{made.title if made else found.title}, reviewed",
        "spec": {"dataset": found.name, "only_approved": only_approved}, "funnel": _funnel(found, version),
        "parents": (Parent(name=found.name, sha256=found.fingerprint, rows=len(found.rows)),),
        "notes": (*(made.notes if made else ()), f"Rows read by people: {counted}."),
    }
    if found.file is None:
        told["license"] = found.license
    return told | ({"teachers": made.teachers, "license": made.license} if made else {})


def _funnel(found: NotedSet, version: Reviewed) -> dict[str, Any]:
    """In the form of `lab.synthesis.funnel.Funnel`, which lies above this room."""
    named: dict[str, list[str]] = {}
    for row_id, why in version.dropped:
        named.setdefault(why, []).append(row_id)
    dropped = [{"stage": "read", "outcome": why, "n": len(ids), "items": ids[:MOST_NAMED]}
               for why, ids in sorted(named.items(), key=lambda item: (-len(item[1]), item[0]))]
    return {"stages": [{"name": "read", "n": len(found.rows)}, {"name": "kept", "n": len(version.rows)}],
            "dropped": dropped, "solved": [], "n_open": 0}
