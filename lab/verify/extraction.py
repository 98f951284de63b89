"""Reading the explicit final answer out of a text. Strict: what is not said as an answer is not guessed."""

from __future__ import annotations

import re
import unicodedata

# The last of these wins: "Answer: 12", "**Final answer:** 12", "The answer is 12", "\boxed{12}".
LINE = re.compile(
    r"^[\s>*_#-]*(?:the\s+)?(?:final\s+)?answer[*_]*\s*(?:[:=]|\bis\b:?)[ \t*_]*(?P<said>[^\n]*)$", re.I | re.M
)
BOXED = re.compile(r"\\boxed\s*\{(?P<said>[^{}]*)\}")
NEGATION = re.compile(r"\b(?:not|isn't|never|neither|nor|unknown|unclear|cannot|can't)\b", re.I)


def explicit_answer(text: str) -> tuple[str | None, str]:
    """(the last explicit answer or None, the rule that fired or why none did)."""
    plain = unicodedata.normalize("NFKC", text).replace("\u2212", "-").replace("\u2019", "'")
    if not plain.strip():
        return None, "empty text"
    found = [("answer line", m) for m in LINE.finditer(plain)] + [("boxed", m) for m in BOXED.finditer(plain)]
    if not found:
        return None, "no explicit answer"
    rule, last = max(found, key=lambda pair: pair[1].start("said"))
    said = last["said"].strip().strip("*_`").strip()
    boxed = BOXED.fullmatch(said.strip("$ "))
    said = boxed["said"].strip() if boxed else said
    if not said:
        return None, "empty answer"
    if NEGATION.search(said):
        return None, "negated answer"
    return said, rule
