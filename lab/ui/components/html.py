"""The small words of the page language: chips, badges, numbers with their interval, empty and error states."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from lab.core.errors import Fault, LabError, SpecError
from lab.ui.arms import ARMS, arm_of
from lab.ui.components.markup import Html, escape, join, tag
from lab.ui.components.table import Column, Row, table

__all__ = [
    "Column", "Html", "Row", "ago", "card", "chip", "duration", "empty", "error", "escape", "fact_list",
    "failure", "fault_list", "heading", "interval_bar", "join", "link", "log_tail", "measured", "note", "number",
    "percent", "progress_bar", "state_badge", "table", "tag",
]

STATE_SIGNS = {
    "queued": "○", "starting": "◔", "running": "◔", "succeeded": "✓", "failed": "✕", "cancelled": "–",
    "lost": "↺", "open": "○", "closed": "✓",
}


def chip(label: object, arm: str = "base") -> Html:
    """A model's name with its arm's colour and marker."""
    arm = arm_of(arm)
    title = f"arm {arm}: {ARMS[arm].means}"
    return tag("span", tag("i", cls="marker", aria_hidden="true"), label, cls=f"chip arm-{arm}", title=title)


def state_badge(state: str, text: str = "") -> Html:
    """A job's or study's state; the sign says it without colour."""
    sign = tag("i", STATE_SIGNS.get(state, "○"), aria_hidden="true")
    return tag("span", sign, " ", text or state, cls=f"badge state-{state if state in STATE_SIGNS else 'queued'}")


def number(value: float | int | None, digits: int = 1, unit: str = "") -> Html:
    """A figure with thousands separated; a missing one is a dash, never a 0."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return tag("span", "–", cls="missing", title="not measured")
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.{digits}f}"
    return tag("span", text.replace(",", "\u202f"), f"\u202f{unit}" if unit else "", cls="figure")


def percent(share: float | None, digits: int = 1) -> Html:
    """A share of 1 as per cent."""
    return number(None if share is None else 100 * share, digits, "%")


def interval_bar(
    low: float, estimate: float, high: float, arm: str = "base", span: tuple[float, float] = (0, 1)
) -> Html:
    """A tiny interval: line from low to high with a mark at the estimate, on the axis `span`."""
    def place(value: float) -> str:
        return f"{100 * min(1, max(0, (value - span[0]) / ((span[1] - span[0]) or 1))):.2f}%"
    label = f"{estimate:.3f}, interval {low:.3f} to {high:.3f}"
    zero = tag("i", cls="zero", style=f"left:{place(0)}") if span[0] < 0 < span[1] else None
    width = f"calc({place(high)} - {place(low)})"
    return tag(
        "span", zero, tag("i", cls="reach", style=f"left:{place(low)};width:{width}"),
        tag("i", cls="point", style=f"left:{place(estimate)}"),
        cls=f"interval arm-{arm_of(arm)}", role="img", aria_label=label, title=label,
    )


def measured(estimate: float, low: float, high: float, n: int, arm: str = "base") -> Html:
    """An accuracy as it may be shown: per cent, interval, n and a tiny bar. Shares are of 1."""
    reach = f"{100 * low:.1f} to {100 * high:.1f}"
    return tag(
        "span", tag("b", percent(estimate)), " ", interval_bar(low, estimate, high, arm),
        " ", tag("small", f"{reach} · n {n}"), cls="measured",
    )


def progress_bar(done: float, total: float, text: str = "", eta_s: float | None = None) -> Html:
    """A bar with what is being done and the time left. An unknown total is a bar without a level."""
    share = min(1.0, done / total) if total > 0 else None
    words = [f"{100 * share:.0f}%" if share is not None else "", text]
    words.append(f"about {duration(eta_s)} left" if eta_s is not None and (share or 0) < 1 else "")
    label = " · ".join(word for word in words if word) or "waiting for the first sign"
    style = f"width:{100 * share:.1f}%" if share is not None else None
    value = f"{100 * share:.0f}" if share is not None else None
    bar = tag("span", tag("i", style=style), cls="bar" if share is not None else "bar unknown", role="progressbar",
              aria_valuenow=value, aria_valuemin=0, aria_valuemax=100, aria_label=label)
    return tag("span", bar, tag("small", label), cls="progress")


def duration(seconds: float | None) -> str:
    """'8 s', '2 min 5 s', '3 h 20 min'."""
    if seconds is None:
        return "–"
    seconds = max(0, round(seconds))
    if seconds < 60:
        return f"{seconds} s"
    minutes, rest = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes < 10 and rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def ago(moment: datetime | None) -> Html:
    """How long ago a stored time was, with the full time in the title."""
    if moment is None:
        return number(None)
    past = (datetime.now(UTC) - moment).total_seconds()
    text = "just now" if past < 5 else f"{duration(past if past < 60 else 60 * (past // 60))} ago"
    stamp = f"{moment:%Y-%m-%d %H:%M:%S} UTC"
    return tag("time", text, datetime=moment.isoformat(timespec="seconds"), title=stamp)


def link(href: str, text: object, primary: bool = False) -> Html:
    return tag("a", text, href=href, cls="button-link primary" if primary else None)


def heading(title: str, lead: object = "", actions: object = "") -> Html:
    """The top of a page: its name, one sentence, and at most one action at the same place everywhere."""
    words = tag("div", tag("h1", title), tag("p", lead) if lead else None)
    return tag("div", words, tag("div", actions, cls="actions") if actions else None, cls="page-heading")


def card(title: object, body: object, foot: object = "") -> Html:
    return tag(
        "section", tag("h2", title) if title else None, tag("div", body, cls="card-body"),
        tag("div", foot, cls="card-foot") if foot else None, cls="lab-card",
    )


def fact_list(pairs: Iterable[tuple[str, object]]) -> Html:
    """Label and value, two columns."""
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs), cls="facts")


def empty(title: str, text: str, href: str = "", action: str = "") -> Html:
    """What would be here, and the action that fills it."""
    button = tag("a", action, href=href, cls="button-link") if href else None
    return tag("div", tag("b", title), tag("p", text), button, cls="empty")


def error(title: str, text: object = "", advice: object = "") -> Html:
    """Something went wrong: what, and what to do."""
    return tag(
        "div", tag("b", title), tag("p", text, cls="pre") if text else None, tag("p", advice) if advice else None,
        cls="lab-error", role="alert",
    )


def failure(problem: Exception) -> Html:
    """An error as the page shows it: a lab error as it is, anything else as one plain sentence."""
    if isinstance(problem, SpecError):
        return fault_list(problem.faults)
    if isinstance(problem, LabError):
        return error("That did not work", str(problem))
    return error("Something went wrong inside the lab", f"{type(problem).__name__}: {problem}",
                 "The full story is in the terminal that runs the lab.")


def fault_list(faults: Sequence[Fault]) -> Html:
    """All faults of a spec together, each with its field."""
    title = f"{len(faults)} thing{'' if len(faults) == 1 else 's'} to correct"
    rows = (tag("li", tag("code", fault.field), " ", fault.message) for fault in faults)
    return tag("div", tag("b", title), tag("ul", *rows), cls="lab-error", role="alert")


def note(text: object) -> Html:
    return tag("p", text, cls="note")


def log_tail(lines: str, label: str = "log") -> Html:
    """The end of a log, monospaced, in its own scrolling box."""
    return tag("pre", lines or "Nothing was written yet.", cls="log", tabindex=0, role="log", aria_label=label)
