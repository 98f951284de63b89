"""What came of the problems: the funnel, what was solved by attempt and depth, what was dropped, what else counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from lab.synthesis.funnel import Funnel, Solved, Stage, dropped_of
from lab.synthesis.search import SOLVED
from lab.synthesis.search_state import SearchState

STAGES = ("problems", "reasoned", "solved", "naturalised", "answered")
MATCHED = "matched"  # the last stage, of an ablation


def stage_of(state: SearchState) -> str:
    """How far a problem is, or was when it ended."""
    reached = (True, state.n_reasonings > 0, bool(state.provenance), bool(state.trace), state.confirmed,
               state.outcome == SOLVED and state.direct is not None)
    return (*STAGES, MATCHED)[next((place for place, each in enumerate(reached) if not each), len(reached)) - 1]


def funnel_of(states: Sequence[SearchState], ablation: bool) -> Funnel:
    """The counts of all problems, open ones too. `solved` counts what was found, not what was shown."""
    names = [*STAGES, MATCHED] if ablation else [*STAGES]
    at = [names.index(stage_of(state)) for state in states]
    if any(state.provenance == "label_shown" for state in states):
        names[names.index("solved")] = "solved or shown"
    ended = sorted(((place, state.outcome, state.id) for place, state in zip(at, states, strict=True)
                    if state.done and state.outcome != SOLVED), key=lambda each: each[0])
    solved = Counter((state.attempt, state.depth) for state in states if state.provenance == "found")
    return Funnel(
        stages=tuple(Stage(name=name, n=sum(each >= place for each in at)) for place, name in enumerate(names)),
        dropped=dropped_of((names[place], outcome, item) for place, outcome, item in ended),
        solved=tuple(Solved(attempt=attempt, depth=depth, n=n) for (attempt, depth), n in sorted(solved.items())),
        n_open=sum(not state.done for state in states),
    )


def dropped_rows(states: Iterable[SearchState]) -> list[dict[str, str]]:
    """The lines of dropped.jsonl."""
    return [{"id": state.id, "stage": stage_of(state), "outcome": state.outcome, "why": state.why,
             "question": state.row.question} for state in states if state.done and state.outcome != SOLVED]


def counts_of(states: Sequence[SearchState]) -> dict[str, Any]:
    """What is counted beside the funnel."""
    unread = Counter[str]()
    for state in states:
        unread.update(state.n_unread)
    found = [state for state in states if state.provenance]
    return {
        "provenance": dict(Counter(state.provenance for state in found)),
        "strategies": dict(Counter(name for state in found for name in state.strategies).most_common()),
        "replies_unread": dict(unread.most_common()),
        "verdicts_unread": sum(state.n_unsure for state in states),
        "responses_rewritten": sum(state.rewritten for state in states),
        "requests": sum(state.n_asked for state in states),
    }
