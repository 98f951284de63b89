"""Shapes: which exam questions cannot become an open question with one short answer, known without asking a model
(HuatuoGPT-o1, arXiv 2412.18925, section 2.1; construct_verifiable_medical_problems.py).

And whether what a teacher made of one is such a question. Rules on words, so they miss some and take some too many:
what they take is counted and shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from lab.core.types import Example
from lab.data.short_answer import verifier_of
from lab.verify.exact import plain

MOST_ANSWER_WORDS = 12
SHOUTED = re.compile(r"\b(?:NOT|EXCEPT|FALSE|INCORRECT|LEAST|UNTRUE|WRONG)\b")
# What is asked for is what does not hold. A clause about somebody ("a patient who does not smoke") asks nothing.
ASKED_FOR_WRONG = re.compile(
    r"\bwhich\b(?:(?!\b(?:who|whose|whom|that|where|when|if|because|since|but)\b)[^.?!]){0,80}?"
    r"\b(?:is|are|was|were|do|does|did|would|should|will|can|could|has|have)"
    r"(?:n['’]t\b|(?:\s+\w+)?\s+(?:not|never|incorrect|false|untrue|wrong|least|inappropriate)\b)|"
    r"\bexcept\b\s*[:?.]?\s*$|\ball of (?:the )?(?:following|these)\b[^?.]*\bexcept\b|"
    r"\bwhich\b[^.?!]{0,60}\b(?:incorrect|false|untrue|wrong)\s+(?:statement|option|answer|one|claim)\b|"
    r"\bleast likely\b|\bincorrect option\b",
    re.I,
)
SEVERAL = re.compile(
    r"\bselect all\b|\ball that apply\b|\bchoose (?:all|two|three|2|3)\b|\bselect (?:two|three|2|3)\b|"
    r"\bwhich (?:two|three|2|3)\b|\bmore than one (?:option|answer)\b|\bmark all\b", re.I,
)
KEYS = re.compile(r"\s*(?:[,;/&+]|\band\b)\s*|\s+", re.I)
OF_OPTIONS = re.compile(
    r"\bwhich (?:one )?(?:of )?(?:the |these )?(?:following|options?|choices)\b|\bof the following\b|"
    r"\b(?:options?|choices?)\s+(?:\(?(?-i:[A-J])\b\)?|listed|given|below|above)|"
    r"\b(?:given|listed|following) (?:options|choices)\b|\ball of the above\b|\bnone of the above\b|"
    r"(?:^|[\n(])\s*\(?(?-i:[A-J])[).:]\s+\S[^\n]*\s+\(?(?-i:[B-J])[).:]\s+\S",
    re.I | re.M,
)


def fault_of_shape(row: Example, min_words: int, min_chars: int) -> tuple[str, str]:
    """(outcome, why), or ("", "") for a question that may go on."""
    if not row.options or len(row.options) < 2:
        return "no options", "it has no options to choose from: it is no exam question, or an open one already"
    if len(keys := keys_of(row)) != 1:
        return ("several answers", f"its key names {len(keys)} options") if keys else (
            "no key", f"its key '{row.gold}' is none of its options")
    if SEVERAL.search(row.question):
        return "several answers", "it asks for more than one option"
    if SHOUTED.search(row.question) or ASKED_FOR_WRONG.search(row.question):
        return "negative question", "it asks for what does not hold, which is none without its options"
    texts = [plain(text) for text in row.options.values()]
    if texts.count(plain(row.options[keys[0]])) > 1:
        return "several answers", "two of its options are the keyed answer"
    words, chars = len(row.question.split()), len(row.question)
    if words < min_words or chars < min_chars:
        return "too short", f"{words} words and {chars} characters"
    return "", ""


def keys_of(row: Example) -> list[str]:
    """The letters of the keyed options: of 'B', 'B and D', or of an option's own text."""
    options = row.options or {}
    if row.gold in options:
        return [row.gold]
    parts = [part for part in KEYS.split(row.gold.strip()) if part]
    if parts and all(part in options for part in parts):
        return list(dict.fromkeys(parts))
    return [letter for letter, text in options.items() if plain(text) == plain(row.gold)]


def fault_of_restated(question: str, answer: str) -> tuple[str, str]:
    """(outcome, why) of a restated question that is none, or ("", "")."""
    if OF_OPTIONS.search(question):
        return "options remain", "the restated question still speaks of options"
    if (n := len(answer.split())) > MOST_ANSWER_WORDS:
        return "long answer", f"its answer has {n} words, more than {MOST_ANSWER_WORDS}"
    # A number may stand in a question by chance: an age of 12 and an anion gap of 12.
    if verifier_of(answer) != "numeric" and f" {_words(answer)} " in f" {_words(question)} ":
        return "answer in the question", f"the restated question holds its answer '{answer}'"
    return "", ""


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", plain(text)))


def repeated(rows: Iterable[Example]) -> dict[str, str]:
    """id → why, of questions that came before with the same options, case, spacing and order of options aside."""
    first: dict[tuple[str, ...], str] = {}
    found: dict[str, str] = {}
    for row in rows:
        asked = (_words(row.question), *sorted(map(plain, (row.options or {}).values())))
        if (before := first.setdefault(asked, row.id)) != row.id:
            found[row.id] = f"the same question as {before}"
    return found
