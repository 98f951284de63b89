"""What people say of the rows of datasets. The rows themselves are files; nothing here changes one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel

from storage.tables.jobs import now


class RowReview(SQLModel, table=True):
    """One person's word on one row. Never changed and never deleted: the newest stands, the others are its history."""

    __table_args__ = (Index("ix_rowreview_data_row_id", "data", "row_id"),)

    id: int | None = Field(default=None, primary_key=True)
    data: str  # `lab.data.noted.NotedSet.key`: of other rows nothing has been said
    row_id: str
    verdict: str  # approved | rejected | edited | open: looked at and undecided, or a verdict taken back
    changes: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    # {field: its whole new value}, against the row of the file and not against an earlier review
    note: str = ""
    by: str
    at: datetime = Field(default_factory=now)
