"""The complex half: long answers, the best of them, a direct answer, and whether the two make a pair.

FineMedLM-o1 (arXiv 2501.09213): of two long answers a reward model took the better one; pairs prefer it to a direct
answer. Here a judge compares, in both orders. The best is found by holding each sample against the best so far. A pair
is kept when the long answer wins both orders, or wins one and ties the other; what the judge contradicts itself about,
or sees the other way round, is no pair, and its row stays. Pure: each function looks at a state and says what is next.
"""

from __future__ import annotations

from lab.synthesis.answers import alike
from lab.synthesis.judging import Compared
from lab.synthesis.specs import InstructionsSpec
from lab.synthesis.text_state import DIRECT, KEPT, LongAnswer, TextState

# Why a row has no pair, by the judge's verdict on the long answer.
NO_PAIR = {"loses": "judge prefers the direct answer", "ties": "judge sees no difference",
           "inconsistent": "judge inconsistent", "unread": "judge unread"}
SAME_ANSWER, SAME_SAMPLE = "the same answer", "the same again"


def sampling(spec: InstructionsSpec, state: TextState) -> TextState:
    """Ask for the next long answer, or for a comparison of two, until the best is known."""
    if state.style != "complex" or state.best is not None:
        return state
    if len(state.long) < spec.samples:
        return state.asking("long", len(state.long))
    if not state.sampled:
        last = state.long[-1].fault
        return state.ended(f"long {last}", f"none of {len(state.long)} long answers could be kept")
    if state.compared and state.compared[-1].verdict is None:
        return _comparing(state)
    best, left = standing(state)
    if left:
        return _comparing(state.but(compared=(*state.compared, Compared(a=best, b=left[0]))))
    return state.but(best=best)


def pairing(spec: InstructionsSpec, state: TextState) -> TextState:
    """Once the best is known: what it is preferred to, and whether it is."""
    if state.best is None or state.pair:
        return state
    loser = _loser(state) if spec.rejected == "wrong" else None
    if loser is not None:
        return state.but(rejected=loser, pair=KEPT)
    if state.direct is None:
        return state.asking("direct")
    if alike(state.said, state.direct):
        return state.but(pair=SAME_ANSWER)
    if not spec.judge:
        return state.but(rejected=DIRECT, pair=KEPT)
    last = state.compared[-1] if state.compared else None
    if last is None or last.b != DIRECT:
        return _comparing(state.but(compared=(*state.compared, Compared(a=state.best, b=DIRECT))))
    if last.verdict is None:
        return _comparing(state)
    return state.but(rejected=DIRECT, pair=KEPT) if last.verdict == "wins" else state.but(pair=NO_PAIR[last.verdict])


def with_sample(state: TextState, answer: LongAnswer) -> TextState:
    """With one more long answer; one that says what an earlier one says is none."""
    again = any(alike(answer.trace, state.long[place].trace) and alike(answer.answer, state.long[place].answer)
                for place in state.sampled)
    return state.but(long=(*state.long, LongAnswer(fault=SAME_SAMPLE) if again else answer))


def standing(state: TextState) -> tuple[int, list[int]]:
    """The best long answer so far, and those that were not held against it yet."""
    best, *left = state.sampled
    for each in state.compared:
        left.remove(each.b)
        if each.verdict == "loses":
            best = each.b
    return best, left


def between(state: TextState) -> Compared | None:
    """The comparison that decided on the pair; None where nobody compared."""
    sides = {state.best, state.rejected if state.rejected is not None else DIRECT}
    return next((each for each in reversed(state.compared) if {each.a, each.b} == sides), None)


def _comparing(state: TextState) -> TextState:
    """Ask for the next order of the last comparison."""
    last = state.compared[-1]
    return state.asking("compare", 2 * (len(state.compared) - 1) + (not last.a_first))


def _loser(state: TextState) -> int | None:
    """A long answer that the best one was preferred to; one that lost both orders before one that tied in one."""
    found = []
    for each in state.compared:
        winner = {"wins": each.a, "loses": each.b}.get(each.verdict or "")
        if winner is not None and winner == state.best:
            found.append(("tie" in (each.forward, each.backward), each.a + each.b - winner))
    return min(found)[1] if found else None
