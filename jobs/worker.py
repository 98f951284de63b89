"""The worker: claims jobs, starts one process for each, reads in what they report, ends what should end.

It owns the state of every job that has left the queue. It may be killed at any moment: the job processes go on, the
next worker adopts those that still run and reads the verdict of those that ended meanwhile from their folders.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import traceback
from dataclasses import dataclass, field

from sqlmodel import col, select

from jobs.adoption import adopt_all
from jobs.keeper import WorkerLock, keeper_alive
from jobs.leases import cancel_hopeless, claim
from jobs.processes import own_identity
from jobs.starting import refuse, start_job
from jobs.watching import Watched, look_after
from lab.core.errors import LabError
from storage.database import Store
from storage.tables import ENDED, Job, Worker, now

TICK_S = 0.5
HEARTBEAT_S = 2.0
ENGINE_PATIENCE_S = 15.0  # a web process that restarts finds its engines again


@dataclass
class WorkerState:
    """What a worker holds in memory; all of it can be found again after a kill."""

    store: Store
    slots: int
    min_free_mib: int
    grace_s: float
    name: str = ""
    watched: dict[int, Watched] = field(default_factory=dict)
    beat_at: float = 0.0
    alone_since: float | None = None  # since when no keeper lives

    def say(self, text: str) -> None:
        print(f"{now():%Y-%m-%d %H:%M:%S} {text}", flush=True)


def run_worker(
    store: Store, slots: int = 1, stop: threading.Event | None = None, *, kept: bool = False, grace_s: float = 10.0,
    min_free_mib: int = 200,
) -> None:
    """Work until `stop` is set, or, when `kept`, until nothing is left to do and no keeper lives.

    Raises LabError when another worker serves this store. Jobs that run are left running.
    """
    lock = WorkerLock(store.home)
    stop = stop or threading.Event()
    state = WorkerState(store, slots, min_free_mib, grace_s)
    try:
        _register(state)
        state.watched = adopt_all(store, state.name)
        while not stop.is_set() and lock.still_there():
            if not _tick_safely(state):
                stop.wait(5 * TICK_S)
            elif kept and _may_leave(state):
                break
            stop.wait(TICK_S)
        _unregister(state)
    finally:
        lock.release()


def _register(state: WorkerState) -> None:
    me = own_identity()
    state.name = f"{socket.gethostname()}:{me.pid}:{me.start_ticks}"
    with state.store.write() as session:
        for old in session.exec(select(Worker).where(Worker.host == socket.gethostname())):
            session.delete(old)  # the lock says that they are gone
        session.add(Worker(name=state.name, host=socket.gethostname(), pid=os.getpid(), slots=state.slots))
    state.say(f"worker {state.name} serves {state.store.home} with {state.slots} slot(s)")


def _unregister(state: WorkerState) -> None:
    try:
        with state.store.write() as session:
            row = session.get(Worker, state.name)
            if row:
                session.delete(row)
    except Exception:  # LAB_HOME may be gone: that is why we leave
        state.say("left without signing off")


def _tick_safely(state: WorkerState) -> bool:
    """One tick; a full disk or a busy store makes the worker wait, never end. False: it should wait longer."""
    try:
        tick(state)
    except LabError as error:
        state.say(str(error))
        return False
    except Exception:  # a bug in one tick must not leave every job unattended
        state.say(traceback.format_exc())
        return False
    return True


def tick(state: WorkerState) -> None:
    """Look after what runs, then start what may start."""
    _heartbeat(state)
    for job_id, watched in list(state.watched.items()):
        try:
            if look_after(state.store, watched, state.grace_s):
                del state.watched[job_id]
                state.say(f"job {job_id} ended")
        except OSError as error:  # the job's folder cannot be read or written now; its neighbours must not wait for it
            state.say(f"job {job_id}: {error}")
    with state.store.read() as session:
        waiting = session.exec(select(Job.id).where(Job.state == "queued").limit(1)).first()
    while waiting is not None and _start_next(state):
        continue


def _heartbeat(state: WorkerState) -> None:
    if time.monotonic() - state.beat_at < HEARTBEAT_S:
        return
    with state.store.write() as session:
        row = session.get(Worker, state.name)
        if row:
            row.heartbeat_at = now()
            session.add(row)
    state.beat_at = time.monotonic()


def _start_next(state: WorkerState) -> bool:
    """Claim and start one job. False when none may start now."""
    with state.store.write() as session:
        cancel_hopeless(session)
        job = claim(session, state.name, state.slots)
    if job is None:
        return False
    try:
        state.watched[job.id] = start_job(state.store, job, state.slots, state.min_free_mib)
        state.say(f"job {job.id} ({job.name}) started")
    except Exception as error:  # whatever stands in the way becomes the job's reason
        refuse(state.store, job, error)
        state.say(f"job {job.id} ({job.name}) could not start: {error}")
    return True


def _may_leave(state: WorkerState) -> bool:
    """Whether a kept worker is done: no keeper, nothing queued, nothing running; idle engines are asked to end."""
    if keeper_alive(state.store.home):
        state.alone_since = None
        return False
    state.alone_since = state.alone_since or time.monotonic()
    with state.store.write() as session:
        left = session.exec(select(Job).where(col(Job.state).not_in(ENDED))).all()
        if any(job.slots for job in left):
            return False
        if time.monotonic() - state.alone_since > ENGINE_PATIENCE_S:
            for job in left:
                job.desired = "cancel"
                session.add(job)
    return not left


