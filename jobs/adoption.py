"""What a new worker finds: jobs whose processes still run, jobs that ended meanwhile, jobs that never came to start."""

from __future__ import annotations

import os

from sqlmodel import Session, col, select

from jobs.leases import ACTIVE
from jobs.processes import Identity, identify, marked
from jobs.watching import Watched
from storage.database import Store
from storage.files import JobFolder, read_json
from storage.tables import Job, JobEvent


def adopt_all(store: Store, worker: str) -> dict[int, Watched]:
    """Every active job with its process, dead or alive; the first look settles the dead ones from their folders."""
    watched: dict[int, Watched] = {}
    with store.write() as session:
        for job in session.exec(select(Job).where(col(Job.state).in_(ACTIVE)).order_by(col(Job.id))):
            folder = JobFolder(store.home.absolute(job.folder))
            identity = _who(job, folder)
            if identity is None:
                _put_back(session, job)
                continue
            job.worker, job.pid = worker, identity.pid
            job.start_ticks, job.boot_id = identity.start_ticks, identity.boot_id
            session.add(job)
            why = "taken over by a new worker" if identity.alive() else "ended while no worker watched"
            session.add(JobEvent(job_id=job.id, state=job.state, why=why))
            watched[job.id] = Watched(job.id, job.uid, folder, identity, job.attempt)
    return watched


def _who(job: Job, folder: JobFolder) -> Identity | None:
    """The process of a job: from its row, its status file, or its mark. None: it never started."""
    if job.pid is not None and job.start_ticks is not None and job.boot_id is not None:
        return Identity(job.pid, job.start_ticks, job.boot_id)
    status = read_json(folder.status) or {}
    if status.get("attempt") == job.attempt:
        return Identity(status["pid"], status["start_ticks"], status["boot_id"])
    leaders = [pid for pid in marked(job.uid) if os.getpgid(pid) == pid]
    return identify(leaders[0]) if leaders else None


def _put_back(session: Session, job: Job) -> None:
    """The last worker was killed between the claim and the start."""
    job.state, job.worker, job.started_at, job.attempt = "queued", None, None, job.attempt - 1
    session.add(job)
    session.add(JobEvent(job_id=job.id, state="queued", why="the worker ended before the job had started"))
