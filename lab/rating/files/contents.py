"""What the files of a round are made of, as plain values: read once from the store, blinded in one place.

Times are UTC as ISO 8601. Raters on trial are in none of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.rating.blinding_results import Guess
from lab.rating.judge_results import Vote
from lab.rating.measures_correlation import Measure
from lab.rating.rows import RatingRow


@dataclass(frozen=True)
class Said:
    """One version of one rating; or, with version 0, a unit that was skipped and stands so."""

    row: RatingRow
    version: int
    current: bool  # False: the rater corrected it later
    comment: str = ""
    report: str = ""  # what the rater told the researcher about the unit
    skip_reason: str = ""
    served_at: str = ""
    rated_at: str = ""
    guess: str = ""  # left | right | unsure: of the blinding check at the end
    sureness: int | None = None


@dataclass(frozen=True)
class UnitText:
    """What raters read. `sha256` is of question and texts, in this order of the texts."""

    uid: str
    role: str
    item_id: str
    model_a: str
    model_b: str
    question: str
    text_a: str
    text_b: str
    sha256: str
    expected: Mapping[str, Any] = field(default_factory=dict)
    explanation: str = ""
    shared: bool = False


@dataclass(frozen=True)
class Happening:
    """One event. Without a rater it is one of the round itself."""

    at: str
    kind: str
    rater: str = ""
    unit: str = ""
    role: str = ""
    client_ms: int | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Person:
    """A rater: a code, and what the round asked them."""

    code: str
    kind: str
    state: str
    language: str = ""
    consent_at: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)
    closing: Mapping[str, Any] = field(default_factory=dict)
    started_at: str = ""
    finished_at: str = ""
    practice_tries: int = 0


@dataclass(frozen=True)
class RoundFacts:
    """The round itself. `design` is its whole RoundSpec as stored."""

    name: str
    uid: str
    design: Mapping[str, Any]
    design_sha: str
    models: tuple[str, ...]
    state: str
    bank: str = ""
    origin: str = ""
    created_at: str = ""
    closed_at: str = ""
    unblinded_at: str = ""
    unblinded_by: str = ""
    excluded: Mapping[str, Any] = field(default_factory=dict)  # {"pairs": …, "by_model": …}
    warnings: tuple[str, ...] = ()
    risk: Mapping[str, Any] = field(default_factory=dict)
    blind_names: Mapping[str, str] = field(default_factory=dict)  # model → its name in blinded files, once drawn
    blinded: bool = False


@dataclass(frozen=True)
class Contents:
    """Everything."""

    facts: RoundFacts
    units: tuple[UnitText, ...]
    said: tuple[Said, ...] = ()
    happenings: tuple[Happening, ...] = ()
    people: tuple[Person, ...] = ()
    guesses: tuple[Guess, ...] = ()
    votes: tuple[Vote, ...] = ()
    measures: tuple[Measure, ...] = ()

    @property
    def rows(self) -> list[RatingRow]:
        """The last version of each rating, as the analysis reads them."""
        return [said.row for said in self.said if said.current and said.version]

    @property
    def main(self) -> list[RatingRow]:
        """What the primary analysis counts."""
        return [row for row in self.rows if row.role == "main" and not row.surplus]
