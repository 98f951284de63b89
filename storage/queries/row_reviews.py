"""People's words on the rows of a dataset: approved, rejected, edited, or left open.

Everything that was said is kept; of one row the newest stands, whoever said it, and the others can be shown beside it.
A dataset is named by what its rows are (`lab.data.noted.NotedSet.key`), so that words on one version are never taken
for words on another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlmodel import Session, col, select

from lab.core.errors import Fault, LabError, SpecError, nearest
from lab.data.reviewing import EDITABLE, Review
from storage.tables import RowReview

VERDICTS = ("approved", "rejected", "edited", "open")
MAY_BE_EMPTY = ("trace", "steps", "chosen_trace", "rejected_trace", "subject")
NAME_LIMIT, NOTE_LIMIT = 40, 2000


@dataclass(frozen=True)
class RowPlace:
    """Which row of which dataset."""

    data: str  # `NotedSet.key`
    row_id: str
    kind: Literal["rows", "pairs"] = "rows"


@dataclass(frozen=True)
class Said:
    """What somebody says of it. `changes`: field → its whole new value, against the row of the file."""

    verdict: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class Reviewed:
    """The word that stands on a row, and how it came to stand."""

    review: RowReview
    n: int  # how often something was said
    by: tuple[str, ...]  # everybody who did, in the order in which they first did
    contested: bool  # the newest words of two people differ


@dataclass(frozen=True)
class ReviewCounts:
    """Rows by the word that stands on them."""

    n_approved: int = 0
    n_rejected: int = 0
    n_edited: int = 0
    n_open: int = 0
    n_contested: int = 0
    n_reviewers: int = 0


def review_row(session: Session, place: RowPlace, said: Said, by: str) -> RowReview:
    """Keep it. SpecError with every fault: a verdict, field or value that cannot be, words without a name."""
    name, note = by.strip(), said.note.strip()
    faults = [*_verdict_faults(said), *_change_faults(place.kind, said.changes)]
    if not place.data or not place.row_id:
        faults.append(Fault("row", "is of no dataset, or has no id"))
    if not 1 <= len(name) <= NAME_LIMIT:
        faults.append(Fault("by", f"a reviewer's name has 1 to {NAME_LIMIT} characters", name))
    if len(note) > NOTE_LIMIT:
        faults.append(Fault("note", f"has {len(note):,} characters; at most {NOTE_LIMIT:,} are kept"))
    if faults:
        raise SpecError(faults, "review")
    review = RowReview(data=place.data, row_id=place.row_id, verdict=said.verdict, changes=dict(said.changes),
                       note=note, by=name)
    session.add(review)
    session.flush()
    return review


def reviews_of(session: Session, data: str) -> dict[str, Reviewed]:
    """Row → what stands on it. Rows of which nothing was said are not in it."""
    by_row: dict[str, list[RowReview]] = {}
    query = select(RowReview).where(RowReview.data == data).order_by(col(RowReview.id))
    for review in session.exec(query):
        by_row.setdefault(review.row_id, []).append(review)
    return {row: _reviewed(said) for row, said in by_row.items()}


def history(session: Session, data: str, row_id: str) -> list[RowReview]:
    """All that was said of one row, oldest first."""
    query = select(RowReview).where(RowReview.data == data, RowReview.row_id == row_id)
    return list(session.exec(query.order_by(col(RowReview.id))))


def counts(session: Session, data: str) -> ReviewCounts:
    """Of a dataset's rows, each counted once."""
    found = reviews_of(session, data).values()
    standing = Counter(one.review.verdict for one in found)
    return ReviewCounts(
        **{f"n_{verdict}": standing[verdict] for verdict in VERDICTS},
        n_contested=sum(one.contested for one in found), n_reviewers=len({name for one in found for name in one.by}),
    )


def verdicts(found: Mapping[str, Reviewed]) -> dict[str, Review]:
    """As browsing and making a reviewed version read them; what was left open is as if nothing had been said."""
    return {row: Review(verdict=one.review.verdict, changes=dict(one.review.changes), reviewer=one.review.by,
                        note=one.review.note)
            for row, one in found.items() if one.review.verdict != "open"}


def _reviewed(said: list[RowReview]) -> Reviewed:
    newest = {review.by: (review.verdict, review.changes) for review in said}
    words = list(newest.values())
    return Reviewed(said[-1], len(said), tuple(newest), any(word != words[0] for word in words))


def _verdict_faults(said: Said) -> list[Fault]:
    if said.verdict not in VERDICTS:
        return [Fault("verdict", f"unknown verdict '{said.verdict}'. {nearest(said.verdict, VERDICTS)}", said.verdict)]
    if said.verdict == "edited" and not said.changes:
        return [Fault("changes", "an edited row has changes: name the fields and their new text")]
    if said.changes and said.verdict in ("rejected", "open"):
        return [Fault("changes", f"a row that is {said.verdict} has none: they would be lost", dict(said.changes))]
    return []


def _change_faults(kind: str, changes: Mapping[str, Any]) -> list[Fault]:
    if kind not in EDITABLE:
        raise LabError(f"a dataset is of {' or '.join(EDITABLE)}, not of '{kind}'", "bug")
    return [Fault(f"changes.{name}", wrong, value) for name, value in changes.items()
            if (wrong := _wrong(name, value, EDITABLE[kind]))]


def _wrong(name: str, value: Any, fields: tuple[str, ...]) -> str:
    """What is wrong with one change, or ''."""
    if name not in fields:
        return f"cannot be changed. {nearest(name, fields)}"
    if name == "options":
        whole = isinstance(value, Mapping) and len(value) > 1 and all(
            isinstance(part, str) and part.strip() for pair in value.items() for part in pair)
        return "" if whole else "should be two or more letters, each with its text"
    if not isinstance(value, str):
        return f"should be text, not {type(value).__name__}"
    return "" if value.strip() or name in MAY_BE_EMPTY else "cannot be empty"
