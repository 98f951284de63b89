"""Answer banks, and the blinded rounds that rate them.

Side and order are stored facts of an assignment, never recomputed from a seed. The texts that raters see are copied
into the round's units with their hash, so that a round says by itself what was rated, also where its bank is not.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.tables.jobs import now


def _object() -> Any:
    return Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


def _list() -> Any:
    return Field(default_factory=list, sa_column=Column(JSON, nullable=False))


class AnswerBank(SQLModel, table=True):
    """Frozen answers of several models to the same questions."""

    id: int | None = Field(default=None, primary_key=True)
    job_id: int | None = Field(default=None, foreign_key="job.id", unique=True)  # None: frozen from comparisons
    study_id: int | None = Field(default=None, foreign_key="study.id", index=True)
    name: str
    benchmark: str  # where the questions come from: a benchmark, a dataset, 'comparisons' or 'prompts'
    settings: dict[str, Any] = _object()
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
    think_text: str = ""  # the thinking alone, cleaned in no way; "" also in banks made before it was kept
    shown_text: str
    think_state: str
    finish_reason: str
    n_tokens: int
    sha256: str


class Round(SQLModel, table=True):
    """One human rating study. `design` is its RoundSpec, wording included, as it was when the round was made."""

    id: int | None = Field(default=None, primary_key=True)
    uid: str = Field(unique=True)
    name: str
    bank_id: int | None = Field(default=None, foreign_key="answerbank.id")  # None: made from another lab's bundle
    design: dict[str, Any] = _object()
    design_sha: str
    models: list[str] = _list()  # faces in the bank, the one that others are measured against first
    state: str = "open"  # open | closed
    origin: str = ""  # "" made here | import
    n_excluded: int = 0  # pairs left out: truncated, empty, unclosed or identical answers
    excluded: dict[str, Any] = _object()
    # {"pairs": {reason: count}, "by_model": {face: {reason: count}}}: how often each arm failed is itself a result
    warnings: list[str] = _list()  # what the leak scan said when the round was made
    risk: dict[str, Any] = _object()  # how well style alone tells the models apart: {pair: {"auc", "low", "high", …}}
    created_at: datetime = Field(default_factory=now)
    closed_at: datetime | None = None
    unblinded_at: datetime | None = None  # when somebody first looked at the results of the open round
    unblinded_by: str = ""


class Unit(SQLModel, table=True):
    """What is rated: one or two texts that answer a question, frozen."""

    __table_args__ = (UniqueConstraint("round_id", "role", "item_id", "model_a", "model_b"),)

    id: int | None = Field(default=None, primary_key=True)
    uid: str = Field(unique=True)
    round_id: int = Field(foreign_key="round.id", index=True)
    role: str = "main"  # main | gold | practice
    item_id: str
    model_a: str = ""  # faces; "" where no model wrote it
    model_b: str = ""
    answer_a_id: int | None = Field(default=None, foreign_key="answer.id")
    answer_b_id: int | None = Field(default=None, foreign_key="answer.id")
    question: str
    text_a: str
    text_b: str = ""  # "": one text is shown
    sha256: str  # of question and texts: proves that what was rated is what was frozen
    expected: dict[str, Any] = _object()  # of a gold or a practice unit: preference, fluency_a, fluency_b
    explanation: str = ""  # of a practice unit, shown afterwards
    shared: bool = False  # every rater is to rate it


class Rater(SQLModel, table=True):
    """A person invited to a round. Only the hash of the link's token is stored, and nothing but what the round asks."""

    __table_args__ = (UniqueConstraint("round_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    uid: str = Field(unique=True)
    round_id: int = Field(foreign_key="round.id", index=True)
    code: str  # 'R1', 'R2' … or what the researcher typed
    token_hash: str = Field(unique=True)
    kind: str = "invited"  # invited | guest | trial (the researcher looks; counts nowhere) | sent (by another lab)
    state: str = "invited"  # invited | active | blocked | done | declined | withdrawn | revoked
    language: str = ""  # of the page; "": as the browser asks
    consent_at: datetime | None = None
    consent_sha: str = ""  # of the text that was agreed to
    about: dict[str, Any] = _object()  # answers to the background questions
    started_at: datetime | None = None  # when the rater left the instructions
    practice_tries: int = 0
    practised_at: datetime | None = None  # when the practice was passed
    rested_at: datetime | None = None  # the last pause, or the beginning
    closing: dict[str, Any] = _object()  # answers to the questions at the end
    finished_at: datetime | None = None
    revoked_at: datetime | None = None
    last_seen_at: datetime | None = None
    created_at: datetime = Field(default_factory=now)


class Assignment(SQLModel, table=True):
    """A unit served to a rater, with its sides and its place in the order as stored facts.

    A correction re-opens the assignment with a fresh `submit_key`; the ratings it already has stay.
    """

    __table_args__ = (
        UniqueConstraint("rater_id", "unit_id", "role", "attempt"),
        Index("ix_assignment_state_lease_until", "state", "lease_until"),
    )

    id: int | None = Field(default=None, primary_key=True)
    rater_id: int = Field(foreign_key="rater.id", index=True)
    unit_id: int = Field(foreign_key="unit.id", index=True)
    ordinal: int
    role: str = "main"  # main | gold | practice | repeat: the same unit again, sides swapped
    attempt: int = 1  # of a practice
    a_left: bool = True  # whether text a stands on the left
    state: str = "open"  # open | done | skipped | expired | void
    surplus: bool = False  # rated after its place had been given away: kept, and in no main figure
    skip_reason: str = ""
    flag: str = ""  # what the rater reported about it
    submit_key: str = Field(unique=True)  # of the next submit, made when served: the same submit twice is one rating
    served_count: int = 1
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
    fluency_left: int | None = None
    fluency_right: int | None = None
    preference: str = ""  # left | tie | right | both_bad; "" not asked
    criteria: dict[str, Any] = _object()  # {name: [left, right]}
    comment: str = ""
    visible_ms: int | None = None  # time on a visible tab with somebody there, as the browser measured it
    total_ms: int | None = None  # from shown to sent
    n_changes: int = 0  # how often a choice was changed before it was sent
    created_at: datetime = Field(default_factory=now)


class RatingEvent(SQLModel, table=True):
    """What happened in a round, in order; nothing is ever changed here."""

    id: int | None = Field(default=None, primary_key=True)
    round_id: int = Field(foreign_key="round.id", index=True)
    rater_id: int | None = Field(default=None, foreign_key="rater.id", index=True)
    assignment_id: int | None = Field(default=None, foreign_key="assignment.id")
    kind: str  # made invite open consent decline about start served focus blur submit undo skip flag rest resume …
    client_ms: int | None = None  # since the unit was shown, where the browser told
    payload: dict[str, Any] = _object()
    server_at: datetime = Field(default_factory=now)


class BlindGuess(SQLModel, table=True):
    """What a rater thinks, at the end, about whose text stood where."""

    __table_args__ = (UniqueConstraint("rater_id", "assignment_id"),)

    id: int | None = Field(default=None, primary_key=True)
    rater_id: int = Field(foreign_key="rater.id", index=True)
    assignment_id: int = Field(foreign_key="assignment.id")
    guess: str  # left | right | unsure; of one text: left it is, right it is not
    sureness: int | None = None  # 1 … 3
    created_at: datetime = Field(default_factory=now)


class JudgeVote(SQLModel, table=True):
    """A language model's verdict on a unit in one order of its texts; shown beside raters, never pooled with them."""

    __table_args__ = (UniqueConstraint("unit_id", "judge", "judge_version", "a_first"),)

    id: int | None = Field(default=None, primary_key=True)
    round_id: int = Field(foreign_key="round.id", index=True)
    unit_id: int = Field(foreign_key="unit.id", index=True)
    judge: str
    judge_version: str
    job_id: int | None = Field(default=None, foreign_key="job.id")
    a_first: bool
    verdict: str | None = None  # a | tie | b; None: the reply could not be read
    fluency_a: int | None = None
    fluency_b: int | None = None
    reply: str = ""
    created_at: datetime = Field(default_factory=now)


class TextMeasure(SQLModel, table=True):
    """An automatic figure of one shown text, by the text's sha256: the same text is measured once."""

    __table_args__ = (UniqueConstraint("text_sha", "name", "version"),)

    id: int | None = Field(default=None, primary_key=True)
    text_sha: str = Field(index=True)
    name: str  # e.g. 'perplexity:demo-llama'
    version: str
    value: float | None = None  # None: it has none (an empty text)
    job_id: int | None = Field(default=None, foreign_key="job.id")
    created_at: datetime = Field(default_factory=now)
