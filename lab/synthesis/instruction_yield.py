"""What came of the texts: the funnel, the list of what was dropped, and everything else that is counted.

Up to `answered` what a stage loses was dropped or is still open. `complex` counts those of the answered of which pairs
are made; what it loses to `paired` stands in `dropped` under the stage complex, and its rows are kept all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lab.synthesis.funnel import Dropped, Funnel, Stage, dropped_of
from lab.synthesis.judging import judge_counts
from lab.synthesis.text_state import DIRECT, KEPT, TextState

STAGES = ("texts", "questions", "graded", "selected", "answered", "complex", "paired")


def stage_of(state: TextState) -> str:
    """How far a text is, or was when it ended."""
    reached = (True, bool(state.questions), any(each.grade for each in state.questions), state.selected is not None,
               bool(state.answer or state.sampled), state.style == "complex", state.pair == KEPT)
    return STAGES[next((place for place, each in enumerate(reached) if not each), len(reached)) - 1]


def funnel_of(states: Sequence[TextState]) -> Funnel:
    """The counts of all texts, open ones too."""
    at = [STAGES.index(stage_of(state)) for state in states]
    return Funnel(
        stages=tuple(Stage(name=name, n=sum(reached >= place for reached in at)) for place, name in enumerate(STAGES)),
        dropped=_dropped(states), n_open=sum(not state.done for state in states),
    )


def dropped_rows(states: Iterable[TextState]) -> list[dict[str, str]]:
    """The lines of dropped.jsonl: every text without a row, and every row of which no pair could be made."""
    return [{"id": state.id, "stage": stage, "outcome": outcome, "why": why, "question": state.question}
            for state, stage, outcome, why in _lost(states)]


def counts_of(states: Sequence[TextState]) -> dict[str, Any]:
    """What is counted beside the funnel: replies that could not be read, questions, samples, departments, the judge."""
    every = [each for state in states for each in state.compared]
    compared = {"samples": [each for each in every if each.b != DIRECT],
                "pairs": [each for each in every if each.b == DIRECT]}
    return {
        "texts_cut": sum(state.cut for state in states),
        "replies_unread": _sorted(each for state in states for each in state.unread),
        "questions_discarded": _sorted(each.fault for state in states for each in state.questions if each.fault),
        "long_answers_lost": _sorted(each.fault for state in states for each in state.long if each.fault),
        "departments_unread": sum("" in (state.department, state.subdepartment) for state in states),
        "judge": {name: judge_counts(each) for name, each in compared.items() if each},
    }


def _dropped(states: Sequence[TextState]) -> tuple[Dropped, ...]:
    lost = sorted(((STAGES.index(stage), outcome, state.id) for state, stage, outcome, _ in _lost(states)),
                  key=lambda each: each[0])
    return dropped_of((STAGES[place], outcome, item) for place, outcome, item in lost)


def _lost(states: Iterable[TextState]) -> Iterator[tuple[TextState, str, str, str]]:
    """(state, stage, outcome, why) of each ended text that left no row, or no pair."""
    for state in states:
        if not state.done:
            continue
        stage = stage_of(state)
        if STAGES.index(stage) < STAGES.index("answered"):
            yield state, stage, state.outcome, state.why
        elif stage == "complex":
            yield state, stage, state.pair, "the row is kept; there is no pair of it"


def _sorted(found: Iterable[str]) -> dict[str, int]:
    """Most frequent first."""
    return dict(Counter(found).most_common())
