"""Transforms: what is done to examples before a target is written from them. Pure, seeded by row, order kept.

steps     The trace condensed by rule: of its units (lines, or sentences of a trace without lines) at most half and at
          most MOST_STEPS, those that share most words with question and answer, in their order. It is an extract, not
          what a model would write: med-s1 (results.json, 'extracted steps') lets a language model extract them. A
          dataset that brings its own `steps` keeps them.
shuffled  The trace's units in another order: what its order teaches is gone, its words stay (med-s1, 'steps shuffled').
wrong     The answer of another row of the same kind, or another option: the form is taught without the content (med-s1,
          'answers 100 % wrong').
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from math import ceil

from lab.core.errors import LabError
from lab.core.types import Example, Target

MOST_STEPS = 12
KEPT_SHARE = 0.5
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9(])")
WORD = re.compile(r"[a-z]{4,}|\d+(?:\.\d+)?")
# Words that carry a tone and no content; a unit of nothing else is never a step.
TALK = frozenset("alright also actually again another because before check could from have hmmm into just know "
                 "maybe okay should that then there these they thing think this though wait well what when where which "
                 "will with would yeah".split())


def as_taught(examples: Sequence[Example], target: Target, seed: int = 0) -> list[Example]:
    """The examples as `target_text` needs them. Raises LabError naming the first row that cannot be transformed."""
    changed: dict[str, Callable[[], list[Example]]] = {
        "steps": lambda: [_with_steps(example) for example in examples],
        "shuffled": lambda: [_shuffled(example, seed) for example in examples],
        "wrong": lambda: _wrong(examples, seed),
    }
    return changed[target]() if target in changed else list(examples)


def units(trace: str) -> list[str]:
    """Lines of a trace; its sentences if it is a single line."""
    lines = [line.strip() for line in trace.splitlines() if line.strip()]
    return lines if len(lines) > 1 else [each.strip() for each in SENTENCE_END.split(trace.strip()) if each.strip()]


def condense(example: Example) -> str:
    """The extract of one trace, one step a line. Raises LabError when there is no trace."""
    found = list(dict.fromkeys(units(_trace(example, "steps"))))
    said = _words(f"{example.question} {example.answer} {' '.join((example.options or {}).values())}")
    scores = [(len(_words(unit) & said), place) for place, unit in enumerate(found)]
    n_kept = min(MOST_STEPS, ceil(len(found) * KEPT_SHARE))
    telling = [score for score in scores if score[0]] or scores[-1:]
    best = sorted(telling, reverse=True)[:n_kept]  # of equals the later one: closer to the conclusion
    return "\n".join(found[place] for place in sorted(place for _, place in best))


def _words(text: str) -> set[str]:
    return set(WORD.findall(text.lower())) - TALK


def _with_steps(example: Example) -> Example:
    return example if example.steps else example.model_copy(update={"steps": condense(example)})


def _shuffled(example: Example, seed: int) -> Example:
    ordered = units(_trace(example, "shuffled"))
    mixed = list(ordered)
    rng = _rng(seed, example)
    while len(set(ordered)) > 1 and mixed == ordered:
        rng.shuffle(mixed)
    return example.model_copy(update={"trace": "\n".join(mixed)})


def _wrong(examples: Sequence[Example], seed: int) -> list[Example]:
    """Every row with an answer that is wrong for it."""
    alike: dict[tuple[str, str], list[Example]] = defaultdict(list)
    for example in examples:
        alike[example.verifier, example.subject].append(example)
    return [_with_wrong_answer(row, alike[row.verifier, row.subject], examples, seed) for row in examples]


def _with_wrong_answer(
    example: Example, alike: Sequence[Example], everyone: Sequence[Example], seed: int
) -> Example:
    _trace(example, "wrong")
    rng = _rng(seed, example)
    if example.options:
        others = [letter for letter in example.options if letter != example.gold]
        if not others:
            raise LabError(f"row '{example.id}' has a single option: there is no wrong one for target wrong", "data")
        letter = rng.choice(others)
        return example.model_copy(update={"answer": f"{example.options[letter]}\nAnswer: {letter}", "gold": letter})
    donor = _donor(example, alike, rng) or _donor(example, everyone, rng)
    if donor is None:
        raise LabError(f"row '{example.id}': every row has the answer '{example.gold}', so there is no wrong one to "
                       "take for target wrong", "data")
    return example.model_copy(update={"answer": donor.answer, "gold": donor.gold})


def _donor(example: Example, rows: Sequence[Example], rng: random.Random) -> Example | None:
    """A row with another answer, the first one from a random place on."""
    start = rng.randrange(len(rows))
    return next((other for other in (*rows[start:], *rows[:start]) if _differs(other, example)), None)


def _differs(other: Example, example: Example) -> bool:
    return other.gold.strip().casefold() != example.gold.strip().casefold()


def _trace(example: Example, target: Target) -> str:
    if not example.trace:
        raise LabError(f"row '{example.id}' has no reasoning trace: target {target} needs one on every row", "data")
    return example.trace


def _rng(seed: int, example: Example) -> random.Random:
    return random.Random(f"{seed} {example.id}")
