"""A store of its own for each test, the fake tasks, and a worker in a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs import catalog
from jobs.worker import run_worker
from jobs.worker_state import WorkerOptions
from lab.bases.cards import BaseCard, bases
from storage.database import Store
from storage.queries.jobs import get_job
from storage.tables import ENDED, Job


@pytest.fixture(autouse=True)
def fake_tasks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The fake kinds are known here and in the processes that are started from here."""
    monkeypatch.setenv("LAB_EXTRA_TASKS", "tests.jobs.fake_tasks")
    monkeypatch.setenv("LAB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("LAB_DATABASE_URL", raising=False)
    monkeypatch.setattr("jobs.worker.TICK_S", 0.1)
    monkeypatch.setenv("LAB_WARM", "off")
    monkeypatch.setenv("LAB_GPUS", "off")
    catalog.tasks.cache_clear()
    catalog.specs.cache_clear()
    yield
    catalog.tasks.cache_clear()
    catalog.specs.cache_clear()


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a base card that only this process knows."""
    card = BaseCard(name="tiny-llama", title="Tiny", family="llama", path="none", license="MIT", parameters=1,
                    context_tokens=1024)
    monkeypatch.setitem(bases(), card.name, card)
    return card.name


@pytest.fixture
def store(any_store: Store) -> Store:
    """The test runs twice, once on each database; the environment names the store for processes started here."""
    return any_store


@pytest.fixture
def working(store: Store) -> Iterator[Store]:
    """The store, with a worker of one slot serving it."""
    with worker_thread(store):
        yield store


class worker_thread:
    """`with worker_thread(store):` a worker serves it inside the block. Jobs that still run at the end go on."""

    def __init__(self, store: Store, slots: int = 1, **options: Any):
        self._stop = threading.Event()
        chosen = WorkerOptions(slots=slots, **{"grace_s": 1.0, "min_free_mib": 0, "gpus": False, **options})
        self._thread = threading.Thread(target=run_worker, args=(store, chosen, self._stop))

    def __enter__(self) -> worker_thread:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)
        assert not self._thread.is_alive()


def wait_for(condition: Callable[[], object], timeout_s: float = 120.0) -> object:
    """Poll until it is true; fails the test when that takes too long."""
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)
    return value


def now_of(store: Store, job: Job | int) -> Job:
    """The row as it is now."""
    with store.read() as session:
        return get_job(session, job if isinstance(job, int) else job.id)


def ended(store: Store, job: Job | int, timeout_s: float = 120.0) -> Job:
    """The row once the job has ended."""
    wait_for(lambda: now_of(store, job).state in ENDED, timeout_s)
    return now_of(store, job)
