"""Which jobs a worker takes on for a cluster: those that a dead worker left, and those that wait in the lab's line."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func
from sqlmodel import Session, col, select

from jobs.clusters.cluster import Cluster
from jobs.leases import ACTIVE, begin_attempt
from jobs.processes import Identity
from jobs.slurm.commands import Unreachable
from storage.clock import store_now
from storage.queries.queue import is_paused, ready_jobs
from storage.tables import Job, JobEvent, Worker

SILENT = timedelta(minutes=2)  # a worker of another machine that was not heard of since then no longer looks


def adopt(cluster: Cluster) -> None:
    """Jobs of this profile whose worker is gone, and this worker's own that it does not hold."""
    if not _left(cluster):
        return
    with cluster.store.write() as session:
        left = [job for job in _active(session, cluster.run_on) if _is_left(session, cluster, job)]
        for job in left:
            if job.worker != cluster.worker:
                job.worker = cluster.worker
                session.add(job)
                session.add(JobEvent(job_id=job.id, state=job.state, why="taken over by another worker"))
    for job in left:
        cluster.take(job)


def _left(cluster: Cluster) -> bool:
    with cluster.store.read() as session:
        return any(_is_left(session, cluster, job) for job in _active(session, cluster.run_on))


def _active(session: Session, run_on: str) -> list[Job]:
    query = select(Job).where(col(Job.state).in_(ACTIVE), Job.run_on == run_on)
    return list(session.exec(query.order_by(col(Job.id))))


def _is_left(session: Session, cluster: Cluster, job: Job) -> bool:
    if job.id in cluster.seen and cluster.seen[job.id].attempt == job.attempt:
        return False
    return job.worker == cluster.worker or not _lives(session, job.worker, cluster.host)


def _lives(session: Session, worker: str | None, host: str) -> bool:
    row = session.get(Worker, worker) if worker else None
    if row is None:
        return False
    if row.host == host:
        return Identity(row.pid, row.start_ticks, row.boot_id).alive()
    return store_now(session) - row.heartbeat_at < SILENT


def claim(cluster: Cluster) -> None:
    """As many waiting jobs as the profile allows to be in Slurm's queue at the same time. They are sent next."""
    if cluster.answered is False:
        return
    with cluster.store.read() as session:
        if not _next(session, cluster):
            return
    if cluster.answered is None and isinstance(cluster.engine.commands.queue(), Unreachable):
        return  # they wait in the lab's line, where another machine's worker may take them
    with cluster.store.write() as session:
        claimed = _next(session, cluster)
        for job in claimed:
            begin_attempt(session, job, cluster.worker, f"Slurm, profile {cluster.profile.name}")
            job.started_at = None  # it starts when Slurm starts it
            job.cluster = {"profile": cluster.profile.name}
    for job in claimed:
        cluster.take(job)


def _next(session: Session, cluster: Cluster) -> list[Job]:
    """The first of the line that find room. Every worker's jobs of this profile count."""
    if is_paused(session):
        return []
    query = select(func.count()).select_from(Job).where(col(Job.state).in_(ACTIVE), Job.run_on == cluster.run_on)
    room = cluster.profile.max_jobs - session.exec(query).one()
    return ready_jobs(session, cluster.run_on, room) if room > 0 else []
