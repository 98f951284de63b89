"""How an attempt ended, judged from what is left of it, and what that makes of the job.

Only a verdict of the job's own process ends a job as succeeded or failed. A process that was killed, preempted, or went
down with its machine is *lost*: the job goes back to the line and goes on from its last whole checkpoint. When it is
lost again and again without getting further, it fails and says so.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from jobs.leases import release
from jobs.results import Ended, store_result
from jobs.status import DISK_FULL, ENDINGS, INTERRUPTED, LOCK_HELD, SUPERSEDED
from storage.tables import Job, JobEvent, now

LOST = "lost"
MOST_LOSSES = 3
CRASHES = {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE}


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended. `state` is what the row will say; 'lost' sends the job back to the line."""

    state: str
    reason: str | None = None
    message: str | None = None
    exit_code: int | None = None
    counts: bool = True  # whether a loss speaks against the job; a polite end from outside does not


def judge(status: dict[str, Any], code: int | None, why_lost: str) -> Outcome:
    """The process's own verdict if it left one, else what its exit code says (subprocess's convention), else lost."""
    phase = status.get("phase")
    if phase == INTERRUPTED:
        return Outcome(LOST, "lost", status["message"], status["exit_code"], counts=False)
    if phase == "failed" and status["reason"] == "killed":  # one of several processes was, and the others left
        return Outcome(LOST, "killed", status["message"], status["exit_code"])
    if phase in ENDINGS:
        return Outcome(phase, status["reason"], status["message"], status["exit_code"])
    if code == DISK_FULL:
        return Outcome("failed", "disk", "The disk is full. Nothing stored is lost; free some space, then retry.", code)
    if code in (SUPERSEDED, LOCK_HELD):
        return Outcome(LOST, "lost", "Another attempt of the same job had taken its place.", code)
    if code is not None and code < 0:
        return _by_signal(-code)
    if code is not None:
        return Outcome("failed", "bug", f"The process ended with code {code} and left no verdict; see its log.", code)
    return Outcome(LOST, "lost", why_lost)


def _by_signal(number: int) -> Outcome:
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    if number in CRASHES:
        return Outcome("failed", "bug", f"The process crashed ({name}); see the end of its log.", -number)
    if number == signal.SIGKILL:
        return Outcome(LOST, "killed", "The process was killed (SIGKILL) from outside the lab, most often because the "
                       "machine ran out of memory.", -number)
    return Outcome(LOST, "killed", f"The process was ended by {name} from outside the lab.", -number)


@dataclass(frozen=True)
class Left:
    """What an attempt left for the next one: its last whole checkpoint's step, and how many losses are tolerated.

    `energy` is that of all attempts so far; None when it was not metered.
    """

    checkpoint_step: int = 0
    most_losses: int = MOST_LOSSES
    energy: dict[str, Any] | None = None


def end_attempt(session: Session, job: Job, outcome: Outcome, ended: Ended | None, left: Left) -> Outcome:
    """Everything an attempt's end changes, in the caller's one transaction: state, result rows, lease, cost.

    Returns what it came to.
    """
    if job.started_at is not None:
        job.device_seconds += job.devices * (now() - job.started_at).total_seconds()
    if left.energy is not None:
        job.energy = left.energy
    release(session, job)
    if outcome.state == "cancelled" or (job.desired == "cancel" and outcome.state in ("failed", LOST)):
        said = outcome.message if outcome.state == "cancelled" and outcome.message else "Cancelled while it ran."
        outcome = Outcome("cancelled", "cancelled", _cancelled(said, left), outcome.exit_code)
    if outcome.state == LOST:
        outcome = _count_loss(job, outcome, left)
    if outcome.state == LOST:
        _back_to_the_line(session, job, outcome, left)
        return outcome
    if outcome.state == "succeeded" and ended is not None:
        job.result = ended.result
        store_result(session, job, ended)
    job.state, job.reason, job.message = outcome.state, outcome.reason, outcome.message
    job.exit_code, job.eta_s, job.finished_at = outcome.exit_code, None, now()
    job.checkpoint_step = left.checkpoint_step
    session.add(job)
    session.add(JobEvent(job_id=job.id, state=outcome.state, why=outcome.message or ""))
    return outcome


def _cancelled(said: str, left: Left) -> str:
    kept = f" Its checkpoint of step {left.checkpoint_step} is kept: resume goes on from there."
    return said + (kept if left.checkpoint_step else "")


def _count_loss(job: Job, outcome: Outcome, left: Left) -> Outcome:
    further = left.checkpoint_step > job.checkpoint_step
    job.losses = (0 if further else job.losses) + outcome.counts
    job.checkpoint_step = left.checkpoint_step
    if job.losses < left.most_losses or not outcome.counts:
        return outcome
    times = f"It was lost {job.losses} times without getting further, so the lab does not try again."
    return Outcome("failed", outcome.reason, f"{outcome.message} {times}", outcome.exit_code)


def _back_to_the_line(session: Session, job: Job, outcome: Outcome, left: Left) -> None:
    goes_on = f"goes on from step {left.checkpoint_step}" if left.checkpoint_step else "starts over"
    session.add(JobEvent(job_id=job.id, state=LOST, why=outcome.message or ""))
    counted = f" (loss {job.losses} of {left.most_losses})" if outcome.counts else ""
    session.add(JobEvent(job_id=job.id, state="queued", why=f"{goes_on}{counted}"))
    job.state, job.exit_code, job.eta_s = "queued", outcome.exit_code, None
    job.worker = job.host = job.pid = job.start_ticks = job.boot_id = None
    job.cluster = {}
    job.progress_text = ""
    session.add(job)
