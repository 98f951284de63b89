"""How long the lab takes to notice and to act, with real workers and real processes. Run by hand:

    python -m tests.perf.latency [TIMES]

From the wish, or the kill, to the moment at which it shows in the store, which is looked at every 10 ms. The workers
look four times a second, and for what a dead one left once a second. Warm starts are measured by `warm_start.py`.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from jobs.provenance import ROOT
from jobs.queue import request_cancel, submit
from storage.database import Store, open_store
from storage.queries.jobs import get_job, workers
from storage.tables import Job

PATIENCE_S = 120.0
GRACE_S = 1
SETTINGS = {
    "LAB_EXTRA_TASKS": "tests.jobs.fake_tasks", "LAB_GPUS": "off", "LAB_WARM": "off", "LAB_SLOTS": "1",
    "LAB_GRACE_S": str(GRACE_S), "LAB_MIN_FREE_MIB": "0",
}


@contextmanager
def worker(store: Store, label: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker process that has signed on; ended at the end of the block."""
    command = [sys.executable, "-m", "jobs", "worker", "--label", label]
    environment = {**os.environ, "LAB_HOME": str(store.home.path)}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: any(f"/{label}:{process.pid}:" in row.name for row in _workers(store)))
        yield process
    finally:
        process.terminate()
        process.wait()


def _workers(store: Store) -> list:
    with store.read() as session:
        return workers(session)


def wait_for(condition: Callable[[], object]) -> float:
    """Seconds until it is true."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > PATIENCE_S:
            raise TimeoutError("waited too long")
        time.sleep(0.01)
    return time.monotonic() - started


def now_of(store: Store, job: Job) -> Job:
    with store.read() as session:
        return get_job(session, job.id)


def running(store: Store, kind: str, values: dict) -> tuple[Job, float]:
    """A job whose process has begun its task, and how long that took from its submission."""
    job = submit(store, kind, values).jobs[0]
    return job, wait_for(lambda: now_of(store, job).state == "running")


def at_any_moment(draw: random.Random) -> None:
    """What is measured must not begin in step with the workers' looks."""
    time.sleep(draw.uniform(1.5, 2.5))


def cancelled(store: Store, job: Job) -> float:
    request_cancel(store, job.id)
    return wait_for(lambda: now_of(store, job).state == "cancelled")


def start_and_cancel(store: Store, draw: random.Random) -> dict[str, float]:
    found = {}
    with worker(store, "main"):
        at_any_moment(draw)
        job, found["submit → running, cold"] = running(store, "echo", {"steps": 1000, "pause_s": 0.1})
        at_any_moment(draw)
        found["cancel of a job that listens"] = cancelled(store, job)
        job, _ = running(store, "deaf", {})
        wait_for(lambda: now_of(store, job).facts.get("ready"))
        at_any_moment(draw)
        found[f"cancel of a deaf one (grace {GRACE_S} s)"] = cancelled(store, job)
    return found


def adopt(store: Store, draw: random.Random) -> dict[str, float]:
    """The same job goes from hand to hand: to a worker that lives, and from that one to one that is started then."""
    found = {}
    with ExitStack() as stack:
        first = stack.enter_context(worker(store, "first"))
        job, _ = running(store, "echo", {"steps": 1000, "pause_s": 0.1})
        second = stack.enter_context(worker(store, "second"))
        at_any_moment(draw)
        first.kill()
        found["worker killed → taken over by another"] = wait_for(lambda: _looked_after_by(store, job, "second"))
        second.kill()
        second.wait()
        started = time.monotonic()
        with worker(store, "third"):
            wait_for(lambda: _looked_after_by(store, job, "third"))
            found["worker killed → taken over by a new one"] = time.monotonic() - started
            cancelled(store, job)
    return found


def _looked_after_by(store: Store, job: Job, label: str) -> bool:
    return f"/{label}:" in (now_of(store, job).worker or "")


def main(times: int) -> None:
    os.environ.update(SETTINGS)
    os.environ.pop("LAB_DATABASE_URL", None)
    found: dict[str, list[float]] = {}
    draw = random.Random(1)
    for _ in range(times):
        with tempfile.TemporaryDirectory() as folder:
            store = open_store(home=Path(folder))
            for name, seconds in {**start_and_cancel(store, draw), **adopt(store, draw)}.items():
                found.setdefault(name, []).append(seconds)
            store.close()
    print(f"{times} times each, load {os.getloadavg()[0]:.1f}; seconds: median (least–most)")
    for name, seconds in found.items():
        print(f"{name:42} {statistics.median(seconds):6.2f} ({min(seconds):.2f}–{max(seconds):.2f})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
