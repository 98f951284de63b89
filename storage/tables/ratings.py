"""Answer banks, and the blinded rounds that rate them.

Side and order are stored facts of an assignment, never recomputed from a seed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.tables.jobs import WIDE, now


class AnswerBank(SQLModel, table=True):
    """Frozen answers of several models to the same questions."""

    id: int | None = Field(default=None, primary_key=True)
    job_id: int | None = Field(default=None, foreign_key="job.id", unique=True)  # None: frozen from comparisons
    study_id: int | None = Field(default=None, foreign_key="study.id", index=True)
    name: str
    benchmark: str
    settings: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    created_at: datetime = Field(default_factory=now)


class Answer(SQLModel, table=True):
    """One model's frozen answer. `shown_text` is what a rater sees: no thinking, same clean-up for every arm."""

    __table_args__ = (UniqueConstraint("bank_id", "item_id", "model_label"),)

    id: int | None = Field(default=None, primary_key=True)
    bank_id: int = Field(foreign_key="answerbank.id", index=True)
    item_id: str
    subject: str = ""
    question: str
    gold: str
    model_label: str
    arm: str
    base: str
    variant_id: int | None = Field(default=None, foreign_key="variant.id")
    raw_text: str
    shown_text: str
    think_state: str
    finish_reason: str
    n_tokens: int
    sha256: str


class Round(SQLModel, table=True):
    """One human rating study over a bank: two models, blind pairs, fluency 1–5 each side + preference."""

    id: int | None = Field(default=None, primary_key=True)
    name: str
    bank_id: int = Field(foreign_key="answerbank.id")
    model_a: str  # labels in the bank; never sent to a rater's browser
    model_b: str
    definition: str
    anchors: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    quota: int = 3  # raters per unit
    seed: int = Field(default=0, sa_type=WIDE)
    state: str = "open"  # open | closed
    n_excluded: int = 0  # pairs left out: truncated, empty, unclosed or identical answers
    excluded: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    # {"pairs": {reason: count}, "by_model": {label: {reason: count}}}: how often each arm failed is itself a result
    warnings: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    # what the leak scan said when the round was made
    created_at: datetime = Field(default_factory=now)
    closed_at: datetime | None = None


class Unit(SQLModel, table=True):
    """What is rated: two answers to the same question."""

    __table_args__ = (UniqueConstraint("round_id", "item_id"),)

    id: int | None = Field(default=None, primary_key=True)
    round_id: int = Field(foreign_key="round.id", index=True)
    item_id: str
    answer_a_id: int = Field(foreign_key="answer.id")
    answer_b_id: int = Field(foreign_key="answer.id")


class Rater(SQLModel, table=True):
    """A person invited to a round. Only the hash of the link's token is stored."""

    __table_args__ = (UniqueConstraint("round_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    round_id: int = Field(foreign_key="round.id", index=True)
    code: str  # 'R1', 'R2' … or what the researcher typed
    token_hash: str = Field(unique=True)
    guest: bool = False
    started_at: datetime | None = None  # when the rater left the instructions
    last_seen_at: datetime | None = None
    created_at: datetime = Field(default_factory=now)


class Assignment(SQLModel, table=True):
    """A unit served to a rater, with its sides and its place in the order as stored facts.

    A correction re-opens the assignment with a fresh `submit_key`; the ratings it already has stay.
    """

    __table_args__ = (UniqueConstraint("rater_id", "unit_id"),)

    id: int | None = Field(default=None, primary_key=True)
    rater_id: int = Field(foreign_key="rater.id", index=True)
    unit_id: int = Field(foreign_key="unit.id", index=True)
    ordinal: int
    left_answer_id: int = Field(foreign_key="answer.id")
    right_answer_id: int = Field(foreign_key="answer.id")
    state: str = "open"  # open | done | skipped | expired
    skip_reason: str = ""
    submit_key: str = Field(unique=True)  # of the next submit, made when served: the same submit twice is one rating
    served_at: datetime = Field(default_factory=now)
    lease_until: datetime | None = None
    done_at: datetime | None = None


class Rating(SQLModel, table=True):
    """A rater's verdict on one assignment. A correction is a new version; the old one stays."""

    __table_args__ = (UniqueConstraint("assignment_id", "version"),)

    id: int | None = Field(default=None, primary_key=True)
    assignment_id: int = Field(foreign_key="assignment.id", index=True)
    version: int = 1
    submit_key: str = Field(unique=True)
    fluency_left: int
    fluency_right: int
    preference: str  # left | tie | right
    comment: str = ""
    visible_ms: int | None = None  # time the pair was on a visible tab, as the browser measured it
    created_at: datetime = Field(default_factory=now)
