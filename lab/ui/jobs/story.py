"""A job's attempts and losses, told from its events. Pure: events in, attempts and sentences out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from lab.ui.components.html import ago, state_badge
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.table import Column, table

if TYPE_CHECKING:
    from storage.tables import Job, JobEvent

ON = re.compile(r"attempt \d+ on (.+)")  # what jobs.leases writes when an attempt begins
FROM_STEP = re.compile(r"from step (\d+)")  # what an event says when a job returns to the line and will not start over
TIMES = {1: "once", 2: "twice"}


@dataclass(frozen=True)
class Attempt:
    """One run of a job: where, from which step, and how it ended ('' while it runs)."""

    number: int
    on: str
    began_at: datetime
    from_step: int = 0
    ended: str = ""
    ended_at: datetime | None = None
    why: str = ""


def attempts(events: Sequence[JobEvent]) -> list[Attempt]:
    """Oldest first."""
    found: list[Attempt] = []
    from_step = 0
    for event in events:
        goes_on = FROM_STEP.search(event.why)
        if event.state == "queued":
            from_step = int(goes_on[1]) if goes_on else 0
        elif event.state == "starting" or _again(event, found):
            on = ON.fullmatch(event.why)
            step = int(goes_on[1]) if goes_on else from_step
            found.append(Attempt(len(found) + 1, on[1] if on else found[-1].on if found else "", event.at, step))
        elif event.state != "running" and found and not found[-1].ended:
            found[-1] = replace(found[-1], ended=event.state, ended_at=event.at, why=event.why)
    return found


def _again(event: JobEvent, found: Sequence[Attempt]) -> bool:
    """Slurm puts a job back into its own queue and starts it: the lab's line does not see it."""
    return event.state == "running" and bool(found) and found[-1].ended == "lost"


def n_losses(told: Sequence[Attempt]) -> int:
    return sum(attempt.ended == "lost" for attempt in told)


def times(count: int) -> str:
    """'once', 'twice', '3 times'."""
    return TIMES.get(count, f"{count} times")


def story(job: Job, told: Sequence[Attempt], step: int) -> Html | None:
    """One sentence or two on what became of the attempts; nothing for a job that simply runs or ran. `step` is the one
    of its last whole checkpoint."""
    lost = [attempt for attempt in told if attempt.ended == "lost"]
    if not told or (len(told) == 1 and not lost):
        return None
    parts: list[object] = []
    if job.state in ("starting", "running"):
        goes_on = f", goes on from step {told[-1].from_step}" if told[-1].from_step else ""
        parts = [f"Attempt {len(told)}{goes_on}, began ", ago(told[-1].began_at), ". "]
    elif job.state == "queued" and lost:
        parts = [f"It goes on from step {step} when its turn comes. " if step else
                 "It starts over when its turn comes: there is no checkpoint. "]
    elif job.state != "queued":
        parts = [f"{len(told)} attempts. " if len(told) > 1 else ""]
    if lost and not (job.state == "failed" and job.reason in ("lost", "killed")):  # then the failure tells it
        parts.append(f"Lost {times(len(lost))}{', last' if len(lost) > 1 else ''}: {lost[-1].why}")
    return tag("p", *parts, cls="story")


def attempts_table(told: Sequence[Attempt]) -> Html | None:
    """Every attempt with where it ran and how it ended; nothing when there was none."""
    if not told:
        return None
    rows = [
        (attempt.number, tag("time", f"{attempt.began_at:%Y-%m-%d %H:%M:%S}"), _where(attempt.on),
         f"step {attempt.from_step}" if attempt.from_step else "the start",
         join([state_badge(attempt.ended or "running"), tag("small", attempt.why) if attempt.why else None]))
        for attempt in told
    ]
    columns = ["No.", "Began (UTC)", "On", "From", Column("How it ended", wide=True)]
    return join([tag("h3", "Attempts"), table(columns, rows, caption="Attempts")])


def _where(on: str) -> Html:
    """Names of devices, short: a GPU's UUID is told apart by its first figures."""
    names = [name.strip() for name in on.split(",") if name.strip()]
    short = [name.removeprefix("gpu:")[:12] for name in names]
    return tag("span", ", ".join(short) or "–", title=on or None)


def resumed_at(told: Sequence[Attempt]) -> list[int]:
    """The steps from which a later attempt went on: marks on the curves."""
    return sorted({attempt.from_step for attempt in told if attempt.from_step})
