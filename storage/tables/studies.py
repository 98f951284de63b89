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
    kind: str = "study"  # study: a grid; curriculum: stages one after another
    spec: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    created_at: datetime = Field(default_factory=now)
    demo: bool = False  # the study that an empty store queues by itself


class Variant(SQLModel, table=True):
    """Base + adapter (or full weights) + spec, as a training job of any method left it."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)  # unique over the store: a second run of the same cell gets '-2'
    job_id: int = Field(foreign_key="job.id", unique=True)
    study_id: int | None = Field(default=None, foreign_key="study.id", index=True)
    base: str = Field(index=True)
    dataset: str
    target: str  # the arm
    kind: str = "sft"  # of the training job: sft, dpo, ppo, grpo, rloo
    start: str = ""  # the model it began from as its spec names it; "": the base
    method: str  # lora | full
    seed: int = Field(sa_type=WIDE)
    folder: str
    weights: str = "adapter"  # adapter | full
    n_rows: int = 0
    n_dropped: int = 0
    n_tokens: int = Field(default=0, sa_type=WIDE)
    final_loss: float | None = None
    seconds: float = 0
    thinking_style: str = ""  # how it was taught to mark thinking; "": as its base's card says
    template_sha: str = ""  # of the chat template it was trained through
    health: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))  # None: not examined
    created_at: datetime = Field(default_factory=now)
