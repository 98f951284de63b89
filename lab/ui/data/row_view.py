"""One row whole: the question, thinking beside the answer (of a pair: chosen beside rejected), notes, reviews."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lab.core.types import Example, Pair
from lab.ui.components.folds import fold
from lab.ui.components.html import ago, fact_list
from lab.ui.components.markup import Html, join, tag
from lab.ui.data.look import PROVENANCE_WORDS
from lab.ui.data.rows_view import review_sign

if TYPE_CHECKING:
    from lab.data.noted import NotedRow
    from storage.queries.row_reviews import Reviewed
    from storage.tables import RowReview

LONG = 2400  # characters of thinking that stand open; longer thinking is folded
FIELD_WORDS = {
    "question": "question", "options": "options", "trace": "thinking", "steps": "condensed thinking",
    "answer": "answer", "gold": "short answer", "chosen": "chosen answer", "rejected": "rejected answer",
    "chosen_trace": "chosen thinking", "rejected_trace": "rejected thinking", "subject": "subject",
}
NOTE_WORDS = {
    "provenance": "provenance", "attempt": "attempt", "depth": "rethinks", "strategies": "strategies",
    "quality": "quality", "complexity": "complexity", "relevance": "relevance", "department": "department",
    "subdepartment": "within it", "style": "style", "n_asked": "requests", "teacher": "teacher",
}
OF = {"quality": 10, "complexity": 10, "relevance": 6}


def row_html(row: NotedRow, said: Reviewed | None, trail: Sequence[RowReview] = (), n_all: int = 0) -> Html:
    """As it would be kept: what a reviewer changed stands in it, and what was there before is in a fold."""
    changes = dict(said.review.changes or {}) if said and said.review.verdict in ("edited", "approved") else {}
    shown = row.row.model_copy(update=_readable(changes))
    title = tag("h2", f"Row {row.position}" + (f" of {n_all}" if n_all else ""), tag("small", row.id),
                review_sign(said))
    body = _pair(shown, row.id) if isinstance(shown, Pair) else _example(shown, row.id)
    return tag("section", title, _question(shown), body, _notes(row), _changed(row, changes), _trail(row.id, trail),
               cls="lab-card data-row")


def _readable(changes: Mapping[str, Any]) -> dict[str, Any]:
    """"" stands for a thought that was taken away."""
    return {name: (value or None) if name.endswith("trace") or name == "steps" else value
            for name, value in changes.items()}


def _question(row: Example | Pair) -> Html:
    options = [tag("li", tag("b", letter), " ", text, dir="auto") for letter, text in (row.options or {}).items()]
    return tag("div", tag("div", row.question, cls="model-text", dir="auto"),
               tag("ul", *options, cls="data-options") if options else None, cls="sample-question")


def _example(row: Example, name: str) -> Html:
    gold = tag("p", "short answer ", tag("b", row.gold, dir="auto"), tag("small", f" checked by rule “{row.verifier}”"),
               cls="data-gold")
    answer = tag("div", tag("h3", "Answer", _length(row.answer)), _text(row.answer), gold, cls="data-side")
    if not row.trace and not row.steps:
        return answer
    left = tag("div", tag("h3", "Thinking", _length(row.trace or row.steps or "")),
               _thinking(row.trace or row.steps or "", f"trace-{name}"),
               fold(f"steps-{name}", "Condensed", _text(row.steps)) if row.steps and row.trace else None,
               cls="data-side")
    return tag("div", left, answer, cls="data-sides")


def _pair(row: Pair, name: str) -> Html:
    sides = []
    for which in ("chosen", "rejected"):
        trace, text = getattr(row, f"{which}_trace"), getattr(row, which)
        sign = "✓" if which == "chosen" else "✕"
        head = tag("h3", tag("span", sign, cls=f"verdict {'right' if which == 'chosen' else 'wrong'}",
                             aria_hidden="true"), f" {which.capitalize()}", _length(text))
        sides.append(tag("div", head, tag("div", tag("h4", "Thinking", _length(trace)),
                                          _thinking(trace, f"{which}-{name}")) if trace else None,
                         _text(text), cls="data-side"))
    return tag("div", *sides, cls="data-sides")


def _length(text: str) -> Html:
    n = len(text.split())
    return tag("small", f" {n} word{'' if n == 1 else 's'}")


def _text(text: str | None) -> Html:
    return tag("div", text or "", cls="model-text", dir="auto")


def _thinking(text: str, name: str) -> Html:
    """Long thinking is folded; its beginning tells whether it is worth opening."""
    body = tag("div", text, cls="model-text data-thought", dir="auto")
    if len(text) <= LONG:
        return body
    begin = tag("div", f"{text[:280].rstrip()}…", cls="model-text data-begin", dir="auto")
    return tag("div", begin, fold(f"long-{name}", f"All {len(text.split())} words", body, cls="data-long"))


def _notes(row: NotedRow) -> Html | None:
    facts: list[tuple[str, object]] = []
    for name, words in NOTE_WORDS.items():
        value = row.notes.get(name)
        if value not in (None, "", [], ()):
            facts.append((words, _said(name, value)))
    facts += [(name, _plain(value)) for name, value in row.notes.items() if name not in NOTE_WORDS]
    for name in ("subject", "source"):
        if value := getattr(row.row, name, ""):
            facts.append((name, value))
    return fact_list(facts) if facts else None


def _said(name: str, value: Any) -> object:
    if name == "provenance":
        words = PROVENANCE_WORDS.get(str(value), str(value))
        return tag("span", f"⚠ {words}", cls="label-shown") if value == "label_shown" else words
    if name in OF:
        return f"{value} of {OF[name]}"
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_plain(item).replace("_", " ") for item in value) or "–"
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_plain(item)}" for name, item in value.items())
    return str(value)


def _changed(row: NotedRow, changes: Mapping[str, Any]) -> Html | None:
    if not changes:
        return None
    before = [join([tag("h4", FIELD_WORDS.get(name, name)), _text(_plain(getattr(row.row, name, "") or "–"))])
              for name in changes]
    named = ", ".join(FIELD_WORDS.get(name, name) for name in changes)
    return fold(f"before-{row.id}", f"Edited: {named}. As it was before", tag("div", *before))


def _trail(name: str, trail: Sequence[RowReview]) -> Html | None:
    if not trail:
        return None
    lines = [tag("li", tag("b", one.verdict), " by ", one.by, " ", ago(one.at),
                 tag("span", f" “{one.note}”", dir="auto") if one.note else None) for one in reversed(trail)]
    n = len(trail)
    return fold(f"trail-{name}", f"{n} review{'' if n == 1 else 's'}", tag("ul", *lines, cls="data-trail"))
