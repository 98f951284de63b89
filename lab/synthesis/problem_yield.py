"""What came of the exam questions: the funnel, what was dropped and why, and what else is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from lab.synthesis.filtering import KEPT, OUTCOMES, STAGES, Phase, ProblemState
from lab.synthesis.funnel import Funnel, Stage, dropped_of

OPEN_AT: dict[Phase, str] = {"solve": "clear of benchmarks", "filter": "hard enough", "reformulate": "passed"}


def stage_of(state: ProblemState) -> str:
    """How far a question is, or was when it ended."""
    return OUTCOMES[state.outcome] if state.done else OPEN_AT[state.phase]


def funnel_of(states: Sequence[ProblemState]) -> Funnel:
    """The counts of all questions, open ones too."""
    at = [STAGES.index(stage_of(state)) for state in states]
    ended = sorted(((place, state.outcome, state.id) for place, state in zip(at, states, strict=True)
                    if state.done and state.outcome != KEPT), key=lambda each: each[0])
    return Funnel(
        stages=tuple(Stage(name=name, n=sum(each >= place for each in at)) for place, name in enumerate(STAGES)),
        dropped=dropped_of((STAGES[place], outcome, item) for place, outcome, item in ended),
        n_open=sum(not state.done for state in states),
    )


def dropped_rows(states: Iterable[ProblemState]) -> list[dict[str, str]]:
    """The lines of dropped.jsonl."""
    return [{"id": state.id, "stage": stage_of(state), "outcome": state.outcome, "why": state.why,
             "question": state.row.question} for state in states if state.done and state.outcome != KEPT]


def counts_of(states: Sequence[ProblemState]) -> dict[str, Any]:
    """What is counted beside the funnel."""
    unread = Counter[str]()
    for state in states:
        unread.update(state.n_unread)
    return {"replies_unread": dict(unread.most_common()), "requests": sum(state.n_asked for state in states)}
