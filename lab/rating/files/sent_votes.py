"""Votes on their way home: who rated (by code), what they were given and said, what happened, what they guessed.

No token and no link is in it. Units are named by uid and hash; sides are as they stood on the screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from lab.core.errors import LabError
from lab.rating.design import RoundSpec
from lab.rating.files.bundle import Bundle
from lab.rating.files.parsing import Uid, first_faults, parse_lines
from lab.rating.verdicts import COMMENT_LIMIT, Verdict, check_verdict

MOST_RATERS, MOST_ASSIGNMENTS, MOST_EVENTS = 5_000, 300_000, 2_000_000
MOST_MS = 2**31 - 1
STATES = ("invited", "active", "blocked", "done", "declined", "withdrawn", "revoked")


def _plausible(moment: datetime) -> datetime:
    if not 2000 <= moment.year <= 2200:
        raise ValueError("is no time of a rating")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_plausible)]
Ms = Annotated[int, Field(ge=0, le=MOST_MS)]
Short = Annotated[str, Field(max_length=80)]
Said = Annotated[str, Field(max_length=COMMENT_LIMIT)]
Role = Literal["main", "gold", "repeat", "practice"]


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SentUnitHash(_Line):
    """A unit that votes are about, and what its texts were there."""

    uid: Uid
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class SentRater(_Line):
    """A rater of the other lab: a code there, and what the round asked."""

    uid: Uid
    code: Annotated[str, Field(min_length=1, max_length=40)]
    state: Literal[STATES]  # type: ignore[valid-type]
    language: Annotated[str, Field(max_length=8)] = ""
    consent_at: Moment | None = None
    consent_sha: Short = ""
    about: dict[Short, Said] = {}
    closing: dict[Short, Said | bool] = {}
    started_at: Moment | None = None
    practice_tries: Annotated[int, Field(ge=0, le=100)] = 0
    practised_at: Moment | None = None
    finished_at: Moment | None = None


class SentRating(_Line):
    """One version of a rating; `key` makes it the same one however often it is sent."""

    key: Annotated[str, Field(min_length=8, max_length=64)]
    version: Annotated[int, Field(ge=1, le=1000)]
    fluency_left: int | None = None
    fluency_right: int | None = None
    preference: Annotated[str, Field(max_length=10)] = ""
    criteria: dict[Short, tuple[int | None, int | None]] = {}
    comment: Said = ""
    visible_ms: Ms | None = None
    total_ms: Ms | None = None
    n_changes: Annotated[int, Field(ge=0, le=10**6)] = 0
    at: Moment


class SentAssignment(_Line):
    """A unit that was given to a rater, with every version of the rating it got."""

    rater: Uid
    unit: Uid
    role: Role
    attempt: Annotated[int, Field(ge=1, le=100)] = 1
    ordinal: Annotated[int, Field(ge=0, le=10**6)]
    a_left: bool
    state: Literal["done", "skipped", "expired"]
    skip_reason: Short = ""
    flag: Annotated[str, Field(max_length=500)] = ""
    served_count: Annotated[int, Field(ge=0, le=10**6)] = 1
    served_at: Moment
    done_at: Moment | None = None
    guess: Literal["", "left", "right", "unsure"] = ""
    sureness: Annotated[int, Field(ge=1, le=3)] | None = None
    ratings: tuple[SentRating, ...] = ()

    @property
    def key(self) -> tuple[str, str, str, int]:
        return (self.rater, self.unit, self.role, self.attempt)


class SentEvent(_Line):
    """One event of a rater, in order."""

    rater: Uid
    kind: Annotated[str, Field(min_length=1, max_length=40)]
    at: Moment
    unit: Uid | Literal[""] = ""
    role: Role | Literal[""] = ""
    attempt: int = 1
    client_ms: Ms | None = None
    payload: dict[Short, Said | int | float | bool | None] = {}


@dataclass(frozen=True)
class SentVotes:
    """All that one lab sends home of a round."""

    round_uid: str
    hashes: dict[str, str]  # unit → sha256
    raters: tuple[SentRater, ...]
    assignments: tuple[SentAssignment, ...]
    events: tuple[SentEvent, ...]


def votes_bundle(votes: SentVotes) -> Bundle:
    units = [SentUnitHash(uid=uid, sha256=sha) for uid, sha in sorted(votes.hashes.items())]
    files = {"units.jsonl": _lines(units), "raters.jsonl": _lines(votes.raters),
             "assignments.jsonl": _lines(votes.assignments), "events.jsonl": _lines(votes.events)}
    return Bundle("votes", votes.round_uid, files)


def read_votes(bundle: Bundle) -> SentVotes:
    """LabError, one sentence, when the bundle holds no votes, or some that cannot be."""
    if bundle.kind != "votes":
        raise LabError(f"the bundle holds a {bundle.kind}, not votes that come home.")
    units = parse_lines(bundle, "units.jsonl", SentUnitHash, MOST_ASSIGNMENTS)
    votes = SentVotes(
        bundle.round_uid, {unit.uid: unit.sha256 for unit in units},
        tuple(parse_lines(bundle, "raters.jsonl", SentRater, MOST_RATERS)),
        tuple(parse_lines(bundle, "assignments.jsonl", SentAssignment, MOST_ASSIGNMENTS)),
        tuple(parse_lines(bundle, "events.jsonl", SentEvent, MOST_EVENTS)),
    )
    _check_links(votes)
    return votes


def check_votes(votes: SentVotes, design: RoundSpec) -> None:
    """Every verdict has to be one that a rater of this round could have given. LabError names the first that is not."""
    agreed = {rater.uid for rater in votes.raters if rater.consent_at is not None}
    for given in votes.assignments:
        if given.ratings and given.rater not in agreed:
            raise LabError(f"the bundle holds ratings of rater {_code(votes, given.rater)}, who agreed to nothing.")
        for rating in given.ratings:
            verdict = Verdict(rating.fluency_left, rating.fluency_right, rating.preference, rating.criteria,
                              rating.comment)
            try:
                check_verdict(verdict, design, one_text=design.task == "fluency")
            except LabError as error:
                raise LabError(f"a rating of {_code(votes, given.rater)} on unit {given.unit} is none of this round: "
                               f"{first_faults(error)}") from None


def _check_links(votes: SentVotes) -> None:
    raters = {rater.uid for rater in votes.raters}
    keys = [given.key for given in votes.assignments]
    said = [rating.key for given in votes.assignments for rating in given.ratings]
    versions = all(sorted(rating.version for rating in given.ratings) == list(range(1, len(given.ratings) + 1))
                   for given in votes.assignments)
    if len(raters) < len(votes.raters) or len(set(keys)) < len(keys) or len(set(said)) < len(said) or not versions:
        raise LabError("the bundle names a rater, a unit of a rater or a rating twice, or lacks a version of one.")
    for given in votes.assignments:
        if given.rater not in raters or given.unit not in votes.hashes:
            raise LabError(f"the bundle holds a rating of unit {given.unit} without its rater or its text's hash.")
        if bool(given.ratings) != (given.state == "done"):
            raise LabError(f"the bundle says of unit {given.unit} that it is {given.state}; its ratings say otherwise.")
    if any(event.rater not in raters for event in votes.events):
        raise LabError("the bundle holds an event of a rater whom it does not name.")


def _code(votes: SentVotes, uid: str) -> str:
    return next((rater.code for rater in votes.raters if rater.uid == uid), uid)


def _lines(rows: Iterable[BaseModel] | Sequence[BaseModel]) -> str:
    return "".join(f"{row.model_dump_json()}\n" for row in rows)
