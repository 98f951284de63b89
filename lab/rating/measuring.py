"""Automatic figures of a round's texts, as a job: beside what raters say, to see which of them says anything.

Without a model: words, readability, repetition (`lab.rating.text_measures`). With one: its perplexity of each text, per
token, once with nothing before it and once after the question. No torch here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import ClassVar

from pydantic import Field

from lab.core.errors import Fault
from lab.core.spec import Spec
from lab.core.task import Task
from lab.core.types import ModelSource, Plain
from lab.rating.judging import check_model, check_units
from lab.rating.round_texts import UnitTexts, text_key
from lab.rating.text_measures import VERSION, text_measures

PERPLEXITY = "perplexity:"  # of the text alone, under the model named behind it
AFTER_QUESTION = "perplexity-after-question:"
PERPLEXITY_VERSION = "1"  # of how a text is put before the model
WHO = ("label", "base", "kind", "ref", "template_sha")  # of a model: another one is another measure


class MeasureSpec(Spec):
    """Automatic figures of the texts of a round."""

    kind: ClassVar[str] = "measure"
    units: str = Field(description="Whose texts: 'round:<uid>'.")
    model: str = Field(
        "", description="Under which model perplexity is taken: a base's name, 'variant:<name>' or 'job:<uid>'. Empty: "
        "no perplexity."
    )
    batch_size: int = Field(16, ge=1, le=1024, description="Texts weighed together; does not change the figures.")

    def check_names(self) -> list[Fault]:
        faults = check_units(self.units)
        if self.model.startswith("remote:"):
            said = "an endpoint answers; its likelihoods are not asked for: name a base or a variant"
            return [*faults, Fault("model", said, self.model)]
        return faults + (check_model("model", self.model) if self.model else [])


TASK = Task(
    kind="measure",
    spec=MeasureSpec,
    run="lab.rating._measuring:measure_round",
    summary="Take automatic figures of a round's texts: words, readability, repetition, perplexity.",
    resumes=True,
    warm=True,
)


class Measure(Plain):
    """A row of measures.jsonl. `value` None: the text has none (no words, or too long for the model)."""

    text_sha: str  # `text_key`; of a figure after the question, of the question and the text
    name: str
    version: str
    value: float | None


def plain_measures(units: Iterable[UnitTexts], language: str) -> list[Measure]:
    """The figures that need no model, of each different text once."""
    texts = dict.fromkeys(text for unit in units for text in unit.texts())
    return [Measure(text_sha=text_key(text), name=name, version=VERSION, value=value)
            for text in texts for name, value in text_measures(text, language).items()]


def to_weigh(units: Sequence[UnitTexts]) -> list[tuple[str, str]]:
    """(question or "", text) of which a perplexity is taken: each different text alone, and after each of its
    questions."""
    alone = [("", text) for unit in units for text in unit.texts()]
    after = [(unit.question, text) for unit in units for text in unit.texts() if unit.question]
    return list(dict.fromkeys((*alone, *after)))


def measure_name(question: str, source: ModelSource) -> str:
    return f"{AFTER_QUESTION if question else PERPLEXITY}{source.label}"


def measure_version(source: ModelSource) -> str:
    """12 hex digits: another model, or another way of asking it, is another measure."""
    made_of = {"version": PERPLEXITY_VERSION, "model": {name: getattr(source, name) for name in WHO}}
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:12]
