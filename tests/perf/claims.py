"""How many jobs a second the queue hands out and takes back. Run by hand:

    python -m tests.perf.claims [--jobs 2000] [--times 3] [--only sqlite|postgresql] [--workers 1 2 4]

1, 2 and 4 processes claim and end jobs of one store as fast as they can, with the worker's own transactions: one that
cancels what has become hopeless, claims and leases, and one that ends the attempt. No job process is started.
PostgreSQL is a server on this machine, thrown away afterwards, without fsync. Every job must be claimed exactly once.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlmodel import select

from jobs.devices import cpu_slots
from jobs.endings import Left, Outcome, end_attempt
from jobs.leases import claim, register_devices
from jobs.line import cancel_hopeless
from jobs.queue import submit
from lab.core.errors import LabError
from storage.database import Store, open_store
from storage.tables import Device, Job
from tests.postgres import make_server

HOST = "here"
WORKERS = (1, 2, 4)
DATABASES = ("sqlite", "postgresql")


@dataclass
class Served:
    """What one process did, and how long each transaction took it, its waits for the others included."""

    begun: float = 0.0
    ended: float = 0.0
    claimed: list[int] = field(default_factory=list)
    claim_s: list[float] = field(default_factory=list)
    end_s: list[float] = field(default_factory=list)
    n_busy: int = 0

    def timed(self, seconds: list[float], act: Callable[[], Any]) -> Any:
        """As the worker does it, a transaction that did not get its turn within 10 s is tried again; it is counted."""
        started = time.perf_counter()
        while True:
            try:
                value = act()
                break
            except LabError as error:
                if error.reason != "lost":
                    raise
                self.n_busy += 1
        seconds.append(time.perf_counter() - started)
        return value


@dataclass(frozen=True)
class Run:
    """One store emptied by several processes."""

    per_s: float
    claim_s: list[float]
    end_s: list[float]
    n_twice: int
    n_busy: int


def serve(url: str, home: Path, number: int, gate: Any, told: Any) -> None:
    """In a process of its own: claim and end until nothing is left."""
    store, found = open_store(url, home), Served()
    gate.wait()
    found.begun = time.time()
    while (job := found.timed(found.claim_s, lambda: _claim(store, number))) is not None:
        found.claimed.append(job.id)
        found.timed(found.end_s, lambda job=job: _end(store, job))
    found.ended = time.time()
    told.put(found)


def _claim(store: Store, number: int) -> Job | None:
    with store.write() as session:
        cancel_hopeless(session)
        return claim(session, f"worker {number}", HOST)


def _end(store: Store, job: Job) -> None:
    with store.write() as session:
        end_attempt(session, session.get_one(Job, job.id), Outcome("succeeded"), None, Left())


def measure(url: str, home: Path, n_workers: int, n_jobs: int) -> Run:
    store = open_store(url, home)
    for _ in range(n_jobs):
        submit(store, "echo", {})
    with store.write() as session:
        register_devices(session, HOST, cpu_slots(n_workers, 0))
    spawn = multiprocessing.get_context("spawn")
    gate, told = spawn.Barrier(n_workers), spawn.Queue()
    workers = [spawn.Process(target=serve, args=(url, home, number, gate, told)) for number in range(n_workers)]
    for worker in workers:
        worker.start()
    found = [told.get(timeout=600) for _ in workers]
    for worker in workers:
        worker.join()
    claimed = [job_id for served in found for job_id in served.claimed]
    seconds = max(served.ended for served in found) - min(served.begun for served in found)
    _check(store, claimed, n_jobs)
    store.close()
    return Run(
        n_jobs / seconds, [each for served in found for each in served.claim_s],
        [each for served in found for each in served.end_s], len(claimed) - len(set(claimed)),
        sum(served.n_busy for served in found),
    )


def _check(store: Store, claimed: list[int], n_jobs: int) -> None:
    with store.read() as session:
        rows = list(session.exec(select(Job)))
        held = [device.name for device in session.exec(select(Device)) if device.job_id is not None]
    assert set(claimed) == {job.id for job in rows} and len(rows) == n_jobs, "a job was never claimed"
    assert all(job.state == "succeeded" and job.attempt == 1 for job in rows), "a job was claimed twice"
    assert not held, f"still leased: {held}"


@contextmanager
def fresh_stores(database: str) -> Iterator[Any]:
    """A function that gives the (URL, LAB_HOME) of one more empty store."""
    place = Path(tempfile.mkdtemp(prefix="lab-claims-"))
    server = make_server() if database == "postgresql" else None
    numbers = iter(range(1000))

    def fresh() -> tuple[str, Path]:
        home = place / f"home{next(numbers)}"
        return (server.migrated_database() if server else f"sqlite:///{home / 'lab.db'}"), home
    try:
        if server:
            server.start()
        yield fresh
    finally:
        if server:
            server.stop(signal.SIGQUIT)
            shutil.rmtree(server.folder, ignore_errors=True)
        shutil.rmtree(place)


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--jobs", type=int, default=2000)
    asked.add_argument("--times", type=int, default=3)
    asked.add_argument("--only", choices=DATABASES)
    asked.add_argument("--workers", type=int, nargs="+", default=WORKERS)
    options = asked.parse_args()
    os.environ["LAB_EXTRA_TASKS"] = "tests.jobs.fake_tasks"
    print(f"{options.jobs} jobs, {options.times} times each; claims and ends a second: median (least–most)")
    n_twice = 0
    for database in DATABASES if options.only is None else [options.only]:
        with fresh_stores(database) as fresh:
            for n_workers in options.workers:
                runs = [measure(*fresh(), n_workers, options.jobs) for _ in range(options.times)]
                n_twice += sum(run.n_twice for run in runs)
                print(row(database, n_workers, runs), flush=True)
    return 1 if n_twice else 0


def row(database: str, n_workers: int, runs: list[Run]) -> str:
    rates = [run.per_s for run in runs]
    rate = f"{statistics.median(rates):4.0f} ({min(rates):.0f}–{max(rates):.0f})"
    claims, ends = (_quantiles([getattr(run, name) for run in runs]) for name in ("claim_s", "end_s"))
    twice = sum(run.n_twice for run in runs)
    busy = sum(run.n_busy for run in runs)
    return (f"{database:10} {n_workers} worker(s) {rate:>16} /s; claim {claims}; end {ends}; claimed twice {twice}; "
            f"no turn within 10 s: {busy}; load {os.getloadavg()[0]:.1f}")


def _quantiles(runs: list[list[float]]) -> str:
    """Of each run, then the median of the runs."""
    cuts = [statistics.quantiles(seconds, n=100) for seconds in runs]
    return " ".join(f"p{cut} {1000 * statistics.median(row[cut - 1] for row in cuts):.1f} ms" for cut in (50, 99))


if __name__ == "__main__":
    sys.exit(main())
