"""In words: which questions a round leaves out and why, and what may tell a rater which model wrote a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lab.ui.components.html import number
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.table import Column, table

RISK = [Column("Two models", wide=True), Column("Told apart", number=True, hint="by style alone; 50 % is guessing"),
        Column("95 % interval"), Column("Pairs", number=True)]
LIMIT = 0.75


def excluded_words(excluded: Mapping[str, int], by_model: Mapping[str, Mapping[str, int]]) -> Html:
    """What is left out and why; how often each model failed is a result of its own."""
    if not excluded:
        return tag("p", "No question has to be left out.", cls="note")
    reasons = ", ".join(f"{count} {reason}" for reason, count in excluded.items())
    models = [tag("li", f"{model}: ", ", ".join(f"{count} {reason}" for reason, count in counts.items()))
              for model, counts in by_model.items() if counts]
    listed = join([tag("p", "Answers that cannot be rated, by model:", cls="note"),
                   tag("ul", *models, cls="cautions")]) \
        if models else None
    return tag("div", tag("p", f"Left out: {reasons}.", cls="note"), listed)


def warning_words(warnings: Sequence[str]) -> Html:
    """What may give a model away to a rater."""
    if not warnings:
        return tag("p", "The scan for leaks found nothing that tells the models apart.", cls="note")
    title = f"Scan for leaks: {len(warnings)} thing{'' if len(warnings) == 1 else 's'} may unblind raters"
    return tag("div", tag("b", title), tag("ul", *(tag("li", text) for text in warnings)), cls="caution")


def risk_words(risks: Mapping[str, Any]) -> Html:
    """How well style alone tells two models apart, as kept with a round or as a preview has it."""
    if not risks:
        return tag("p", "Whether style alone tells the models apart was not worked out: that needs 20 questions.",
                   cls="note")
    rows = [_risk(pair, risk if isinstance(risk, Mapping) else risk.as_dict()) for pair, risk in risks.items()]
    return table(RISK, rows, caption="Blindness risk")


def _risk(pair: str, risk: Mapping[str, Any]) -> list[object]:
    auc, low, high = (risk.get(name) for name in ("auc", "low", "high"))
    if auc is None:
        return [_pair(pair, risk), number(None), "", number(risk.get("n"))]
    told = tag("b", f"⚠ {100 * auc:.0f}\u202f%") if auc > LIMIT else f"{100 * auc:.0f}\u202f%"
    reach = f"{100 * low:.0f} to {100 * high:.0f}" if None not in (low, high) else ""
    return [_pair(pair, risk), told, reach, number(risk.get("n"))]


def _pair(pair: str, risk: Mapping[str, Any]) -> Html:
    return tag("span", pair, tag("small", risk.get("why") or ""))
