"""What a person does with a row: approve, reject, edit, take it back; and a new version of the dataset from it all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lab.core.errors import LabError
from lab.core.types import Example, Pair
from lab.ui.components.html import failure
from lab.ui.components.markup import Html, join, tag
from lab.ui.ratings.permission import check_allowed
from lab.verify.verifier import verify
from storage.queries.row_reviews import RowPlace, Said, review_row, verdicts

if TYPE_CHECKING:
    from lab.data.noted import NotedRow
    from lab.ui.app_state import LabApp
    from lab.ui.data.reading import Opened, Reading

# What the four boxes of the form edit, by the kind of row.
BOXES = {
    "rows": {"question": "Question", "trace": "Thinking", "answer": "Answer", "gold": "Short answer"},
    "pairs": {"chosen_trace": "Chosen: thinking", "chosen": "Chosen", "rejected_trace": "Rejected: thinking",
              "rejected": "Rejected"},
}
DONE = {"approved": "approved", "rejected": "rejected", "edited": "edited", "open": "open again"}
MOST_NAMED = 5


def scores(row: Example) -> bool:
    """Whether an answer still gives the row's short answer, by the rule that checks it in training."""
    return verify(row.answer, row).correct


def texts_of(row: Example | Pair, changes: Mapping[str, str]) -> list[str]:
    """What the boxes hold: the row as it was edited last."""
    kind = "pairs" if isinstance(row, Pair) else "rows"
    return [str(changes.get(name, getattr(row, name)) or "") for name in BOXES[kind]]


def changes_of(row: Example | Pair, texts: Sequence[str]) -> dict[str, str]:
    """Field → its new text, of those that are not as the file has them."""
    kind = "pairs" if isinstance(row, Pair) else "rows"
    return {name: text.strip() for name, text in zip(BOXES[kind], texts, strict=True)
            if (text or "").strip() != (getattr(row, name) or "").strip()}


def said_changes(
    verdict: str, row: Example | Pair, before: Mapping[str, Any], texts: Sequence[str]
) -> dict[str, Any]:
    """The changes that go with a verdict. A row is approved as it was edited; an edit in the boxes leaves fields that
    have no box as they were edited before."""
    if verdict == "edited":
        kind = "pairs" if isinstance(row, Pair) else "rows"
        return {name: value for name, value in before.items() if name not in BOXES[kind]} | changes_of(row, texts)
    return dict(before) if verdict == "approved" else {}


def say(app: LabApp, opened: Opened, row: NotedRow, said: Said, by: str) -> Html:
    """Keep a verdict. LabError with every fault: no name, an edit that changes nothing or whose answer is wrong now."""
    from lab.data.reviewing import edited

    check_allowed(app)
    if not by.strip():
        raise LabError("Write your name first: every review is kept with it.", "spec")
    if said.verdict == "edited" and not said.changes:
        raise LabError("Nothing is changed: edit a text, or approve the row as it is.", "spec")
    if said.changes:
        edited(row.row, said.changes, scores)
    place = RowPlace(opened.data, row.id, opened.found.kind)
    with app.store.write() as session:
        review_row(session, place, said, by)
    return tag("p", f"Row {row.position} is {DONE[said.verdict]}.", cls="note", role="status")


def version_preview(reading: Reading, opened: Opened, only_approved: bool) -> Html:
    """What would change, before it is asked for."""
    from lab.data.reviewing import reviewed_version

    reviews = verdicts(reading.said(opened))
    if not reviews:
        return tag("p", "No row is approved, rejected or edited yet: a new version would be the same rows.", cls="note")
    found = reviewed_version(opened.found.rows, reviews, only_approved, scores)
    n_before, n_after = len(opened.found.rows), len(found.rows)
    counted = ", ".join(f"{n} {words.replace('_', ' ')}" for words, n in found.counts.items() if n)
    named = [tag("li", tag("code", row), f" {why}") for row, why in found.dropped[:MOST_NAMED]]
    more = len(found.dropped) - len(named)
    return join([
        tag("p", tag("b", f"{n_after} of {n_before} rows"), f" would be kept as a new dataset. {counted}." if counted
            else " would be kept as a new dataset."),
        tag("p", f"Left out: {len(found.dropped)}.") if named else None, tag("ul", *named, cls="cautions"),
        tag("p", f"and {more} more", cls="note") if more > 0 else None,
        tag("p", "This dataset stays as it is, with its reviews; the new one names it as its parent.", cls="note"),
    ])


def keep_version(app: LabApp, reading: Reading, opened: Opened, only_approved: bool) -> tuple[str, Html]:
    """(key of the new dataset, what to say); ("", why not)."""
    from lab.data.reviewing import make_version

    try:
        check_allowed(app)
        reviews = verdicts(reading.said(opened))
        if not reviews:
            raise LabError("No row is approved, rejected or edited yet.", "spec")
        path = make_version(opened.listed.name, app.store.home.path, reviews, only_approved, scores)
    except LabError as problem:
        return "", failure(problem)
    return path.stem, tag("p", "Kept as ", tag("a", path.stem, href=f"/data?data={path.stem}"), ".", cls="good-news",
                          role="status")
