"""Strategies: the four ways in which a line of reasoning goes on after its conclusion was found wrong (HuatuoGPT-o1,
arXiv 2412.18925, section 2.2), and the draw between them.

The paper's algorithm lets backtracking be drawn only while i <= 2; its code does the opposite, and what makes sense:
never at the first rethink, where there is nothing yet to go back behind. Here as in the code.
"""

from __future__ import annotations

from lab.synthesis.machine import draw

# Name → the sentence that fills $strategy of rethink.md.
STRATEGIES = {
    "backtracking": "Return to an earlier step of the reasoning, from before it went wrong, and start anew from there.",
    "new path": "Take an approach that has not been used yet, different from the steps so far.",
    "verification": "Validate each claim of the reasoning in turn, thoroughly, before you conclude anew.",
    "correction": "Find the specific flaw in the reasoning and repair it precisely.",
}
NOT_FIRST = "backtracking"


def strategy(seed: int, item: str, attempt: int, depth: int) -> str:
    """The strategy of the rethink at this place; depth 1 is the first rethink of an attempt."""
    names = [name for name in STRATEGIES if depth > 1 or name != NOT_FIRST]
    return draw(seed, item, "strategy", attempt, depth).choice(names)
