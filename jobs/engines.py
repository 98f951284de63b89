"""A client of a base's engine, started through the queue when there is none; says what is being waited for."""

from __future__ import annotations

import time
from collections.abc import Callable

from jobs.queue import ensure_engine
from lab.core.errors import LabError
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

    def connect(self, base: str, tell: Callable[[str], None], stopped: Callable[[], bool]) -> EngineClient:
        """Wait until the base's engine answers. LabError when it cannot start, or when the asker has stopped."""
        job, started, answered = ensure_engine(self._store, base), time.monotonic(), time.monotonic()
        while not stopped():
            with self._store.read() as session:
                job = get_job(session, job.id)
                n_workers, paused = len(workers(session)), is_paused(session)
            url = job.facts.get("url") if job.state == "running" else None
            if url and (client := _answering(url)):
                return client
            answered = answered if url else time.monotonic()
            _give_up(job, base, time.monotonic() - answered)
            tell(waiting_words(job, n_workers, time.monotonic() - started, paused))
            time.sleep(LOOK_S)
        raise LabError("stopped before the engine was ready")


def _answering(url: str) -> EngineClient | None:
    client = EngineClient(url)
    try:
        client.health()
    except LabError:
        client.close()
        return None
    return client


def _give_up(job: Job, base: str, silent_s: float) -> None:
    if job.state in ENDED:
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
    doing = job.progress_text or "starting"
    share = f" {100 * job.progress_done / job.progress_total:.0f}\u202f%" if job.progress_total else ""
    return f"The engine is warming up: {doing}{share} ({waited}). The first question takes longest."
