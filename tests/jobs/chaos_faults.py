"""What must be true of store and machine during and after the chaos. Each finding is a sentence; no finding is well."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlmodel import Session, select

from jobs.leases import ACTIVE
from jobs.processes import MARK, Identity, start_ticks
from storage.database import Store
from storage.queries.jobs import events, metrics
from storage.tables import ENDED, Device, Job, Metric, Worker
from tests.jobs.chaos_tasks import VIOLATIONS, witness_folder

NEXT = {  # which change of state may follow which
    "": {"queued"}, "queued": {"starting", "cancelled"}, "starting": {"starting", "running", "queued", "lost", *ENDED},
    "running": {"running", "lost", *ENDED}, "lost": {"queued"}, **{state: set() for state in ENDED},
}


@dataclass(frozen=True)
class Expected:
    """What a job may end as, and what it then must have left."""

    states: frozenset[str]
    steps: int
    reason: str | None = None


def lease_faults(session: Session) -> list[str]:
    """At any moment: whoever is active holds exactly its devices, and nobody else holds one."""
    held: dict[int, int] = {}
    for device in session.exec(select(Device)):
        if device.job_id is not None:
            held[device.job_id] = held.get(device.job_id, 0) + 1
    found = []
    for job in session.exec(select(Job)):
        wanted = job.devices if job.state in ACTIVE else 0
        if held.get(job.id, 0) != wanted:
            found.append(f"job {job.id} is {job.state} and holds {held.get(job.id, 0)} device(s) instead of {wanted}")
    return found


def work_faults(store: Store) -> list[str]:
    """At any moment: of a job that is not active, no process works. The kernel tells who holds the lock of its work."""
    folder, before = witness_folder(store.home.path), _inactive(store)
    inodes = {line.split()[5].rpartition(":")[2] for line in Path("/proc/locks").read_text().splitlines()
              if "FLOCK" in line and "->" not in line}
    at_work = [uid for _, uid, _, _ in before if _inode(folder / f"{uid}.lock") in inodes]
    still = _inactive(store) & before if at_work else set()  # it may have started between the two looks
    return [f"job {job_id} is {state}, and a process of it works" for job_id, uid, state, _ in still if uid in at_work]


def _inactive(store: Store) -> set[tuple[int | None, str, str, int]]:
    with store.read() as session:
        return set(session.exec(select(Job.id, Job.uid, Job.state, Job.attempt).where(Job.state.not_in(ACTIVE))))


def _inode(path: Path) -> str | None:
    return str(path.stat().st_ino) if path.exists() else None


def ending_faults(store: Store, expected: dict[int, Expected]) -> list[str]:
    """Every job ended once, as it should, with its result and with each of its metrics once."""
    found: list[str] = []
    with store.read() as session:
        jobs = {job.id: job for job in session.exec(select(Job))}
        for job_id, wanted in expected.items():
            job = jobs[job_id]
            found += _verdict(job, wanted, {jobs[need].state for need in _needs(session, job_id)})
            found += _history(session, job)
            found += _curve(session, job, wanted)
    return found


def _needs(session: Session, job_id: int) -> list[int]:
    return [row[0] for row in session.execute(
        text("SELECT needs_id FROM jobdependency WHERE job_id = :job"), {"job": job_id})]


def _verdict(job: Job, wanted: Expected, needed: set[str]) -> list[str]:
    if needed & {"failed", "cancelled"}:
        wanted = Expected(frozenset({"cancelled"}), wanted.steps)
    found = []
    if job.state not in wanted.states:
        found.append(f"job {job.id} ({job.kind}) is {job.state} ({job.reason}: {job.message}), and should be one of "
                     f"{', '.join(sorted(wanted.states))}")
    if job.state == "succeeded" and (job.result or {}).get("sum") != sum(range(wanted.steps)):
        found.append(f"job {job.id} has the result {job.result}")
    if job.state == "failed" and job.reason != wanted.reason:
        found.append(f"job {job.id} failed for {job.reason} ({job.message}), and should for {wanted.reason}")
    return found


def _history(session: Session, job: Job) -> list[str]:
    """Its changes of state make sense, and the last one is its only end."""
    found, before, n_starts = [], "", 0
    for event in events(session, job.id):
        if event.state not in NEXT[before]:
            found.append(f"job {job.id} went from {before or 'nothing'} to {event.state} ({event.why})")
        n_starts += event.state == "starting" and event.why.startswith("attempt")
        before = event.state
    if before != job.state:
        found.append(f"job {job.id} is {job.state}, and its last event is {before}")
    if n_starts != job.attempt:
        found.append(f"job {job.id} is at attempt {job.attempt}, and was started {n_starts} times")
    return found


def _curve(session: Session, job: Job, wanted: Expected) -> list[str]:
    points = metrics(session, job.id, "height", max_points=10**6)
    whole = [(step, float(step)) for step in range(wanted.steps)]
    complete = job.state == "succeeded" or (job.state == "failed" and job.reason == wanted.reason)
    right = points == whole if complete else points == whole[: len(points)]
    return [] if right else [f"job {job.id} ({job.state}) has the points {[step for step, _ in points]}"]


def final_faults(store: Store) -> list[str]:
    """After the quiet, with the workers still there: the store is sound, and nothing dead is believed to live."""
    found = []
    with store.read() as session:
        if (verdict := session.execute(text("PRAGMA integrity_check")).scalar()) != "ok":
            found.append(f"integrity_check: {verdict}")
        found += [f"{device.name} is still leased to job {device.job_id}" for device in session.exec(select(Device))
                  if device.job_id is not None]
        found += [f"the dead worker {row.name} is still listed" for row in session.exec(select(Worker))
                  if not Identity(row.pid, row.start_ticks, row.boot_id).alive()]
        twice = "SELECT job_id, step FROM metric GROUP BY job_id, name, step HAVING count(*) > 1"
        found += [f"job {job_id} has step {step} twice" for job_id, step in session.execute(text(twice))]
        strays = session.exec(select(Metric.job_id).where(Metric.job_id.not_in(select(Job.id)))).all()
        found += [f"a metric of job {job_id}, which is not there" for job_id in strays]
    violations = witness_folder(store.home.path) / VIOLATIONS
    return found + (violations.read_text().splitlines() if violations.exists() else [])


def leavings(home: Path, uids: set[str]) -> list[str]:
    """Processes of this store that still live: they carry its LAB_HOME, or the mark of one of its jobs."""
    found = []
    for pid, environment in _environments():
        mark = next((value for value in environment if value.startswith(f"{MARK}=".encode())), b"").decode()
        if f"LAB_HOME={home}".encode() in environment or mark.partition("=")[2] in uids:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode() if _alive(pid) else "?"
            found.append(f"process {pid} still lives ({mark}): {command}")
    return found


def keeper_leavings(store: Store) -> list[str]:
    """Files of processes that wanted a worker and are gone."""
    return [f"the keeper file {path.name} is left" for path in store.home.keepers.glob("*")]


def _environments() -> Iterator[tuple[int, list[bytes]]]:
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and int(entry.name) != os.getpid() and _alive(int(entry.name)):
            try:
                yield int(entry.name), Path(entry.path, "environ").read_bytes().split(b"\0")
            except OSError:  # gone meanwhile, or another user's
                continue


def _alive(pid: int) -> bool:
    return start_ticks(pid) is not None
