"""A disk that fills up while a job runs: one sentence, nothing stored is lost, a retry works once there is room."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from jobs.processes import start_ticks, sweep
from jobs.queue import retry, submit
from storage.database import Store, open_store
from tests.jobs.conftest import ended, now_of, wait_for, worker_thread


@pytest.fixture
def small_store(tmp_path: Path) -> Iterator[Store]:
    """A store on a disk of 8 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)], capture_output=True).returncode:
        pytest.skip("this test mounts a tmpfs, and this user may not")
    store = open_store(home=place / "home")
    yield store
    store.close()
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_that_fills_up_fails_the_job_with_a_sentence_and_loses_nothing(small_store: Store) -> None:
    store, filler = small_store, small_store.home.path / "filler"
    done, job = (submit(store, "echo", {"steps": steps, "pause_s": 0.05}).jobs[0] for steps in (1, 400))
    with worker_thread(store):
        ended(store, done)
        wait_for(lambda: now_of(store, job).progress_done > 2)
        runner = now_of(store, job).pid
        with pytest.raises(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"0" * 4096)
        wait_for(lambda: _gone(runner))
        filler.unlink()
        row = ended(store, job)
        assert (row.state, row.reason) == ("failed", "disk") and "The disk is full" in row.message
        retry(store, job.id)
        wait_for(lambda: now_of(store, job).attempt == 2 and now_of(store, job).progress_done > 2)
    with store.write() as session:
        assert session.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    assert now_of(store, done).state == "succeeded"
    assert sweep(job.uid)


def _gone(pid: int) -> bool:
    return start_ticks(pid) is None
