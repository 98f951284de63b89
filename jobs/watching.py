"""One running job of this machine, seen by the worker: read in its events, stop it when asked, and settle its end."""

from __future__ import annotations

import subprocess
import time
import traceback
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlmodel import Session

from jobs.endings import MOST_LOSSES, Left, Outcome, end_attempt, judge
from jobs.energy import energy_of
from jobs.ingest import Batch, Pace, apply_batch, read_batch
from jobs.processes import Identity, ask_to_end, boot_id, is_zombie, sweep
from jobs.results import Ended, read_ended
from jobs.status import ENDINGS
from lab.core.context import write_json
from lab.core.errors import LabError
from storage.database import Store
from storage.files import JobFolder, read_json
from storage.tables import Job, JobEvent

TELLING_S = 2.0
LINGER_S = 10.0  # a process that has left its verdict gets this long to go
REBOOTED = "The machine, or its container, was restarted while the job ran."
VANISHED = "The process is gone and left no verdict."


@dataclass(frozen=True)
class Patience:
    """How long a job that is told to end may take to save, and how often it may be lost."""

    grace_s: float = 120.0
    most_losses: int = MOST_LOSSES


class Seen(Protocol):
    """One attempt of one job that a worker looks after, wherever it runs."""

    job_id: int
    folder: JobFolder
    attempt: int
    worker: str
    pace: Pace


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
    dead_since: float | None = None  # since when its parent has not said how it ended
    yields: bool = False  # whether it was told that another job waits for what it holds

    def alive(self) -> bool:
        if self.identity.alive():
            return True
        if self.process is not None:
            self.process.wait()  # it is dead: this reaps the zombie and reads its exit code
            return False
        return self._end_is_being_told()

    def _end_is_being_told(self) -> bool:
        """A fork server writes how its child ended before it reaps it; a dead server never does."""
        if self.exit_code() is not None or not is_zombie(self.identity):
            return False
        self.dead_since = self.dead_since or time.monotonic()
        return time.monotonic() - self.dead_since < TELLING_S

    def exit_code(self) -> int | None:
        """subprocess's convention: negative for a signal. None when nobody who could know has told."""
        if self.process is not None:
            return self.process.returncode
        told = read_json(self.folder.exit) or {}
        mine = (told.get("pid"), told.get("start_ticks")) == (self.identity.pid, self.identity.start_ticks)
        return told["code"] if mine else None

    def why_lost(self) -> str:
        return REBOOTED if self.identity.boot_id != boot_id() else VANISHED


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
        if _another_holds_the_folder(watched, status) or not sweep(watched.uid, timeout_s=1.0):
            return False
        settle(store, watched, judge(status, watched.exit_code(), watched.why_lost()), batch, patience.most_losses)
        return True
    _stop_if_asked(watched, job, status, patience.grace_s)
    started = status.get("phase") == "running" and job.state == "starting"
    if batch.offset > job.events_offset or started:
        take_in(store, watched, batch, f"process {watched.identity.pid}" if started else "")
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


def mine(session: Session, seen: Seen) -> Job | None:
    """The row, if it is still this worker's and of this attempt."""
    job = session.get_one(Job, seen.job_id)
    return job if job.worker == seen.worker and job.attempt == seen.attempt else None


def take_in(store: Store, seen: Seen, batch: Batch, started: str = "") -> None:
    """Store what the job has reported. `started` says where, when it has begun to run."""
    with store.write() as session:
        job = mine(session, seen)
        if job is None:
            return
        if started:
            job.state = "running"
            session.add(JobEvent(job_id=job.id, state="running", why=started))
        apply_batch(session, job, batch, seen.pace)
    if batch.n_broken:
        print(f"job {seen.job_id}: {batch.n_broken} unreadable line(s) in {seen.folder.events}", flush=True)


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


def settle(store: Store, seen: Seen, outcome: Outcome, batch: Batch, most_losses: int) -> None:
    """The end of an attempt, in one transaction. When its result cannot be stored the job failed; its files stay."""
    while (more := read_batch(seen.folder, batch.offset)).offset > batch.offset:
        batch = Batch(batch.events + more.events, more.offset, batch.n_broken + more.n_broken)
    whole = seen.folder.checkpoints.last_whole()
    left = Left(whole.step if whole else 0, most_losses, energy_of(seen.folder))
    try:
        ended = None
        if outcome.state == "succeeded":
            with store.read() as session:
                kind = session.get_one(Job, seen.job_id).kind
            ended = read_ended(seen.folder, kind)
        _store_end(store, seen, batch, End(outcome, ended, left))
        if outcome.state == "succeeded":
            seen.folder.checkpoints.clear()  # only now that the result is in the store
    except LabError:
        raise  # a full or busy store: the next tick tries again
    except Exception as error:
        with seen.folder.log.open("a", encoding="utf-8") as log:
            traceback.print_exc(file=log)
        message = f"The work succeeded, but its result could not be stored: {type(error).__name__}: {error}"
        _store_end(store, seen, batch, End(Outcome("failed", "bug", message.splitlines()[0]), None, left))


@dataclass(frozen=True)
class End:
    """All that the end of an attempt writes."""

    outcome: Outcome
    ended: Ended | None
    left: Left


def _store_end(store: Store, seen: Seen, batch: Batch, end: End) -> None:
    with store.write() as session:
        job = mine(session, seen)
        if job is None:
            return
        apply_batch(session, job, batch, seen.pace)
        if job.state == "starting" and end.outcome.state == "succeeded":  # it was quicker than our look
            session.add(JobEvent(job_id=job.id, state="running", why="seen when it had ended"))
        end_attempt(session, job, end.outcome, end.ended, end.left)
