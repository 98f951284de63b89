"""How a run was asked, beside its model's name and in its facts: no page shows an adapted run as if it were plain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lab.reports.asked import adapted_words, asked, asked_words, budget_words
from lab.ui.components.health import Healths, named
from lab.ui.components.markup import Html, join, tag

if TYPE_CHECKING:
    from storage.tables import BenchmarkRun

NOBODY: Healths = {}
AS_IT_IS = "as it is"


def run_name(label: object, arm: str, settings: Mapping[str, Any], healths: Healths = NOBODY) -> Html:
    """A model's chip with its flag, and after it in small letters how it was asked beyond the usual."""
    name, words = named(label, arm, healths), asked_words(settings)
    return join([name, " ", tag("small", words)]) if words else name


def asked_facts(settings: Mapping[str, Any]) -> list[tuple[str, object]]:
    """Label and value of what was asked beyond the usual, the dataset of the examples with it."""
    adapted, budget = adapted_words(settings), budget_words(settings)
    facts: list[tuple[str, object]] = []
    if adapted:
        facts += [("adapted to each question", adapted.removeprefix("adapted: ")),
                  ("examples from", asked(settings)["adapt_dataset"] or "–")]
    return facts + ([("thinking", budget.removeprefix("thinking "))] if budget else [])


def side_names(first: BenchmarkRun, second: BenchmarkRun) -> tuple[str, str]:
    """What tells two runs apart in a column's head: their arms, or of one arm how each was adapted."""
    ours, theirs = asked(first.settings)["adapt"], asked(second.settings)["adapt"]
    if first.arm != second.arm or ours == theirs:
        return first.arm, second.arm
    return tuple(AS_IT_IS if mode == "none" else mode for mode in (ours, theirs))  # type: ignore[return-value]
