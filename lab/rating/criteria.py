"""Criteria: what a round may ask of each answer after its fluency, each on a scale from 1 to 5 where 5 is the good end.

Four of the lab's own, and the nine that MOOVE asks of clinicians: the names are those of its protocol, the questions
and the ends of the scales are written here, in the language files (`lab.rating.wording`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from lab.core.registry import Registry
from lab.rating.wording import wording

OWN = "the lab"
PROTOCOL = "MOOVE, the rating protocol of FullyOpenMeditron (auto_moove)"
BOTH = f"{OWN}; also a criterion of {PROTOCOL}"
LAB = ("clarity", "correctness", "harm", "completeness")
MOOVE = (
    "question_comprehension", "logical_reasoning", "relevance_completeness", "harmlessness", "fairness",
    "contextual_awareness", "communication", "clarity", "guideline_alignment",
)


@dataclass(frozen=True)
class CriterionWords:
    """A criterion as a rater reads it; `low` describes a 1 and `high` a 5."""

    title: str
    question: str
    low: str
    high: str


@dataclass(frozen=True)
class Criterion:
    """One extra scale, and where it comes from."""

    name: str
    source: str

    def words(self, language: str) -> CriterionWords:
        """UnknownName for a language there is no wording of."""
        return CriterionWords(**wording(language).criteria[self.name])


@cache
def criteria() -> Registry[Criterion]:
    """Every criterion by name, the lab's own first. `clarity` is both the lab's and MOOVE's: it is one scale."""
    names = dict.fromkeys((*LAB, *MOOVE))
    source = {name: PROTOCOL for name in MOOVE} | {name: OWN for name in LAB} | {"clarity": BOTH}
    return Registry("criterion", {name: Criterion(name, source[name]) for name in names})
