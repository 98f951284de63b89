"""What people ask of the line: order, pause; and what the line does by itself when a needed job did not succeed."""

from __future__ import annotations

from typing import Literal

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from lab.core.errors import LabError
from storage.database import Store
from storage.queries.jobs import get_job
from storage.queries.queue import in_line, next_rank, set_paused
from storage.tables import Job, JobDependency, JobEvent, now

Move = Literal["first", "up", "down", "last"]


def move(store: Store, job_id: int | str, to: Move) -> Job:
    """Change a waiting job's place. Going past a job of another priority takes over its priority."""
    with store.write() as session:
        job = get_job(session, job_id)
        if job.state != "queued":
            raise LabError(f"job {job.id} is {job.state}; only a queued job has a place in the line.", "spec")
        query = select(Job).where(Job.state == "queued", Job.run_on == job.run_on, Job.lane == job.lane)
        line = list(session.exec(query.order_by(*in_line())))
        here = next(i for i, other in enumerate(line) if other.id == job.id)
        there = {"first": 0, "up": max(0, here - 1), "down": min(len(line) - 1, here + 1), "last": len(line) - 1}[to]
        if there != here:
            _put(session, job, [other for other in line if other.id != job.id], there)
            session.add(JobEvent(job_id=job.id, state="queued", why=f"moved from place {here + 1} to {there + 1}"))
    return job


def _put(session: Session, job: Job, others: list[Job], there: int) -> None:
    """Between its new neighbours: the priority of the one it is put beside, a rank between the two."""
    before = others[there - 1] if there > 0 else None
    after = others[there] if there < len(others) else None
    beside = after or before
    assert beside is not None, "a line of one job has no other place"
    job.priority = beside.priority
    low = before.rank if before and before.priority == job.priority else None
    high = after.rank if after and after.priority == job.priority else None
    if low is None and high is None:
        job.rank = next_rank(session)
    elif low is None or high is None:
        job.rank = high - 1 if high is not None else low + 1  # type: ignore[operator]
    else:
        job.rank = (low + high) / 2
    session.add(job)


def pause(store: Store, paused: bool) -> None:
    """Start nothing new until the queue goes on. What runs goes on running."""
    with store.write() as session:
        set_paused(session, paused)


def cancel_hopeless(session: Session) -> list[Job]:
    """Cancel queued jobs whose needed job failed or was cancelled; says which."""
    needed = aliased(Job)
    query = (
        select(Job, needed)
        .join(JobDependency, col(JobDependency.job_id) == Job.id)
        .join(needed, col(JobDependency.needs_id) == needed.id)
        .where(Job.state == "queued", needed.state.in_(("failed", "cancelled")))
    )
    cancelled = {}
    for job, cause in session.exec(query):
        if job.id not in cancelled:
            cancelled[job.id] = job
            verb = "failed" if cause.state == "failed" else "was cancelled"
            message = f"It needs job {cause.id} ({cause.name}), which {verb}. Retry either to run both."
            job.state, job.reason, job.message, job.finished_at = "cancelled", "dependency", message, now()
            session.add(job)
            session.add(JobEvent(job_id=job.id, state="cancelled", why=message))
    return list(cancelled.values())
