"""Mention verifier: a free reply states the gold answer. For questions whose replies are prose without an answer line.

An explicit answer ("Answer: …", \\boxed{…}) decides where there is one. Else the first and the last sentence are read:
there a reply says what it holds, in between it weighs what it does not. The gold's words must stand there together,
without a negation ahead of them in the same clause.

It is a rule for rewards on open questions (HuatuoGPT-o1, arXiv 2412.18925: matching by rule agrees with people in 70
to 75 per cent of cases, a trained classifier in 91 to 94), not for published accuracies. Another name for the same
thing is called wrong, and a sentence that lists several answers is called right. Nothing is guessed: a reply without
the gold is unparsed, because what it holds instead cannot be read.
"""

from __future__ import annotations

import re

from lab.core.types import Example, Score
from lab.verify.exact import plain
from lab.verify.extraction import explicit_answer

SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
CLAUSE = re.compile(r"[,;:]|\b(?:but|however|while|whereas)\b", re.I)
DENIED = re.compile(
    r"\b(?:not|no|isn't|never|neither|nor|without|unlikely|unlike|rather than|instead of|rules? out|ruled out|"
    r"excludes?|excluded|less likely than)\b", re.I,
)
WORD = re.compile(r"[^\W_]+(?:[.'-][^\W_]+)*")


def verify_mention(final_text: str, example: Example) -> Score:
    said, rule = explicit_answer(final_text)
    if said is not None:
        parsed = plain(said)
        return Score(correct=parsed == plain(example.gold) or _states(said, example.gold), parsed=parsed, rule=rule)
    sentences = [part for part in SENTENCE.split(final_text) if WORD.search(part)]
    if not sentences:
        return Score(correct=False, parsed=None, rule="empty text")
    for place, sentence in (("first sentence", sentences[0]), ("last sentence", sentences[-1])):
        if _states(sentence, example.gold):
            return Score(correct=True, parsed=plain(example.gold), rule=f"stated in the {place}")
    return Score(correct=False, parsed=None, rule="gold answer not stated")


def _states(sentence: str, gold: str) -> bool:
    """Whether a clause says the gold's words one after another and denies nothing before them."""
    wanted = _words(gold)
    for clause in CLAUSE.split(sentence):
        words = [(match.group().casefold(), match.start()) for match in WORD.finditer(clause)]
        spoken = [word for word, _ in words]
        for at in range(len(spoken) - len(wanted) + 1):
            if wanted and spoken[at : at + len(wanted)] == wanted and not DENIED.search(clause[: words[at][1]]):
                return True
    return False


def _words(text: str) -> list[str]:
    return [match.group().casefold() for match in WORD.finditer(plain(text))]


VERIFY = verify_mention
