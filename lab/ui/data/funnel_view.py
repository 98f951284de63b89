"""The yield funnel: what came in, how far it got, at which attempt and depth it was solved, what was dropped, why."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lab.synthesis.funnel import Dropped, Funnel, Solved
from lab.ui.components.folds import fold
from lab.ui.components.html import card, duration, empty, fact_list, number, percent
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.table import Column, table

DROPPED_FILE = "dropped.jsonl"
MOST_SHOWN = 20  # dropped rows shown with each reason
MOST_READ = 200_000  # lines of the file that are looked at
LONGEST_QUESTION = 400
NOTHING = empty("No funnel", "Datasets that this lab has made with a teacher show here what came in, what was kept, "
                             "and why the rest was dropped.", "/data?view=make", "Make data")
Questions = Mapping[tuple[str, str], Sequence[tuple[str, str, str]]]  # (stage, outcome) → (id, question, why)


def read_funnel(value: Any) -> Funnel | None:
    """A funnel as a job announced it or a file keeps it; None for anything else."""
    try:
        return Funnel.model_validate(value) if value else None
    except ValidationError:
        return None


def funnel_html(funnel: Funnel, name: str, dropped: Questions | None = None, spent: Any = None) -> Html:
    """The whole of it. `name` keeps its folds apart from others' on the page."""
    parts = [card("How far they got", _stages(funnel))]
    if funnel.solved:
        parts.append(card("Solved at attempt and depth", solved_html(funnel.solved)))
    if spent:
        parts.append(card("What it took", spent_html(spent)))
    body = tag("div", *parts, cls="lab-cards funnel-cards")
    return join([body, card("Dropped, and why", _dropped(funnel.dropped, name, dropped or {}))
                 if funnel.dropped else None])


def _stages(funnel: Funnel) -> Html:
    first = max(1, funnel.stages[0].n) if funnel.stages else 1
    lines = [_line(stage.name, stage.n, first) for stage in funnel.stages]
    still = _line("still open", funnel.n_open, first, "open") if funnel.n_open else None
    lost = sum(each.n for each in funnel.dropped)
    away = _line("dropped", lost, first, "away") if lost else None
    return tag("div", *lines, away, still, cls="funnel", role="group", aria_label="yield funnel")


def _line(name: str, n: int, first: int, cls: str | None = None) -> Html:
    share = n / first
    return tag("div", tag("span", name, cls="name"), tag("span", tag("i", style=f"width:{100 * min(1, share):.1f}%"),
                                                         cls="track"),
               tag("span", tag("b", number(n)), tag("small", percent(share, 0)), cls="count"),
               cls=" ".join(filter(None, ("line", cls))))


def solved_html(solved: Sequence[Solved]) -> Html:
    """Attempts down, depths across; what was shown the answer is no solution and is not in here."""
    attempts, depths = (sorted({getattr(one, name) for one in solved}) for name in ("attempt", "depth"))
    counts: dict[tuple[int, int], int] = {}
    for one in solved:
        counts[one.attempt, one.depth] = counts.get((one.attempt, one.depth), 0) + one.n
    columns = [Column("Attempt"), *(Column(_depth(depth), number=True) for depth in depths),
               Column("In all", number=True)]
    rows = [[attempt, *(number(counts[attempt, depth]) if (attempt, depth) in counts else "–" for depth in depths),
             tag("b", number(sum(counts.get((attempt, depth), 0) for depth in depths)))] for attempt in attempts]
    total = ["all", *(number(sum(counts.get((attempt, depth), 0) for attempt in attempts)) for depth in depths),
             tag("b", number(sum(counts.values())))]
    return table(columns, [*rows, total] if len(rows) > 1 else rows, "Solved at attempt and depth")


def _depth(depth: int) -> str:
    return {0: "at once", 1: "1 rethink"}.get(depth, f"{depth} rethinks")


def spent_html(spent: Mapping[str, Any]) -> Html:
    """Requests, tokens and money. A local teacher costs no money, and then none is shown."""
    def whole(name: str) -> int:
        return int(spent.get(name) or 0)

    asked, cached = whole("n_requests"), whole("n_cached")
    facts: list[tuple[str, object]] = [
        ("requests", number(asked)),
        ("from the cache", join([number(cached), tag("small", " not paid again")])),
        ("prompt tokens", number(whole("n_prompt_tokens"))), ("reply tokens", number(whole("n_completion_tokens"))),
    ]
    if spent.get("usd"):
        facts.append(("cost", join([number(float(spent["usd"]), 2), "\u202fUSD"])))
    if spent.get("seconds"):
        facts.append(("time", duration(float(spent["seconds"]))))
    by_role = spent.get("by_role")
    for role, part in (by_role.items() if isinstance(by_role, Mapping) else ()):
        if isinstance(part, Mapping):
            n = sum(int(part.get(name) or 0) for name in ("n_prompt_tokens", "n_completion_tokens"))
            facts.append((f"of the {role}", join([number(n), " tokens"])))
    return fact_list(facts)


def _dropped(dropped: Sequence[Dropped], name: str, questions: Questions) -> Html:
    total = sum(each.n for each in dropped) or 1
    folds = []
    for each in dropped:
        title = join([tag("b", each.n), " ", each.outcome.replace("_", " "),
                      tag("small", f" {100 * each.n / total:.0f}\u202f% of the dropped, after “{each.stage}”")])
        folds.append(fold(f"{name}-dropped-{each.stage}-{each.outcome}", title, _rows(each, questions)))
    return tag("div", *folds, cls="dropped")


def _rows(each: Dropped, questions: Questions) -> Html:
    found = questions.get((each.stage, each.outcome), ())
    if not found:
        return tag("p", "The first of them: ", ", ".join(each.items) or "not named", ".", cls="note")
    rows = [[tag("code", row), tag("span", _cut(question), dir="auto"), tag("span", why, dir="auto")]
            for row, question, why in found]
    more = each.n - len(found)
    return join([table([Column("Row"), Column("Question", wide=True), Column("Why", wide=True)], rows, "Dropped rows"),
                 tag("p", f"{more} more are in {DROPPED_FILE} of its job.", cls="note") if more > 0 else None])


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_QUESTION else f"{text[:LONGEST_QUESTION]}…"


def read_dropped(path: Path) -> Questions:
    """The first rows of each reason; a line that cannot be read is passed over: the counts are the funnel's."""
    found: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            for _, line in zip(range(MOST_READ), file, strict=False):
                _take(found, line)
    except OSError:
        return {}
    return found


def _take(found: dict[tuple[str, str], list[tuple[str, str, str]]], line: str) -> None:
    try:
        row = json.loads(line)
        place = found.setdefault((str(row.get("stage", "")), str(row.get("outcome", ""))), [])
    except (ValueError, AttributeError):
        return
    if len(place) < MOST_SHOWN:
        place.append((str(row.get("id", "")), str(row.get("question") or ""), str(row.get("why") or "")))
