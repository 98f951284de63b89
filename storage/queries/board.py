"""What one look at the queue reads, in as few queries as it can: a page of jobs, who waits for whom, who holds what.

The Jobs page asks every two seconds, with any number of jobs in the store. Reads only.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_
from sqlmodel import Session, col, select

from storage.queries.queue import PAUSED, in_line
from storage.tables import Device, Job, JobDependency, JobEvent, Setting

LOST = "lost"


@dataclass(frozen=True)
class Wanted:
    """Which jobs to list. `states` None: all of them. `was_lost`: only those whose process was lost at least once."""

    states: tuple[str, ...] | None = None
    study: int | None = None
    search: str = ""
    was_lost: bool = False


def page_of_jobs(
    session: Session, wanted: Wanted, offset: int = 0, limit: int = 20, by_line: bool = False
) -> tuple[list[Job], int]:
    """(rows of this page, number of rows in all): newest first, or what runs and then the line in its order."""
    query = select(Job).where(*_conditions(wanted))
    total = session.exec(select(func.count(col(Job.id))).where(*_conditions(wanted))).one()
    order = (col(Job.state) == "queued", *in_line()) if by_line else (col(Job.id).desc(),)
    return list(session.exec(query.order_by(*order).offset(offset).limit(limit))), total


def _conditions(wanted: Wanted) -> list[object]:
    found: list[object] = []
    if wanted.states is not None:
        found.append(col(Job.state).in_(wanted.states))
    if wanted.study is not None:
        found.append(Job.study_id == wanted.study)
    if wanted.was_lost:
        found.append(col(Job.id).in_(select(JobEvent.job_id).where(JobEvent.state == LOST)))
    if text := wanted.search.strip():
        found.append(or_(*(col(c).icontains(text, autoescape=True) for c in (Job.name, Job.kind, Job.uid))))
    return found


def unmet_needs(session: Session, job_ids: Collection[int]) -> dict[int, list[int]]:
    """Job → the jobs it needs that have not succeeded yet."""
    query = (
        select(JobDependency.job_id, JobDependency.needs_id)
        .join(Job, col(JobDependency.needs_id) == col(Job.id))
        .where(col(JobDependency.job_id).in_(job_ids), Job.state != "succeeded")
        .order_by(col(JobDependency.needs_id))
    )
    found: dict[int, list[int]] = {}
    for job_id, needs_id in session.exec(query):
        found.setdefault(job_id, []).append(needs_id)
    return found


def holders(session: Session, devices: Sequence[Device]) -> dict[int, Job]:
    """The jobs that hold these devices, by number."""
    ids = {device.job_id for device in devices if device.job_id is not None}
    jobs = session.exec(select(Job).where(col(Job.id).in_(ids))) if ids else ()
    return {job.id: job for job in jobs if job.id is not None}


def paused_since(session: Session) -> datetime | None:
    """When the queue was paused, if it is."""
    row = session.get(Setting, PAUSED)
    return row.changed_at if row and row.value.get("paused") else None


def lost_and_waiting(session: Session, limit: int = 6) -> list[Job]:
    """Jobs whose process was lost and that wait to go on, in the order of the line."""
    again = col(Job.started_at).is_not(None)  # a retry begins without a start
    query = select(Job).where(Job.state == "queued", again).order_by(*in_line())
    return list(session.exec(query.limit(limit)))
