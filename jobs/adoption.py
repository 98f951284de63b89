"""Jobs whose worker is gone: their processes still run, have ended meanwhile, or never came to start.

A worker takes over the jobs of its own machine as soon as the worker that started them is dead: pid, start time and
boot id say so for certain. The jobs of another machine are not touched, since nobody here can tell whether they still
run; a person who knows that it does not come back says so with `forget_machine`. One case is certain: SQLite serves one
machine, so another name there is this machine's old one (a container that was made anew), and a job whose folder nobody
holds a lock on does not run.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from datetime import timedelta

from sqlmodel import Session, and_, col, delete, or_, select

from jobs.endings import Left, Outcome, end_attempt
from jobs.leases import ACTIVE, release
from jobs.processes import Identity, identify, marked
from jobs.watching import Watched
from lab.core.errors import LabError, nearest
from storage.clock import store_now
from storage.database import Store
from storage.files import JobFolder, read_json
from storage.tables import Device, Job, JobEvent, Worker

GONE = Identity(-1, -1, "under another name")
RENAMED = timedelta(seconds=30)
SILENT = timedelta(minutes=3)  # a machine that was heard of since then is not given up


def dead_workers(session: Session, host: str) -> list[Worker]:
    """Workers of this machine that signed on and whose process is gone."""
    known = session.exec(select(Worker).where(Worker.host == host))
    return [row for row in known if not Identity(row.pid, row.start_ticks, row.boot_id).alive()]


def abandoned(session: Session, host: str, worker: str = "", watched: Iterable[int] = ()) -> list[Job]:
    """Active jobs of this machine that nobody looks after: those of dead workers, and those that `worker` itself
    claimed and does not watch, because the store could not be reached in the middle of the start."""
    living = [row.name for row in session.exec(select(Worker).where(Worker.host == host))]
    forgotten = and_(col(Job.worker) == worker, col(Job.id).not_in(list(watched)))
    query = select(Job).where(
        col(Job.state).in_(ACTIVE), Job.host == host, Job.run_on == "", or_(col(Job.worker).not_in(living), forgotten)
    )
    return list(session.exec(query.order_by(col(Job.id))))


def adopt_abandoned(store: Store, worker: str, host: str, mine: Iterable[int] = ()) -> dict[int, Watched]:
    """Take over what dead workers left, each with its process, dead or alive; the first look settles the dead ones.

    `mine` are the jobs that `worker` watches already.
    """
    mine, watched = list(mine), {}
    with store.read() as session:
        renamed = _of_an_old_name(session, store, host)
        if not dead_workers(session, host) and not abandoned(session, host, worker, mine) and not renamed:
            return {}
    with store.write() as session:
        for job_id in renamed:
            job = session.get_one(Job, job_id)
            job.worker, job.host = worker, host
            session.add(job)
            folder = JobFolder(store.home.absolute(job.folder))
            watched[job_id] = Watched(job_id, job.uid, folder, GONE, job.attempt, worker)
        session.flush()
        mine += renamed
        for dead in dead_workers(session, host):
            session.delete(dead)
        session.flush()
        for job in abandoned(session, host, worker, mine):
            folder = JobFolder(store.home.absolute(job.folder))
            identity = _who(job, folder)
            if identity is None:
                _put_back(session, job)
                continue
            job.worker, job.pid = worker, identity.pid
            job.start_ticks, job.boot_id = identity.start_ticks, identity.boot_id
            session.add(job)
            why = "taken over by another worker" if identity.alive() else "ended while no worker watched"
            session.add(JobEvent(job_id=job.id, state=job.state, why=why))
            asked = bool((read_json(folder.control) or {}).get("yield"))
            watched[job.id] = Watched(job.id, job.uid, folder, identity, job.attempt, worker, yields=asked)
    return watched


def _of_an_old_name(session: Session, store: Store, host: str) -> list[int]:
    """Active jobs that this machine started under another name, of which nothing runs any more."""
    if session.get_bind().dialect.name != "sqlite":
        return []
    since = store_now(session) - RENAMED
    living = [row.name for row in session.exec(select(Worker).where(Worker.heartbeat_at > since))]
    query = select(Job).where(
        col(Job.state).in_(ACTIVE), Job.host != host, Job.run_on == "", col(Job.worker).not_in(living)
    )
    return [job.id for job in session.exec(query) if not _held(JobFolder(store.home.absolute(job.folder)))]


def forget_old_names(session: Session, host: str) -> None:
    """On SQLite: workers and free devices that this machine had under another name, once nothing was heard of them."""
    if session.get_bind().dialect.name != "sqlite":
        return
    since = store_now(session) - RENAMED
    session.exec(delete(Worker).where(col(Worker.host) != host, col(Worker.heartbeat_at) < since))
    served = select(Worker.host)
    session.exec(delete(Device).where(
        col(Device.host) != host, col(Device.job_id).is_(None), col(Device.host).not_in(served)
    ))


def _held(folder: JobFolder) -> bool:
    """Whether a process works in the folder: its lock tells, whatever container the process is in."""
    try:
        with folder.lock.open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _who(job: Job, folder: JobFolder) -> Identity | None:
    """The process of a job: from its row, its status file, or its mark. None: it never started."""
    if job.pid is not None and job.start_ticks is not None and job.boot_id is not None:
        return Identity(job.pid, job.start_ticks, job.boot_id)
    status = read_json(folder.status) or {}
    if status.get("attempt") == job.attempt:
        return Identity(status["pid"], status["start_ticks"], status["boot_id"])
    # A process that is just being born does not show its mark yet. It ends by itself when it finds no job.json, and one
    # that has read it shows its mark.
    folder.job_json.unlink(missing_ok=True)
    return next(filter(None, (identify(pid) for pid in marked(job.uid) if _leads(pid))), None)


def _leads(pid: int) -> bool:
    try:
        return os.getpgid(pid) == pid
    except ProcessLookupError:  # it has gone since it was seen
        return False


def _put_back(session: Session, job: Job) -> None:
    """The worker was killed between the claim and the start."""
    if job.desired == "cancel":  # nobody looks at the wish of a job that waits
        end_attempt(session, job, Outcome("cancelled"), None, Left(job.checkpoint_step))
        return
    release(session, job)
    job.state, job.worker, job.host, job.started_at = "queued", None, None, None
    session.add(job)
    session.add(JobEvent(job_id=job.id, state="queued", why="the worker ended before the job had started"))


def forget_machine(store: Store, host: str) -> list[Job]:
    """Send the jobs of a machine that does not come back to the line again, and drop its devices and workers.

    LabError when it is not known, or shows signs of life: its jobs would then run twice.
    """
    with store.write() as session:
        known = list(session.exec(select(Device).where(Device.host == host)))
        jobs = list(session.exec(select(Job).where(Job.host == host, col(Job.state).in_(ACTIVE), Job.run_on == "")))
        signs = list(session.exec(select(Worker).where(Worker.host == host)))
        if not (known or jobs or signs):
            hosts = sorted(set(session.exec(select(Device.host))))
            raise LabError(f"no machine called '{host}' has served this store. {nearest(host, hosts)}", "spec")
        if any(store_now(session) - row.heartbeat_at < SILENT for row in signs):
            raise LabError(f"a worker of {host} gave a sign of life within the last {SILENT.seconds // 60} minutes. "
                           "Stop it and the jobs there first, or wait: a job must not run twice.", "spec")
        for job in jobs:
            outcome = Outcome("lost", "lost", f"Its machine, {host}, was given up.")
            left = store.home.job(job.uid).checkpoints.last_whole()
            end_attempt(session, job, outcome, None, Left(left.step if left else 0, most_losses=1000))
        session.flush()
        for row in [*known, *signs]:
            session.delete(row)
    return jobs
