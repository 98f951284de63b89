"""What may be done with a job now, how the buttons say it, and what is asked first. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.tables import ENDED, Job

if TYPE_CHECKING:
    from lab.ui.jobs.saved import Saved


@dataclass(frozen=True)
class Choices:
    """Which buttons do something; the questions that come before what cannot be undone."""

    cancel: bool = False
    retry: bool = False
    start_over: bool = False
    rerun: bool = False
    move: bool = False
    retry_word: str = "Retry"
    cancel_question: str = ""
    start_over_question: str = ""


def choices(job: Job, needed_by: Sequence[Job], saved: Saved | None, resumes: bool) -> Choices:
    """`resumes`: whether this kind of job goes on from a checkpoint."""
    goes_on = saved if resumes else None
    may_retry = job.state in ("failed", "cancelled")
    return Choices(
        cancel=job.state not in ENDED and job.desired != "cancel",
        retry=may_retry,
        start_over=may_retry and goes_on is not None,
        rerun=job.state in ENDED,
        move=job.state == "queued" and job.desired == "run",
        retry_word=f"Resume from step {goes_on.step}" if may_retry and goes_on else "Retry",
        cancel_question=_cancel_question(job, needed_by, goes_on, resumes),
        start_over_question=f"Start job {job.id}, {job.name}, over from the first step? Its checkpoint of step "
                            f"{goes_on.step} is deleted." if goes_on else "",
    )


def _cancel_question(job: Job, needed_by: Sequence[Job], saved: Saved | None, resumes: bool) -> str:
    others = sum(other.state not in ENDED for other in needed_by)
    also = f" Waiting jobs that need its result are cancelled with it: {others}." if others else ""
    return f"Cancel job {job.id}, {job.name}?{also}{_kept(job, saved, resumes)}"


def _kept(job: Job, saved: Saved | None, resumes: bool) -> str:
    if job.state == "queued":
        return f" Its checkpoint of step {saved.step} is kept: it can be resumed." if saved else ""
    if resumes:
        return " It saves a checkpoint first, which is kept: it can be resumed from there."
    return " What it has done so far is lost; its log stays."
