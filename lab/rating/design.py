"""The design of a rating round: everything that is decided before the first rating, in one frozen Spec.

The page's form, the command line and the stored round read this one declaration. Texts that are left empty become the
lab's own wording when the round is made, and are stored with it: the wording is a part of the measurement.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import Field

from lab.core.errors import Fault
from lab.core.spec import Spec, known_name
from lab.rating.criteria import criteria
from lab.rating.wording import wording

THINKING = " + thinking"  # after a label: the same answers, shown with their thinking, as an arm of their own
Task = Literal["both", "preference", "fluency"]
COUNTED = ("main",)  # roles that fill a quota and are analysed


@dataclass(frozen=True)
class Face:
    """A bank's model as raters meet it."""

    label: str
    thinking: bool = False

    @classmethod
    def of(cls, name: str) -> Face:
        return cls(name.removesuffix(THINKING), name.endswith(THINKING))


class RoundSpec(Spec):
    """A blind rating round over an answer bank."""

    kind: ClassVar[str] = "round"
    name: str = Field(min_length=1, max_length=80, description="Name of the round; raters do not see it.")
    bank: int = Field(ge=0, description="Number of the answer bank; 0 in a round that came from another lab.")
    models: tuple[str, ...] = Field(
        min_length=2, max_length=8,
        description=f"Models of the bank; the others are measured against the first. '{THINKING.strip()}' after a "
                    "model shows its answers with their thinking.")
    pairing: Literal["all", "first"] = Field(
        "all", description="With three models or more: every two of them, or each against the first.")
    task: Task = Field("both", description="What is on the screen: two answers to score and to choose from, two to "
                                           "choose from, or one to score.")
    criteria: tuple[str, ...] = Field((), max_length=9, description="Further scales of 1 to 5 for each answer.")
    allow_tie: bool = Field(True, description="Whether 'no difference' may be chosen.")
    allow_both_bad: bool = Field(False, description="Whether 'both are bad' may be chosen; it counts as a tie.")
    quota: int = Field(3, ge=1, le=100, description="Ratings of each unit, by as many different raters.")
    most_units: int = Field(0, ge=0, le=2000, description="Units that one rater gets at most; 0: no limit.")
    shared_share: float = Field(0.0, ge=0, le=1, description="Share of the questions that every rater gets.")
    gold_every: int = Field(10, ge=0, le=100, description="One unit with a known answer among so many; 0: none.")
    repeat_share: float = Field(0.05, ge=0, le=0.5, description="Share of a rater's units that come again, sides "
                                                                "swapped.")
    practice: bool = Field(True, description="Practice with feedback before the first unit.")
    practice_pass: float = Field(0.75, gt=0, le=1, description="Share of the practice that has to be right.")
    min_seconds: float = Field(3, ge=0, le=60, description="Seconds before a unit can be submitted.")
    rest_after_units: int = Field(25, ge=0, le=500, description="A pause is suggested after so many; 0: never.")
    rest_after_min: int = Field(20, ge=0, le=240, description="And after so many minutes; 0: never.")
    about: bool = Field(True, description="Ask for language level, medical background and experience.")
    guesses: int = Field(4, ge=0, le=10, description="Units shown again at the end, to guess whose text is whose; 0: "
                                                     "none.")
    guess_target: str = Field("", description="The model that is guessed; empty: the one trained on traces, if one is.")
    guess_question: str = Field("", max_length=400, description="What is asked then; empty: the lab's question.")
    language: Literal["en", "fr"] = Field("en", description="Language of the answers and of the instructions.")
    definition: str = Field("", max_length=2000, description="What fluency means; empty: the lab's definition.")
    anchors: tuple[str, ...] = Field((), max_length=5, description="The scale in words, 1 first; empty: the lab's.")
    preference_question: str = Field("", max_length=300, description="Empty: the lab's question.")
    consent: str = Field("", max_length=8000, description="What raters agree to; empty: the lab's text.")
    consent_version: str = Field("", max_length=40, description="Empty: that of the lab's text.")
    seed: int = Field(0, ge=0, le=2**63 - 1, description="Of order, sides, golds and repeats.")

    def check_names(self) -> list[Fault]:
        faults = [fault for i, name in enumerate(self.criteria)
                  for fault in known_name(f"criteria.{i}", "criterion", name, criteria())]
        for field in ("models", "criteria"):
            names = getattr(self, field)
            faults += [Fault(field, f"'{name}' is named twice", name) for name in dict.fromkeys(names)
                       if names.count(name) > 1]
        if self.anchors and len(self.anchors) != 5:
            faults.append(Fault("anchors", f"should be 5, one for each score (got {len(self.anchors)})", self.anchors))
        if self.guess_target and self.guess_target not in self.models:
            faults.append(Fault("guess_target", f"should be one of the models: {', '.join(self.models)}",
                                self.guess_target))
        return faults

    @property
    def faces(self) -> tuple[Face, ...]:
        return tuple(Face.of(name) for name in self.models)

    @property
    def asks_fluency(self) -> bool:
        return self.task != "preference"

    @property
    def asks_preference(self) -> bool:
        return self.task != "fluency"

    @property
    def preferences(self) -> tuple[str, ...]:
        """What may be chosen, left to right."""
        ties = ("tie",) * self.allow_tie
        return ("left", *ties, "right", *(("both_bad",) * self.allow_both_bad)) if self.asks_preference else ()

    @property
    def consent_sha(self) -> str:
        """Of the text that is agreed to, with its version."""
        return hashlib.sha256(json.dumps([self.consent_version, self.consent]).encode()).hexdigest()[:16]


def worded(spec: RoundSpec, traced: str = "") -> RoundSpec:
    """The spec with every text it leaves open. `traced`: the model that was trained on traces, if exactly one was.

    Without somebody to guess, nothing is guessed.
    """
    own = wording(spec.language)
    target = spec.guess_target or traced
    usual = (own.guess_one if spec.task == "fluency" else own.guess).text
    asked = spec.guess_question or (usual if target and target == traced else "")
    changes: dict[str, Any] = {
        "definition": spec.definition.strip() or own.definition,
        "anchors": spec.anchors or own.anchors,
        "preference_question": spec.preference_question.strip() or own.preference_question,
        "consent": spec.consent.strip() or own.consent_text(spec.about),
        "consent_version": spec.consent_version.strip() or own.consent_version,
        "guess_target": target if asked else "",
        "guess_question": asked,
        "guesses": spec.guesses if target and asked else 0,
    }
    return spec.model_copy(update=changes)


def stored(design: dict[str, Any]) -> RoundSpec:
    """The spec of a stored round. Rounds that were made before a setting existed have its default."""
    return RoundSpec.model_validate(design)
