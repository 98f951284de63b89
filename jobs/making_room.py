"""Who should end although nobody cancelled it: an idle service whose device a job waits for, and a kept worker with
nothing left to do."""

from __future__ import annotations

import time

from sqlmodel import col, select

from jobs.keeper import keeper_alive
from jobs.leases import in_the_way
from jobs.watching import ask_to_yield
from jobs.worker_state import WorkerState
from storage.queries.queue import devices, is_paused
from storage.tables import ENDED, Job

ENGINE_PATIENCE_S = 15.0  # a web process that restarts finds its engines again


def make_room(state: WorkerState, line: list[Job]) -> None:
    """Ask idle services to end when a job waits for what they hold; take the word back when none does any more."""
    services = [job_id for job_id, watched in state.watched.items()]
    if not services:
        return
    with state.store.read() as session:
        held = list(session.exec(select(Job).where(col(Job.id).in_(services), Job.lane == "chat")))
        mine = [device for device in devices(session) if device.host == state.options.host]
        waits = [] if is_paused(session) else [job for job in line if not job.run_on]
    asked = {job.id for job in in_the_way(waits, mine, held)}
    for job in held:
        ask_to_yield(state.watched[job.id], job.id in asked)


def may_leave(state: WorkerState) -> bool:
    """Whether a kept worker is done: no keeper, nothing queued, nothing running; idle engines are asked to end."""
    if keeper_alive(state.store.home):
        state.alone_since = None
        return False
    state.alone_since = state.alone_since or time.monotonic()
    with state.store.read() as session:
        left = list(session.exec(select(Job).where(col(Job.state).not_in(ENDED))))
        if any(job.lane == "work" for job in left) and not is_paused(session):
            return False
        left = [job for job in left if job.state != "queued"]
    if left and time.monotonic() - state.alone_since > ENGINE_PATIENCE_S:
        with state.store.write() as session:
            for job in session.exec(select(Job).where(col(Job.id).in_([job.id for job in left]), Job.lane == "chat")):
                job.desired = "cancel"
                session.add(job)
    return not left
