"""The reward of one generated answer: right, wrong but well formed, or malformed. No torch here.

HuatuoGPT-o1 (arXiv 2412.18925, section 2.3): 1 for a right answer, 0.1 for a wrong one that thinks and then answers, 0
for a text that does not. The verifier is the one that scores benchmarks, so a rising reward is a rising score.
"""

from __future__ import annotations

from dataclasses import dataclass

from lab.core.types import Example, StyleName
from lab.data.targets import THINKING_STYLES
from lab.engine.thinking import split_thinking
from lab.verify.format import check_format, check_plain
from lab.verify.verifier import verify


@dataclass(frozen=True)
class Scheme:
    """What each of the three outcomes is worth."""

    correct: float = 1.0
    wrong: float = 0.1
    malformed: float = 0.0
    thinking: bool = True  # well formed is: thinks, then answers; False: answers and does not think


@dataclass(frozen=True)
class Reward:
    """A reward, and why it is what it is."""

    value: float
    correct: bool  # the verifier's verdict, as in a benchmark: a malformed text may be right and still earn nothing
    well_formed: bool
    rule: str  # the format rule that was broken, else the verifier's rule


def reward(text: str, example: Example, style: StyleName, ended: bool, scheme: Scheme) -> Reward:
    """The reward of `text` for `example`.

    `text` has no end-of-sequence token and begins with the opening mark where the chat template writes it. `ended`: the
    model ended it; False: it was cut by the token budget.
    """
    marks = THINKING_STYLES[style]
    form = check_format(text, marks, ended) if scheme.thinking else check_plain(text, marks, ended)
    split = split_thinking(text, marks, "eos" if ended else "length")
    score = verify(split.final_text, example)
    if not form.well_formed:
        return Reward(scheme.malformed, score.correct, False, form.rule)
    return Reward(scheme.correct if score.correct else scheme.wrong, score.correct, True, score.rule)


def is_verifiable(example: Example) -> bool:
    """Whether a right answer can be recognised: the gold answer scores as correct through the row's own verifier."""
    return verify(f"Answer: {example.gold}", example).correct
