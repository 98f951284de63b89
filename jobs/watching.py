"""One running job, seen by the worker: read in its events, stop it when asked, and judge how it ended."""

from __future__ import annotations

import subprocess
import time
import traceback
from dataclasses import dataclass, field
from signal import Signals
from typing import Any

from jobs.ingest import Batch, Outcome, Pace, apply_batch, end_job, read_batch
from jobs.processes import Identity, ask_to_end, boot_id, sweep
from jobs.results import Ended, read_ended
from jobs.runner import DISK_FULL
from lab.core.context import write_json
from lab.core.errors import LabError
from storage.database import Store
from storage.files import JobFolder, read_json
from storage.tables import ENDED, Job, JobEvent

LINGER_S = 10.0  # a process that has left its verdict gets this long to go


@dataclass
class Watched:
    """A job process the worker looks after. `process` is None for an adopted one: its exit code cannot be read."""

    job_id: int
    uid: str
    folder: JobFolder
    identity: Identity
    attempt: int
    process: subprocess.Popen[bytes] | None = None
    pace: Pace = field(default_factory=Pace)
    kill_at: float | None = None

    def alive(self) -> bool:
        if self.identity.alive():
            return True
        if self.process is not None:
            self.process.wait()  # it is dead: this reaps the zombie and reads its exit code
        return False


def look_after(store: Store, watched: Watched, grace_s: float) -> bool:
    """One look. True when the job has ended and everything of it is in the store."""
    alive = watched.alive()  # before the files are read: what was written before the end is then seen
    status = read_json(watched.folder.status) or {}
    if status.get("attempt") != watched.attempt:
        status = {}
    with store.read() as session:
        job = session.get_one(Job, watched.job_id)
    batch = read_batch(watched.folder, job.events_offset)
    if not alive:
        sweep(watched.uid)
        _settle(store, watched, status, batch)
        return True
    _stop_if_asked(watched, job, status, grace_s)
    started = status.get("phase") == "running" and job.state == "starting"
    if batch.offset > job.events_offset or started:
        _take_in(store, watched, batch, started)
    return False


def _take_in(store: Store, watched: Watched, batch: Batch, started: bool) -> None:
    with store.write() as session:
        job = session.get_one(Job, watched.job_id)
        if started:
            job.state = "running"
            session.add(JobEvent(job_id=job.id, state="running", why=f"process {watched.identity.pid}"))
        apply_batch(session, job, batch, watched.pace)
    if batch.n_broken:
        print(f"job {watched.job_id}: {batch.n_broken} unreadable line(s) in {watched.folder.events}", flush=True)


def _stop_if_asked(watched: Watched, job: Job, status: dict[str, Any], grace_s: float) -> None:
    """Ask (control.json and SIGTERM), wait for the grace, then SIGKILL everything that carries the job's mark."""
    if watched.kill_at is not None:
        if time.monotonic() > watched.kill_at:
            sweep(watched.uid)
    elif job.desired == "cancel":
        watched.kill_at = time.monotonic() + grace_s
        write_json(watched.folder.control, {"stop": "cancel"})
        ask_to_end(watched.identity)
    elif status.get("phase") in ENDED:
        watched.kill_at = time.monotonic() + LINGER_S


def _settle(store: Store, watched: Watched, status: dict[str, Any], batch: Batch) -> None:
    """The end of a job, in one transaction. When its result cannot be stored the job failed, and its files stay."""
    while (more := read_batch(watched.folder, batch.offset)).offset > batch.offset:
        batch = Batch(batch.events + more.events, more.offset, batch.n_broken + more.n_broken)
    try:
        outcome = _judge(watched, status)
        ended = None
        if outcome.state == "succeeded":
            with store.read() as session:
                kind = session.get_one(Job, watched.job_id).kind
            ended = read_ended(watched.folder, kind)
        _store_end(store, watched, batch, outcome, ended)
    except LabError:
        raise  # a full or busy store: the next tick tries again
    except Exception as error:
        with watched.folder.log.open("a", encoding="utf-8") as log:
            traceback.print_exc(file=log)
        message = f"The work succeeded, but its result could not be stored: {type(error).__name__}: {error}"
        _store_end(store, watched, batch, Outcome("failed", "bug", message.splitlines()[0]), None)


def _store_end(store: Store, watched: Watched, batch: Batch, outcome: Outcome, ended: Ended | None) -> None:
    with store.write() as session:
        job = session.get_one(Job, watched.job_id)
        apply_batch(session, job, batch, watched.pace)
        if job.state == "starting" and outcome.state == "succeeded":  # it was quicker than our look
            session.add(JobEvent(job_id=job.id, state="running", why=f"process {watched.identity.pid}"))
        if job.desired == "cancel" and outcome.state == "failed":
            outcome = Outcome("cancelled", "cancelled", "Cancelled while it ran.", outcome.exit_code)
        end_job(session, job, outcome, ended)


def _judge(watched: Watched, status: dict[str, Any]) -> Outcome:
    """The runner's own verdict if it left one, else what its end lets us say."""
    code = watched.process.returncode if watched.process is not None else None
    if status.get("phase") in ENDED:
        return Outcome(status["phase"], status["reason"], status["message"], status["exit_code"])
    if code == DISK_FULL:
        return Outcome("failed", "disk", "The disk is full. Nothing stored is lost; free some space, then retry.", code)
    if code is not None and code < 0:
        return Outcome("failed", "killed", _killed_by(-code), code)
    if code is not None:
        return Outcome("failed", "bug", f"The process ended with code {code} and left no verdict; see its log.", code)
    if watched.identity.boot_id != boot_id():
        return Outcome("failed", "lost", "The machine was restarted while the job ran. Retry it.")
    return Outcome("failed", "lost", "The process vanished while no worker watched it, and left no verdict. Retry it.")


def _killed_by(number: int) -> str:
    name = Signals(number).name if number in {s.value for s in Signals} else f"signal {number}"
    if name == "SIGKILL":
        return "The process was killed (SIGKILL), most often because the machine ran out of memory: lower the batch " \
               "size, then retry."
    return f"The process was ended by {name}; see its log."
