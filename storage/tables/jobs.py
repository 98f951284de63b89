"""Jobs, what they reported, and the workers that ran them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel

STATES = ("queued", "starting", "running", "succeeded", "failed", "cancelled")
ENDED = ("succeeded", "failed", "cancelled")


def now() -> datetime:
    """UTC; columns give it back with its zone."""
    return datetime.now(UTC)


class Job(SQLModel, table=True):
    """One piece of work. `state` is written by the worker only; pages and the command line write `desired`."""

    __table_args__ = (Index("ix_job_state_priority", "state", "priority", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    uid: str = Field(unique=True, max_length=12)
    kind: str = Field(index=True)
    name: str
    state: str = "queued"
    desired: str = "run"  # run | cancel
    priority: int = 0  # higher first
    slots: int = 1
    attempt: int = 0
    study_id: int | None = Field(default=None, foreign_key="study.id", index=True)
    parent_id: int | None = Field(default=None, foreign_key="job.id")  # the job this one re-runs; a retry keeps its row

    spec_given: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    spec: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    spec_sha: str = ""
    provenance: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    # code revision + dirty, package versions, machine; inputs (dataset sha256, rows) come with the result
    result: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    facts: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    # what a running task announced: an engine's URL, rows kept and dropped

    folder: str = ""
    progress_done: float = 0
    progress_total: float = 0
    progress_text: str = ""
    eta_s: float | None = None
    reason: str | None = None  # lab.core.errors.Reason
    message: str | None = None
    exit_code: int | None = None

    worker: str | None = None
    pid: int | None = None
    start_ticks: int | None = None  # field 22 of /proc/PID/stat: with boot_id it names a process for good
    boot_id: str | None = None
    events_offset: int = 0  # bytes of events.jsonl already read in

    created_at: datetime = Field(default_factory=now)
    started_at: datetime | None = None
    finished_at: datetime | None = None


class JobDependency(SQLModel, table=True):
    """`job_id` starts only when `needs_id` has succeeded."""

    job_id: int = Field(foreign_key="job.id", primary_key=True)
    needs_id: int = Field(foreign_key="job.id", primary_key=True)


class JobEvent(SQLModel, table=True):
    """A state change and why. Append-only."""

    id: int | None = Field(default=None, primary_key=True)
    job_id: int = Field(foreign_key="job.id", index=True)
    at: datetime = Field(default_factory=now)
    state: str
    why: str = ""


class Metric(SQLModel, table=True):
    """One point of a live curve."""

    __table_args__ = (Index("ix_metric_job_name_step", "job_id", "name", "step"),)

    id: int | None = Field(default=None, primary_key=True)
    job_id: int = Field(foreign_key="job.id")
    step: int
    name: str
    value: float | None  # None: not a number (SQLite stores NaN so)
    at: datetime = Field(default_factory=now)


class Worker(SQLModel, table=True):
    """A worker's sign of life."""

    name: str = Field(primary_key=True)  # host:pid:start_ticks
    host: str
    pid: int
    started_at: datetime = Field(default_factory=now)
    heartbeat_at: datetime = Field(default_factory=now)
    slots: int = 1
    paused: bool = False
