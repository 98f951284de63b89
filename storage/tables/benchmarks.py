"""Benchmark runs, one row a sample."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.tables.jobs import now


class BenchmarkRun(SQLModel, table=True):
    """One model on one benchmark. The figures can be recomputed from the samples."""

    id: int | None = Field(default=None, primary_key=True)
    job_id: int = Field(foreign_key="job.id", unique=True)
    study_id: int | None = Field(default=None, foreign_key="study.id", index=True)
    benchmark: str = Field(index=True)
    benchmark_version: str
    run_key: str  # sha256 of everything that changes an answer
    model_label: str
    base: str = Field(index=True)
    variant_id: int | None = Field(default=None, foreign_key="variant.id", index=True)
    arm: str = "base"  # base or the variant's target
    settings: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    n: int = 0
    n_correct: int = 0
    accuracy: float = 0
    ci_low: float = 0
    ci_high: float = 0
    n_unparsed: int = 0
    n_truncated: int = 0
    mean_tokens: float = 0
    seconds: float = 0
    created_at: datetime = Field(default_factory=now)


class BenchmarkSample(SQLModel, table=True):
    """One question of one run, whole: nothing that was generated is thrown away."""

    __table_args__ = (UniqueConstraint("run_id", "item_id", "epoch"),)

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="benchmarkrun.id", index=True)
    item_id: str
    epoch: int = 0
    subject: str = ""
    question: str
    gold: str
    raw_text: str
    think_text: str
    final_text: str
    think_state: str
    finish_reason: str
    n_prompt_tokens: int
    n_think_tokens: int
    n_answer_tokens: int
    parsed: str | None = None
    rule: str
    correct: bool
    seconds: float
    n_waits: int = 0  # how often an early end of the thought was turned into more thinking
    adaptation: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))  # None: answered as it is
    # {"mode", "neighbours": [{"id", "dataset", "similarity"}], "n_excluded", "loss_before", "loss_after", "seconds",
    # "weights_sha256"}: lab.engine.adapt.AdaptationReport with the examples' ids in the place of their texts
