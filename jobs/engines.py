"""A client of a base's engine, started through the queue when there is none; says what is being waited for."""

from __future__ import annotations

import time
from collections.abc import Callable

from jobs.engine_ends import EngineOfJob, previous_end
from jobs.queue import ensure_engine
from lab.core.errors import LabError
from lab.core.settings import Settings
from lab.engine.in_process import InProcessClient, in_process
from lab.engine.protocol import EngineClient
from storage.database import Store
from storage.queries.jobs import get_job, workers
from storage.queries.queue import is_paused
from storage.tables import ENDED, Job

LOOK_S = 0.3
HELD_UP_S = 5.0  # a queued engine that could start has been started by then
SILENT_S = 12.0  # an engine that is said to run and does not answer for this long is given up


class Engines:
    """Two columns of one base meet the same engine: the queue looks and adds in one transaction."""

    def __init__(self, store: Store):
        self._store = store

    def connect(
        self, base: str, tell: Callable[[str], None], stopped: Callable[[], bool]
    ) -> EngineClient | InProcessClient:
        """Wait until the base's engine answers. LabError when it cannot start, or when the asker has stopped."""
        settings = Settings.from_env()
        if settings.engine == "in-process":
            return in_process().client(base, settings.engine_precision)
        job, started, answered = ensure_engine(self._store, base), time.monotonic(), time.monotonic()
        while not stopped():
            with self._store.read() as session:
                job = get_job(session, job.id)
                n_workers, paused, before = len(workers(session)), is_paused(session), previous_end(session, job)
            url = job.facts.get("url") if job.state == "running" else None
            if url and (client := self._answering(url, job)):
                return client
            answered = answered if url else time.monotonic()
            _give_up(job, base, time.monotonic() - answered)
            if job.state == "succeeded":  # it left, idle or giving way, between the two looks
                job = ensure_engine(self._store, base)
                continue
            tell(waiting_words(job, n_workers, time.monotonic() - started, paused) + _before_words(before))
            time.sleep(LOOK_S)
        raise LabError("stopped before the engine was ready")

    def _answering(self, url: str, job: Job) -> EngineClient | None:
        client = EngineOfJob(url, self._store, job)
        try:
            client.health()
        except LabError:
            client.close()
            return None
        return client


def _before_words(why: str) -> str:
    return f" The engine before it ended: {why}." if why else ""


def _give_up(job: Job, base: str, silent_s: float) -> None:
    if job.state in ENDED and job.state != "succeeded":
        why = job.message or job.reason or f"it {job.state}"
        raise LabError(f"The engine of {base} did not start: {why}. Its log: /jobs?id={job.id}. Ask again to retry.")
    if silent_s > SILENT_S:
        raise LabError(
            f"The engine of {base} is said to run, but has not answered for {silent_s:.0f} seconds. "
            f"Cancel it at /jobs?id={job.id} and ask again."
        )


def waiting_words(job: Job, n_workers: int, seconds: float, paused: bool = False) -> str:
    """What the page says while an engine starts."""
    if not n_workers:
        return (
            "No worker is running, so the engine cannot start. Start one with: python -m jobs worker. "
            "The question waits here."
        )
    waited = f"{seconds:.0f}\u202fs"
    if job.state == "queued" and paused:
        return f"The queue is paused, so the engine does not start. Let it go on at /jobs ({waited})."
    if job.state == "queued" and seconds > HELD_UP_S:
        return f"The engine waits for a free device; what holds them is at /jobs ({waited})."
    if job.state == "queued":
        return f"The engine is queued; a worker starts it next ({waited})."
    if job.state == "running" and job.facts.get("url"):
        return f"The engine does not answer; the worker looks whether it still runs ({waited})."
    doing = job.progress_text or "starting"
    share = f" {100 * job.progress_done / job.progress_total:.0f}\u202f%" if job.progress_total else ""
    return f"The engine is warming up: {doing}{share} ({waited}). The first question takes longest."
