"""What time it is in the store: the one clock that all machines share."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, select

from storage.tables.jobs import now


def store_now(session: Session) -> datetime:
    """UTC. On PostgreSQL the server's clock: two machines' own may differ by more than a heartbeat lasts."""
    if session.get_bind().dialect.name == "sqlite":  # one machine, one clock
        return now()
    return session.exec(select(func.clock_timestamp())).one()
