"""What people ask of the line: order, pause; and what the line does by itself when a needed job did not succeed."""

from __future__ import annotations

from typing import Literal

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from lab.core.errors import LabError
from storage.database import Store
from storage.queries.jobs import get_job
from storage.queries.queue import in_line, set_paused
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
            line.insert(there, line.pop(here))
            _renumber(session, line, there)
            session.add(JobEvent(job_id=job.id, state="queued", why=f"moved from place {here + 1} to {there + 1}"))
    return job


def _renumber(session: Session, line: list[Job], there: int) -> None:
    """The moved job takes the priority of the job it went past; the ranks of that priority are dealt out anew."""
    job, past = line[there], line[there + 1] if there + 1 < len(line) else line[there - 1]
    before = line[there - 1] if there else None
    if not (before and before.priority >= job.priority >= past.priority):
        job.priority = past.priority
    equals = [other for other in line if other.priority == job.priority]
    ranks = sorted({other.rank for other in equals})
    if len(ranks) < len(equals):
        ranks = [min(ranks) + place for place in range(len(equals))]
    for other, rank in zip(equals, ranks, strict=True):
        other.rank = rank
        session.add(other)


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
        .order_by(col(Job.id), needed.id)
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
