"""From a job's folder into the store: the events that the job process writes, as they come.

Reading files happens outside of transactions. Everything is idempotent: the byte offset moves in the same transaction
as the rows it stands for, so a worker that is killed in the middle repeats nothing and loses nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, col

from storage.files import JobFolder
from storage.tables import Job, Metric

MOST_BYTES = 4 * 1024 * 1024
LARGEST_STEP = 2**63 - 1  # what a column holds


@dataclass(frozen=True)
class Batch:
    """New lines of events.jsonl, and where the next batch begins."""

    events: list[dict[str, Any]]
    offset: int
    n_broken: int = 0


def read_batch(folder: JobFolder, offset: int) -> Batch:
    """Whole lines from `offset` on; a line that is still being written is left for the next time."""
    try:
        with folder.events.open("rb") as file:
            file.seek(offset)
            data = file.read(MOST_BYTES)
    except FileNotFoundError:
        return Batch([], offset)
    data = data[: data.rfind(b"\n") + 1]
    events, n_broken = [], 0
    for line in data.splitlines():
        event = _event(line)
        if event is None:
            n_broken += 1
        else:
            events.append(event)
    return Batch(events, offset + len(data), n_broken)


def _event(line: bytes) -> dict[str, Any] | None:
    """One line as an event that can be stored, or None: a disk that was full cuts lines, and tasks have bugs."""
    try:
        event = json.loads(line)
        datetime.fromtimestamp(event["t"], UTC)
        return event if SOUND[event["type"]](event) else None
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError):
        return None


def _is_step(value: Any) -> bool:
    return isinstance(value, int) and -1 <= value <= LARGEST_STEP


def _are_numbers(values: Iterable[Any]) -> bool:
    return all(isinstance(value, int | float) for value in values)


SOUND: dict[str, Callable[[dict[str, Any]], bool]] = {
    "metric": lambda event: _is_step(event["step"]) and _are_numbers(event["values"].values()),
    "progress": lambda event: _are_numbers((event["done"], event["total"])),
    "fact": lambda event: isinstance(event["facts"], dict),
    "rewind": lambda event: _is_step(event["step"]),
}


@dataclass
class Pace:
    """Where the progress stood when it was first seen: what the time left is estimated from."""

    t: float | None = None
    done: float = 0
    total: float = field(default=0)

    def seconds_left(self, t: float, done: float, total: float) -> float | None:
        if self.t is None or total != self.total or done < self.done:
            self.t, self.done, self.total = t, done, total
        if done <= self.done or t <= self.t:
            return None
        return (t - self.t) / (done - self.done) * max(0.0, total - done)


def apply_batch(session: Session, job: Job, batch: Batch, pace: Pace) -> None:
    """Metrics become rows, the last progress and the announced facts land on the job."""
    for event in batch.events:
        if event["type"] == "metric":
            session.add_all(_metrics(job, event))
        elif event["type"] == "progress":
            job.progress_done, job.progress_total = float(event["done"]), float(event["total"])
            job.progress_text = str(event.get("text", ""))
            job.eta_s = pace.seconds_left(event["t"], job.progress_done, job.progress_total)
        elif event["type"] == "fact":
            job.facts = {**job.facts, **event["facts"]}
        elif event["type"] == "rewind":
            session.flush()
            session.exec(delete(Metric).where(col(Metric.job_id) == job.id, col(Metric.step) > event["step"]))
    job.events_offset = batch.offset
    session.add(job)


def _metrics(job: Job, event: dict[str, Any]) -> list[Metric]:
    at = datetime.fromtimestamp(event["t"], UTC)
    return [
        Metric(job_id=job.id, step=event["step"], name=name, value=value if math.isfinite(value) else None, at=at)
        for name, value in event["values"].items()
    ]
