"""The line: what may start next, who waits for what, how long it may take, and whether the queue is paused. Reads, and
the two settings of the queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heapreplace
from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from storage.tables import Device, Job, JobDependency, Setting, now

PAUSED = "queue_paused"
LIKE_LAST = 20  # how many ended jobs of a kind an estimate rests on
MOST_READY = 200  # so many jobs of the line are looked at for one claim or one estimate
UNKNOWN = float("inf")


def in_line():
    """The order of the line: higher priority first, then lower rank."""
    return col(Job.priority).desc(), col(Job.rank), col(Job.id)


def unmet():
    """SQL condition of a job: something it needs has not succeeded."""
    needed = aliased(Job)
    query = (
        select(JobDependency.job_id)
        .join(needed, col(JobDependency.needs_id) == needed.id)
        .where(JobDependency.job_id == Job.id, needed.state != "succeeded")
    )
    return query.exists()


def ready_jobs(session: Session, run_on: str = "", limit: int = MOST_READY) -> list[Job]:
    """Queued jobs whose needs are met, in the order of the line."""
    query = select(Job).where(Job.state == "queued", Job.desired == "run", Job.run_on == run_on, ~unmet())
    return list(session.exec(query.order_by(*in_line()).limit(limit)))


def is_paused(session: Session) -> bool:
    """Whether nothing new is to start."""
    row = session.get(Setting, PAUSED)
    return bool(row and row.value.get("paused"))


def set_paused(session: Session, paused: bool) -> None:
    row = session.get(Setting, PAUSED) or Setting(key=PAUSED)
    row.value, row.changed_at = {"paused": paused}, now()
    session.add(row)


def devices(session: Session) -> list[Device]:
    """Every machine's devices, by machine."""
    return list(session.exec(select(Device).order_by(Device.host, Device.kind, func.length(Device.name), Device.name)))


@dataclass(frozen=True)
class Place:
    """Where a queued job stands. `seconds` until it may start is an estimate; None where nothing is known."""

    number: int
    seconds: float | None


def line(session: Session) -> dict[int, Place]:
    """Every queued job's place in its line, with an estimate of when it starts.

    The estimate plays the line through: devices become free when their job's time left is over; each waiting job then
    takes them for as long as the last jobs of its kind took. What a job needs must have ended before.
    """
    told = (Job.id, Job.kind, Job.run_on, Job.lane, Job.eta_s, Job.started_at)  # whole rows would cost ten times that
    queued = session.exec(select(*told).where(Job.state == "queued", Job.desired == "run").order_by(*in_line())).all()
    running = session.exec(select(*told).where(col(Job.state).in_(("starting", "running")))).all()
    lasting = {kind: mean_seconds(session, kind) for kind in {job.kind for job in [*queued, *running]}}
    found: dict[int, Place] = {}
    ends = {job.id: _left(job, lasting[job.kind]) for job in running}
    needs = _needs(session, queued)
    for run_on, lane in dict.fromkeys((job.run_on, job.lane) for job in queued):
        mine = [job for job in queued if (job.run_on, job.lane) == (run_on, lane)]
        busy = [ends[job.id] for job in running if (job.run_on, job.lane) == (run_on, lane)]
        slots = _n_devices(session, lane) if not run_on else len(busy) + len(mine)  # a cluster's line is its own
        starts = _play(mine, [*busy, *[0.0] * max(0, slots - len(busy))] or [UNKNOWN], needs, ends, lasting)
        found |= {job.id: Place(i, starts[job.id]) for i, job in enumerate(mine, 1)}
    return found


def _play(
    queued: Sequence[Any], free_at: Sequence[float], needs: Mapping[int | None, Sequence[int]],
    ends: dict[int | None, float], lasting: Mapping[str, float | None],
) -> dict[int | None, float | None]:
    """Seconds from now at which each job starts; None where it is not known. `ends` grows by what is found."""
    slots, waiting = list(free_at), list(queued)
    heapify(slots)
    starts: dict[int | None, float | None] = {}
    while waiting and slots[0] < UNKNOWN and len(starts) < MOST_READY:
        first = next((i for i, job in enumerate(waiting) if _ready_at(needs.get(job.id, ()), ends) <= slots[0]), None)
        if first is None:
            heapreplace(slots, min(_ready_at(needs.get(job.id, ()), ends) for job in waiting))
            continue
        job = waiting.pop(first)
        starts[job.id] = slots[0]
        last = lasting[job.kind]
        ends[job.id] = slots[0] + last if last is not None else UNKNOWN
        heapreplace(slots, ends[job.id])
    return {job.id: starts.get(job.id) for job in queued}


def _ready_at(needed: Sequence[int], ends: Mapping[int | None, float]) -> float:
    """When everything a job needs has ended."""
    return max((ends.get(other, UNKNOWN) for other in needed), default=0.0)


def _needs(session: Session, queued: Sequence[Any]) -> dict[int, list[int]]:
    """What each waiting job needs and has not got yet."""
    needed = aliased(Job)
    query = (
        select(JobDependency.job_id, JobDependency.needs_id)
        .join(needed, col(JobDependency.needs_id) == needed.id)
        .where(needed.state != "succeeded")
    )
    waiting = {job.id for job in queued}
    found: dict[int, list[int]] = {}
    for job_id, needs_id in session.exec(query):
        if job_id in waiting:
            found.setdefault(job_id, []).append(needs_id)
    return found


def _left(job: Any, lasting: float | None) -> float:
    if job.eta_s is not None:
        return job.eta_s
    if lasting is None or job.started_at is None:
        return UNKNOWN
    return max(0.0, lasting - (now() - job.started_at).total_seconds())


def _n_devices(session: Session, lane: str) -> int:
    kinds = ("gpu", "chat" if lane == "chat" else "cpu")
    query = select(func.count()).select_from(Device).where(col(Device.kind).in_(kinds), Device.blocked == "")
    return session.exec(query).one()


def mean_seconds(session: Session, kind: str, last: int = LIKE_LAST) -> float | None:
    """Mean run time of the last succeeded jobs of a kind: what an estimate of a queued one rests on."""
    query = select(Job.started_at, Job.finished_at).where(Job.kind == kind, Job.state == "succeeded")
    times = [
        (finished - started).total_seconds()
        for started, finished in session.exec(query.order_by(col(Job.id).desc()).limit(last)) if finished and started
    ]
    return sum(times) / len(times) if times else None


def next_rank(session: Session) -> float:
    """The rank behind every job there is."""
    return (session.exec(select(func.max(Job.rank))).one() or 0) + 1
