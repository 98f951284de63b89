"""Comparisons of the Compare page, turn by turn, and the remote endpoints that can be asked like any model.

A comparison is a conversation with two or more columns, not a measurement: benchmark runs are in tables of their own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.tables.jobs import now


class Comparison(SQLModel, table=True):
    """One conversation side by side. A draft until it is saved; drafts are forgotten after a while."""

    id: int | None = Field(default=None, primary_key=True)
    uid: str = Field(unique=True, max_length=12)  # 12 hex digits: part of its link
    title: str = ""
    saved: bool = False
    blind: bool = False  # names after the vote
    columns: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    # [{"ref", "label", "arm", "base", "kind", "settings": {…}}], left to right
    created_at: datetime = Field(default_factory=now)
    updated_at: datetime = Field(default_factory=now, index=True)


class ComparisonTurn(SQLModel, table=True):
    """One question of a comparison with what every column answered."""

    __table_args__ = (UniqueConstraint("comparison_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    comparison_id: int = Field(foreign_key="comparison.id", index=True)
    number: int  # 0, 1, …
    question: str
    benchmark: str = ""  # where the question was picked from, if it was
    item: str = ""
    answers: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    # [{"column", "stats", "error", "phase": done | failed | stopped, "thought", "answer", "notes"}]
    vote: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    created_at: datetime = Field(default_factory=now)


class Endpoint(SQLModel, table=True):
    """A remote model behind an OpenAI-compatible address. `key_env` names a variable; a key is never stored."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)  # the model reference is 'remote:<name>'
    url: str  # up to and with /v1, without a slash at its end
    model: str  # the name under which the endpoint serves it
    key_env: str = ""
    notes: str = ""
    created_at: datetime = Field(default_factory=now)
