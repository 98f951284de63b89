"""What a job holds while it runs, and which job may start next. Today: compute slots; GPUs will be leased here too.

A claim takes its slot in the same write transaction that changes the job's state, so nothing is claimed twice.
"""

from __future__ import annotations

from sqlalchemy import delete, func
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from storage.tables import Job, JobDependency, JobEvent, Metric, now

ACTIVE = ("starting", "running")


def free_slots(session: Session, slots: int) -> int:
    """Compute slots that no active job holds."""
    held = session.exec(select(func.sum(Job.slots)).where(col(Job.state).in_(ACTIVE))).one()
    return slots - (held or 0)


def claim(session: Session, worker: str, slots: int) -> Job | None:
    """The next job that may start, now 'starting' for this worker: highest priority, then oldest. None: nothing may."""
    needed = aliased(Job)
    unmet = (
        select(JobDependency.job_id)
        .join(needed, col(JobDependency.needs_id) == needed.id)
        .where(JobDependency.job_id == Job.id, needed.state != "succeeded")
    )
    query = (
        select(Job)
        .where(Job.state == "queued", Job.desired == "run", col(Job.slots) <= free_slots(session, slots))
        .where(~unmet.exists())
        .order_by(col(Job.priority).desc(), col(Job.id))
        .limit(1)
        .with_for_update(skip_locked=True)  # other databases; SQLite has one writer anyway
    )
    job = session.exec(query).first()
    if job is None:
        return None
    session.exec(delete(Metric).where(col(Metric.job_id) == job.id))  # curves of an earlier attempt
    job.state, job.worker, job.attempt = "starting", worker, job.attempt + 1
    job.events_offset, job.facts, job.result = 0, {}, None
    job.started_at, job.finished_at = now(), None
    session.add(job)
    session.add(JobEvent(job_id=job.id, state="starting", why=f"attempt {job.attempt}"))
    return job


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
