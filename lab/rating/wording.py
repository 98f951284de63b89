"""What a round says to its raters by default: one YAML file a language under `words/`.

The wording is part of the measurement, so a round copies what it uses when it is made. A new language is a new file; it
has to say everything that `en.yaml` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from lab.core.errors import UnknownName

WORDS = Path(__file__).parent / "words"


@dataclass(frozen=True)
class Choice:
    """One answer to a question: what is stored, and what is read."""

    value: str
    text: str


@dataclass(frozen=True)
class Question:
    """A question about the rater or the session. Without choices it is answered in free words, or not at all."""

    name: str
    text: str
    choices: tuple[Choice, ...] = ()

    def accepts(self, answer: str) -> bool:
        """Whether this may be stored as its answer."""
        return not self.choices or answer in {choice.value for choice in self.choices}


@dataclass(frozen=True)
class Sample:
    """A short text with the fluency it deserves and the reason, for the instructions."""

    text: str
    score: int
    why: str


@dataclass(frozen=True)
class Wording:
    """All that a rater reads of a round in one language, but for the labels of the page's own controls."""

    language: str
    native_name: str
    definition: str
    anchors: tuple[str, ...]  # of the scores 1 to 5, in this order
    preference_question: str
    preferences: Mapping[str, str]  # left | tie | right | both_bad
    consent_version: str
    consent: tuple[str, ...]  # paragraphs
    consent_about: str  # the paragraph on the background questions
    skip_reasons: Mapping[str, str]  # unreadable | language | offensive | technical
    instructions: tuple[str, ...]  # steps
    good: tuple[Sample, ...]
    bad: tuple[Sample, ...]
    guess: Question  # left | right | unsure: which text a model wrote that was trained on traces
    guess_one: Question  # the same of one text: left is yes, right is no
    sureness: Question  # 1 | 2 | 3
    background: tuple[Question, ...]
    closing: tuple[Question, ...]
    criteria: Mapping[str, Mapping[str, str]]  # name → title, question, low, high: `lab.rating.criteria`

    def consent_text(self, about: bool = True) -> str:
        """Plain paragraphs with a blank line between them. `about`: the round asks the background questions."""
        paragraphs = list(self.consent)
        if about:
            paragraphs.insert(3, self.consent_about)  # beside what else is stored
        return "\n\n".join(paragraphs)


def languages() -> tuple[str, ...]:
    """Codes of the languages a round can be held in, English first."""
    return tuple(sorted((path.stem for path in WORDS.glob("*.yaml")), key=lambda code: (code != "en", code)))


@cache
def wording(language: str) -> Wording:
    """The default texts of a language. UnknownName for one that has no file."""
    if language not in languages():
        raise UnknownName("language", language, languages())
    found = yaml.safe_load((WORDS / f"{language}.yaml").read_text(encoding="utf-8"))
    return Wording(
        language=language,
        **{name: found[name] for name in ("native_name", "definition", "preference_question", "consent_version",
                                          "consent_about")},
        **{name: tuple(found[name]) for name in ("anchors", "consent", "instructions")},
        **{name: MappingProxyType(found[name]) for name in ("preferences", "skip_reasons", "criteria")},
        **{name: tuple(Sample(**sample) for sample in found[name]) for name in ("good", "bad")},
        **{name: _question(name, found[name]) for name in ("guess", "guess_one", "sureness")},
        **{name: tuple(_question(*item) for item in found[name].items()) for name in ("background", "closing")},
    )


def _question(name: str, given: Mapping[str, Any]) -> Question:
    choices = tuple(Choice(value, text) for value, text in given.get("choices", {}).items())
    return Question(name, given["text"], choices)
