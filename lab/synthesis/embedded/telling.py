"""Telling: a reasoning as natural thinking in the demo's own notation, and answers from notes, in steps, or at once."""

from __future__ import annotations

import random
import re

from lab.data.demo.problem import Problem
from lab.synthesis.embedded.reasoning import Action, first_thought, read_actions
from lab.synthesis.embedded.settings import Settings
from lab.synthesis.embedded.working import Line, last_value, result, said, steps_of, worked

CONCLUDED = "The result is {}"


def naturalised(problem: Problem, steps: str) -> str:
    """One thought a line: 34-19=16 · The result is 16 · 34-19=16? · 34-19=15 · The result is 15 · 34-19=15. No word
    of it is new to the demo bases, whose pre-training has taught them few. '' where nothing can be read."""
    actions = read_actions(steps)
    if not actions:
        actions = [{"think": "", "text": steps}]
    return natural(problem, actions)


def natural(problem: Problem, actions: list[Action]) -> str:
    """What is doubted ends with a question mark, what was looked at again and holds with a full stop."""
    lines: list[str] = []
    for action in actions:
        if "think" in action:
            lines += _working(problem, action.get("text", ""))
        elif "conclude" in action:
            value = last_value(problem, lines)
            lines += [CONCLUDED.format(result(problem, value))] if value is not None else []
        elif check := action.get("check", "").strip():
            line, _, verdict = check.replace(", yes", " yes").rpartition(" ")
            if verdict == "yes":
                lines.append(f"{line}.")
            elif check.endswith(" is wrong"):
                lines.append(f"{check.removesuffix(' is wrong')}?")
            elif lines:  # wrong, and nobody has seen where
                lines[-1] = f"{lines[-1]}?"
    return "\n".join(lines)


def _working(problem: Problem, text: str) -> list[str]:
    """The lines of a thought. Before a working line a list's number or a title may stand, of whoever wrote it down."""
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        tails = [line[at:] for at in (0, *(place.end() for place in re.finditer(r"[:.)\]*-]\s+", line)))]
        known = (tail for tail in tails if any(step.value(tail) is not None for step in steps_of(problem)))
        found.append(next(known, line))
    return found


def responded(problem: Problem, notes: str) -> str:
    """The answer that the notes come to, right or wrong; '' where they come to none."""
    value = last_value(problem, notes.splitlines())
    return "" if value is None else said(problem, value)


def simply(problem: Problem, rng: random.Random, settings: Settings) -> tuple[str, str]:
    """(thinking, answer), straight on, with the mistakes of a working that nobody looks at again."""
    lines = worked(problem, rng, settings.mistakes)
    return "\n".join(line.text for line in lines), said(problem, lines[-1].value)


def at_once(problem: Problem, rng: random.Random, settings: Settings) -> str:
    """The answer without a working: each line goes wrong far more often where nothing is written down."""
    return said(problem, worked(problem, rng, min(1.0, settings.mistakes * settings.hasty))[-1].value)


def explained(problem: Problem, rng: random.Random, settings: Settings) -> str:
    """A usual answer: its working in a sentence, then the answer."""
    lines = worked(problem, rng, settings.mistakes)
    return f"{_listed(lines)}. {said(problem, lines[-1].value)}"


def long_answer(problem: Problem, rng: random.Random, settings: Settings) -> str:
    """Long thinking in two sections: a reasoning, then the same problem once more from the start to compare."""
    actions = first_thought(problem, rng, settings)
    again = worked(problem, rng, settings.mistakes)
    value = last_value(problem, [action["text"] for action in actions if "think" in action])
    # The same again from the start, as whoever is not sure yet.
    doubted = CONCLUDED.format(result(problem, value))
    thought = [natural(problem, actions), f"{doubted}?", *(line.text for line in again)]
    if again[-1].value != value:
        third = worked(problem, rng, settings.mistakes)
        doubted = CONCLUDED.format(result(problem, again[-1].value))
        thought += [f"{doubted}?", *(line.text for line in third)]
        value = third[-1].value
    return f"### Thought\n\n{chr(10).join(thought)}\n\n### Summarization\n\n{said(problem, value)}"


def _listed(lines: tuple[Line, ...]) -> str:
    return ", then ".join(line.text for line in lines)
