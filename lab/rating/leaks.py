"""Scan two sets of answers for what tells their models apart: names, thinking delimiters, arm words, length, layout.

A name or a delimiter is a leak wherever it stands. An ordinary word ("reasoning", "answer") is one only when one model
uses it clearly more often than the other. What style alone gives away is `lab.rating.blindness`, offered here too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from lab.rating.blindness import Risk, blindness_risk

__all__ = ["Risk", "auc", "blindness_risk", "scan"]

DELIMITERS = (
    "<think>", "</think>", "<thinking>", "</thinking>", "<|thinking|>", "<|think|>", "<|im_start|>", "<|im_end|>",
    "<|eot_id|>", "<|start_header_id|>", "</s>", "<s>", "## thinking", "## final response", "final response:",
)
ARM_WORDS = ("base", "trace", "steps", "step by step", "answer", "gold", "think", "thinking", "thought", "reasoning",
             "let me", "wait", "therefore")
ASYMMETRY = 0.2  # difference in the share of answers that hold a word, from which it can give an arm away
MINIMUM_ANSWERS = 3  # and in at least so many answers
RISK = "raters may learn to tell them apart by it"
AUC_LIMIT = 0.75  # chance that the longer of two answers names its model, from which raters are at risk of unblinding


def scan(texts_a: Sequence[str], texts_b: Sequence[str], labels: tuple[str, str], names: Iterable[str]
         ) -> tuple[str, ...]:
    """Warnings about two models' shown texts, worst first; empty when nothing was found."""
    warnings = []
    for needle in [*sorted(names), *DELIMITERS]:
        in_a, in_b = _holding(texts_a, needle), _holding(texts_b, needle)
        if in_a + in_b:
            warnings.append(f"'{needle}' can be read in {_counted(in_a, in_b, labels)}: it gives the model away.")
    for word in ARM_WORDS:
        in_a, in_b = _holding(texts_a, word), _holding(texts_b, word)
        share = abs(in_a / max(1, len(texts_a)) - in_b / max(1, len(texts_b)))
        if share >= ASYMMETRY and max(in_a, in_b) >= MINIMUM_ANSWERS:
            warnings.append(f"'{word}' is in {_counted(in_a, in_b, labels)}: {RISK}.")
    return (*warnings, *_style_warnings(texts_a, texts_b, labels))


def auc(values_a: Sequence[float], values_b: Sequence[float]) -> float:
    """Chance that a value of b exceeds one of a, ties counted half (the Mann-Whitney statistic over n·m)."""
    from scipy.stats import rankdata  # slow to load, and the pages import this file

    ranks = rankdata([*values_a, *values_b])
    n_a, n_b = len(values_a), len(values_b)
    return float((ranks[n_a:].sum() - n_b * (n_b + 1) / 2) / (n_a * n_b))


def _style_warnings(texts_a: Sequence[str], texts_b: Sequence[str], labels: tuple[str, str]) -> list[str]:
    if min(len(texts_a), len(texts_b)) < MINIMUM_ANSWERS:
        return []
    warnings = []
    for what, measure in (("words", _n_words), ("lines", _n_lines)):
        a, b = [measure(text) for text in texts_a], [measure(text) for text in texts_b]
        chance = auc(a, b)
        if max(chance, 1 - chance) > AUC_LIMIT:
            means = f"mean {sum(a) / len(a):.0f} in {labels[0]}, {sum(b) / len(b):.0f} in {labels[1]}"
            told = f"{max(chance, 1 - chance):.0%} of cases"
            warnings.append(f"The number of {what} in an answer tells its model in {told} ({means}): {RISK}.")
    return warnings


def _holding(texts: Sequence[str], needle: str) -> int:
    """Texts that hold the needle as whole words, whatever the case."""
    pattern = re.compile(rf"(?<!\w){re.escape(needle)}(?!\w)", re.IGNORECASE)
    return sum(1 for text in texts if pattern.search(text))


def _counted(in_a: int, in_b: int, labels: tuple[str, str]) -> str:
    def answers(count: int) -> str:
        return f"{count} answer{'' if count == 1 else 's'}"

    return f"{answers(in_a)} of {labels[0]} and {answers(in_b)} of {labels[1]}"


def _n_words(text: str) -> int:
    return len(text.split())


def _n_lines(text: str) -> int:
    return len([line for line in text.splitlines() if line.strip()])
