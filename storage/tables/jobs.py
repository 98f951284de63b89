"""Jobs, what they reported, and the workers that ran them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, Integer
from sqlmodel import Field, SQLModel

WIDE = BigInteger().with_variant(Integer, "sqlite")  # ticks, bytes, seeds and tokens outgrow 32 bits
STATES = ("queued", "starting", "running", "succeeded", "failed", "cancelled")
ENDED = ("succeeded", "failed", "cancelled")


def now() -> datetime:
    """UTC; columns give it back with its zone."""
    return datetime.now(UTC)


class Job(SQLModel, table=True):
    """One piece of work. `state` is written by the worker only; pages and the command line write `desired`.

    queued → starting → running → succeeded | failed | cancelled; a job whose process was lost goes back to queued.
    """

    __table_args__ = (Index("ix_job_state_priority", "state", "priority", "rank"),)

    id: int | None = Field(default=None, primary_key=True)
    uid: str = Field(unique=True, max_length=12)
    kind: str = Field(index=True)
    name: str
    state: str = "queued"
    desired: str = "run"  # run | cancel
    priority: int = 0  # higher first
    rank: float = 0  # order among equal priorities, lower first; a new job gets the highest
    devices: int = 1  # GPUs, or CPU slots where there are none
    memory_mib: int = 0  # estimated use of each device's memory; 0: unknown
    lane: str = "work"  # work | chat: which slots it takes on a machine without GPUs
    run_on: str = ""  # "": a worker's own machine; "slurm:<profile>": a cluster
    attempt: int = 0
    losses: int = 0  # how often it was lost since it last got further
    checkpoint_step: int = 0  # of its last whole checkpoint when it was lost last
    device_seconds: float = 0  # of all attempts that have ended
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

    energy: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    # kWh, kg CO2 and how they were found, over all attempts

    folder: str = ""
    progress_done: float = 0
    progress_total: float = 0
    progress_text: str = ""
    eta_s: float | None = None
    reason: str | None = None  # lab.core.errors.Reason
    message: str | None = None
    exit_code: int | None = None

    worker: str | None = None
    host: str | None = None  # the machine it runs on
    cluster: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    # what is known of a cluster's job: its id, the tag it was submitted under, state, node, since when it is unknown
    pid: int | None = None
    start_ticks: int | None = Field(default=None, sa_type=WIDE)
    # field 22 of /proc/PID/stat: with boot_id it names a process for good
    boot_id: str | None = None
    # bytes of events.jsonl already read in; the file grows over all attempts
    events_offset: int = Field(default=0, sa_type=WIDE)

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

    __table_args__ = (Index("ix_metric_job_name_step", "job_id", "name", "step", "value"),)

    id: int | None = Field(default=None, primary_key=True)
    job_id: int = Field(foreign_key="job.id")
    step: int
    name: str
    value: float | None  # None: not a number (SQLite stores NaN so)
    at: datetime = Field(default_factory=now)


class Worker(SQLModel, table=True):
    """A worker's sign of life. Which process it is decides whether its jobs have to be taken over."""

    name: str = Field(primary_key=True)  # host/label:pid:start_ticks
    host: str
    pid: int
    start_ticks: int = Field(default=0, sa_type=WIDE)
    boot_id: str = ""
    started_at: datetime = Field(default_factory=now)
    heartbeat_at: datetime = Field(default_factory=now)


class Device(SQLModel, table=True):
    """Something of a machine that one job at a time may hold: a GPU, or a slot of its CPU.

    `job_id` is the lease. It is written in the transaction that changes the job's state, so a device has one holder.
    """

    host: str = Field(primary_key=True)
    name: str = Field(primary_key=True)  # gpu:<UUID> | cpu:<n> | chat:<n>
    kind: str  # gpu | cpu | chat
    title: str = ""  # the card's name and its number on the machine
    memory_mib: int = 0  # of a GPU
    free_mib: int = 0  # as last seen
    job_id: int | None = Field(default=None, foreign_key="job.id", index=True)
    leased_at: datetime | None = None
    blocked: str = ""  # why it is not leased although it is free
    seen_at: datetime = Field(default_factory=now)


class Setting(SQLModel, table=True):
    """One choice of the lab that outlives its processes, such as a paused queue."""

    key: str = Field(primary_key=True)
    value: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    changed_at: datetime = Field(default_factory=now)
