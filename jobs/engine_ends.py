"""Why an engine ended, in words, and a client that says so when its engine goes away in the middle of an answer.

An engine that was killed goes back to the line and starts again by itself; one that gave way, was idle or failed is
started anew by the next question.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from sqlmodel import Session, col, select

from jobs.endings import LOST
from lab.core.errors import LabError
from lab.core.types import ModelSource
from lab.engine.protocol import ChatRequest, Chunk, EngineClient
from storage.database import Store
from storage.queries.jobs import get_job
from storage.tables import ENDED, Job, JobEvent

FOUND_OUT_S = 6.0  # within this time the worker has seen that a process is gone and stored why
LOOK_S = 0.2
MOST_LOOKED_AT = 200  # earlier engines of other bases among which the last one of this base is looked for
GOOD_ENDS = {"idle": "nobody had asked it for a while", "gave way": "another job needed its device"}
KILLED = 9


def end_words(session: Session, job: Job) -> str:
    """How the last attempt of an engine's job ended: 'killed by signal 9, …'. Empty while none has."""
    if job.state == "succeeded":
        ended = str((job.result or {}).get("ended", ""))
        return GOOD_ENDS.get(ended, "it had nothing more to do")
    if job.state == "cancelled":
        return "it was cancelled"
    if job.state == "failed":
        return _plain(job.message or job.reason or "it failed")
    lost = select(JobEvent).where(JobEvent.job_id == job.id, JobEvent.state == LOST).order_by(col(JobEvent.id).desc())
    event = session.exec(lost.limit(1)).first()
    if event is None:
        return ""
    return _signal_words(job.exit_code) or _plain(event.why or "its process is gone")


def _signal_words(exit_code: int | None) -> str:
    if exit_code is None or exit_code >= 0:
        return ""
    often = ", most often because the machine ran out of memory" if exit_code == -KILLED else ""
    return f"killed by signal {-exit_code}{often}"


def _plain(sentence: str) -> str:
    return sentence.strip().rstrip(".")


def previous_end(session: Session, job: Job) -> str:
    """Why the engine before this one, or before this attempt of it, ended; empty when there was none."""
    if job.state not in ENDED and (words := end_words(session, job)):
        return words
    query = select(Job).where(Job.kind == "engine", col(Job.id) < job.id, col(Job.state).in_(ENDED))
    for earlier in session.exec(query.order_by(col(Job.id).desc()).limit(MOST_LOOKED_AT)):
        if earlier.spec.get("base") == job.spec.get("base") and earlier.started_at is not None:
            return end_words(session, earlier)
    return ""


class EngineOfJob(EngineClient):
    """A client of an engine whose job is known: what goes wrong because the engine is gone is told as that."""

    def __init__(self, url: str, store: Store, job: Job, found_out_s: float = FOUND_OUT_S):
        super().__init__(url)
        self._store, self._job, self._found_out_s = store, job, found_out_s

    def models(self) -> list[dict[str, Any]]:
        with self._explained("before it could answer"):
            return super().models()

    def load(self, source: ModelSource) -> None:
        with self._explained(f"while it loaded {source.label}"):
            super().load(source)

    def unload(self, label: str) -> None:
        with self._explained(f"while it unloaded {label}"):
            super().unload(label)

    def stream(self, request: ChatRequest) -> Iterator[Chunk]:
        """As `EngineClient.stream`."""
        with self._explained("in the middle of an answer"), closing(super().stream(request)) as chunks:  # type: ignore[type-var]
            yield from chunks

    @contextmanager
    def _explained(self, when: str) -> Iterator[None]:
        try:
            yield
        except LabError as error:
            if self._answers():
                raise
            raise LabError(self._what_happened(when), "lost") from error

    def _answers(self) -> bool:
        try:
            EngineClient.health(self)
        except LabError:
            return False
        return True

    def _what_happened(self, when: str) -> str:
        base, number = self._job.spec.get("base", "this base"), self._job.id
        deadline = time.monotonic() + self._found_out_s
        while True:
            with self._store.read() as session:
                job = get_job(session, self._job.id)
                gone = job.attempt != self._job.attempt or job.state not in ("running", "starting")
                why = end_words(session, job) if gone else ""
            if gone:
                then = "ask again to start it anew" if job.state in ENDED else "it is starting again"
                return (f"The engine of {base} ended ({why or 'why is not known'}) {when}; {then}. "
                        f"Its job: /jobs?id={number}.")
            if time.monotonic() >= deadline:
                return (f"The engine of {base} does not answer any more, {when}, and why is not known yet. "
                        f"Its job: /jobs?id={number}. Ask again.")
            time.sleep(LOOK_S)


