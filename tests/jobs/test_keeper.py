"""Who keeps a worker alive."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading

from jobs.keeper import add_keeper, keeper_alive, spawn_worker, worker_alive
from jobs.queue import submit
from jobs.worker import run_worker
from jobs.worker_state import WorkerOptions
from lab.core.settings import Settings
from storage.database import Store
from tests.jobs.conftest import ended, now_of, wait_for, worker_thread
from tests.sqlite_alone import store_url  # noqa: F401  once, and not on every database

WEB = "import sys, time; from jobs.keeper import spawn_worker; from lab.core.settings import Settings; " \
      "spawn_worker(Settings.from_env()); print('up', flush=True); time.sleep(60)"


def test_a_worker_is_spawned_once(working: Store) -> None:
    wait_for(lambda: worker_alive(working.home))
    assert spawn_worker(Settings.from_env()) is None


def test_a_kept_worker_leaves_at_once_when_nobody_keeps_it_and_nothing_is_left(store: Store) -> None:
    run_worker(store, WorkerOptions(kept=True, gpus=False), threading.Event())
    assert not worker_alive(store.home)


def test_a_keeper_counts_as_long_as_its_process_lives(store: Store) -> None:
    assert not keeper_alive(store.home)
    own = add_keeper(store.home)
    assert keeper_alive(store.home)
    own.write_text(own.read_text().replace('"start_ticks": ', '"start_ticks": 9'))
    assert not keeper_alive(store.home) and not own.exists()


def test_a_killed_web_process_leaves_worker_and_job_alone_and_the_next_one_finds_the_worker(store: Store) -> None:
    job = submit(store, "echo", {"steps": 100, "pause_s": 0.05}).jobs[0]
    web = subprocess.Popen([sys.executable, "-c", WEB], stdout=subprocess.PIPE, env={**os.environ})
    web.stdout.readline()
    wait_for(lambda: now_of(store, job).progress_done > 2)
    web.send_signal(signal.SIGKILL)
    web.wait()
    web.stdout.close()
    assert worker_alive(store.home)
    assert spawn_worker(Settings.from_env()) is None  # the web process that starts again
    assert ended(store, job).state == "succeeded"
    next(iter(store.home.keepers.glob(f"{os.getpid()}.json"))).unlink()  # this process needs it no more
    wait_for(lambda: not worker_alive(store.home))


def test_a_deleted_home_ends_its_worker(store: Store) -> None:
    with worker_thread(store) as worker:
        wait_for(lambda: worker_alive(store.home))
        store.home.worker_lock(socket.gethostname(), "main").unlink()
        worker._thread.join(10)
        assert not worker._thread.is_alive()
