"""One running job of this machine, seen by the worker: read in its events, stop it when asked, and settle its end."""

from __future__ import annotations

import subprocess
import time
import traceback
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session

from jobs.endings import MOST_LOSSES, Left, Outcome, end_attempt, judge
from jobs.ingest import Batch, Pace, apply_batch, read_batch
from jobs.processes import Identity, ask_to_end, boot_id, sweep
from jobs.results import Ended, read_ended
from jobs.runner import ENDINGS
from lab.core.context import write_json
from lab.core.errors import LabError
from storage.database import Store
from storage.files import JobFolder, read_json
from storage.tables import Job, JobEvent

LINGER_S = 10.0  # a process that has left its verdict gets this long to go
REBOOTED = "The machine was restarted while the job ran."
VANISHED = "The process is gone and left no verdict."


@dataclass(frozen=True)
class Patience:
    """How long a job that is told to end may take to save, and how often it may be lost."""

    grace_s: float = 120.0
    most_losses: int = MOST_LOSSES


@dataclass
class Watched:
    """A job process the worker looks after. `process` is set when it is a child of this one."""

    job_id: int
    uid: str
    folder: JobFolder
    identity: Identity
    attempt: int
    worker: str
    process: subprocess.Popen[bytes] | None = None
    pace: Pace = field(default_factory=Pace)
    kill_at: float | None = None
    yields: bool = False  # whether it was told that another job waits for what it holds

    def alive(self) -> bool:
        if self.identity.alive():
            return True
        if self.process is not None:
            self.process.wait()  # it is dead: this reaps the zombie and reads its exit code
        return False

    def exit_code(self) -> int | None:
        """subprocess's convention: negative for a signal. None when nobody who could know has told."""
        if self.process is not None:
            return self.process.returncode
        told = read_json(self.folder.exit) or {}
        mine = (told.get("pid"), told.get("start_ticks")) == (self.identity.pid, self.identity.start_ticks)
        return told["code"] if mine else None

    def why_lost(self) -> str:
        return REBOOTED if self.identity.boot_id != boot_id() else VANISHED

    def left(self, patience: Patience) -> Left:
        whole = self.folder.checkpoints.last_whole()
        return Left(whole.step if whole else 0, patience.most_losses)


def look_after(store: Store, watched: Watched, patience: Patience) -> bool:
    """One look. True when the attempt has ended, nothing of it runs, and everything of it is in the store."""
    alive = watched.alive()  # before the files are read: what was written before the end is then seen
    status = read_json(watched.folder.status) or {}
    if status.get("attempt") != watched.attempt:
        status = {}
    with store.read() as session:
        job = session.get_one(Job, watched.job_id)
    if job.worker != watched.worker or job.attempt != watched.attempt:
        return True  # another worker has taken it over
    batch = read_batch(watched.folder, job.events_offset)
    if not alive:
        if _another_holds_the_folder(watched, status) or not sweep(watched.uid):
            return False
        settle(store, watched, patience, status, batch)
        return True
    _stop_if_asked(watched, job, status, patience.grace_s)
    started = status.get("phase") == "running" and job.state == "starting"
    if batch.offset > job.events_offset or started:
        _take_in(store, watched, batch, started)
    return False


def _another_holds_the_folder(watched: Watched, status: dict[str, Any]) -> bool:
    """A start whose answer was lost may have left a process of the same attempt: then that one is the job."""
    if not status or status["pid"] == watched.identity.pid:
        return False
    other = Identity(status["pid"], status["start_ticks"], status["boot_id"])
    if not other.alive():
        return False
    watched.identity, watched.process = other, None
    return True


def mine(session: Session, watched: Watched) -> Job | None:
    """The row, if it is still this worker's and of this attempt."""
    job = session.get_one(Job, watched.job_id)
    return job if job.worker == watched.worker and job.attempt == watched.attempt else None


def _take_in(store: Store, watched: Watched, batch: Batch, started: bool) -> None:
    with store.write() as session:
        job = mine(session, watched)
        if job is None:
            return
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
    elif status.get("phase") in ENDINGS:
        watched.kill_at = time.monotonic() + LINGER_S


def ask_to_yield(watched: Watched, wanted: bool) -> None:
    """Tell a service that another job waits for what it holds, or that none does any more."""
    if watched.yields != wanted and watched.kill_at is None:
        watched.yields = wanted
        write_json(watched.folder.control, {"yield": True} if wanted else {})


def settle(store: Store, watched: Watched, patience: Patience, status: dict[str, Any], batch: Batch) -> None:
    """The end of an attempt, in one transaction. When its result cannot be stored the job failed; its files stay."""
    while (more := read_batch(watched.folder, batch.offset)).offset > batch.offset:
        batch = Batch(batch.events + more.events, more.offset, batch.n_broken + more.n_broken)
    try:
        outcome = judge(status, watched.exit_code(), watched.why_lost())
        ended = None
        if outcome.state == "succeeded":
            with store.read() as session:
                kind = session.get_one(Job, watched.job_id).kind
            ended = read_ended(watched.folder, kind)
        _store_end(store, watched, patience, batch, (outcome, ended))
    except LabError:
        raise  # a full or busy store: the next tick tries again
    except Exception as error:
        with watched.folder.log.open("a", encoding="utf-8") as log:
            traceback.print_exc(file=log)
        message = f"The work succeeded, but its result could not be stored: {type(error).__name__}: {error}"
        _store_end(store, watched, patience, batch, (Outcome("failed", "bug", message.splitlines()[0]), None))


def _store_end(
    store: Store, watched: Watched, patience: Patience, batch: Batch, end: tuple[Outcome, Ended | None]
) -> None:
    outcome, ended = end
    left = watched.left(patience)
    with store.write() as session:
        job = mine(session, watched)
        if job is None:
            return
        apply_batch(session, job, batch, watched.pace)
        if job.state == "starting" and outcome.state == "succeeded":  # it was quicker than our look
            session.add(JobEvent(job_id=job.id, state="running", why=f"process {watched.identity.pid}"))
        end_attempt(session, job, outcome, ended, left)
