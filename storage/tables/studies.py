"""Studies and the variants their jobs left."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from storage.tables.jobs import WIDE, now


class Study(SQLModel, table=True):
    """A grid that was launched together. Its state is that of its jobs."""

    id: int | None = Field(default=None, primary_key=True)
    name: str
    spec: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    created_at: datetime = Field(default_factory=now)
    demo: bool = False  # the study that an empty store queues by itself


class Variant(SQLModel, table=True):
    """Base + adapter (or full weights) + spec, as a training job left it."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)  # unique over the store: a second run of the same cell gets '-2'
    job_id: int = Field(foreign_key="job.id", unique=True)
    study_id: int | None = Field(default=None, foreign_key="study.id", index=True)
    base: str = Field(index=True)
    dataset: str
    target: str  # the arm
    method: str
    seed: int = Field(sa_type=WIDE)
    folder: str
    weights: str = "adapter"  # adapter | full
    n_rows: int = 0
    n_dropped: int = 0
    n_tokens: int = Field(default=0, sa_type=WIDE)
    final_loss: float | None = None
    seconds: float = 0
    created_at: datetime = Field(default_factory=now)
