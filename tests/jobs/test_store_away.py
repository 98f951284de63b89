"""A store that cannot be reached in the middle of a start, and a bug that one job brings out: the rest goes on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jobs import starting, watching, worker
from jobs.ingest import Batch
from jobs.processes import marked
from jobs.queue import submit
from lab.core.errors import LabError
from storage.database import Store
from storage.files import Home, JobFolder
from tests.jobs.conftest import ended, now_of, wait_for, worker_thread


class Away:
    """A function that finds the store busy when it is called first, and then is what it was."""

    def __init__(self, real: Callable[..., object]) -> None:
        self.real, self.n_calls = real, 0

    def __call__(self, *arguments: object) -> object:
        self.n_calls += 1
        if self.n_calls == 1:
            raise LabError("the store was busy for 10 seconds; try again.", "lost")
        return self.real(*arguments)


def test_a_process_that_could_not_be_noted_is_the_job_and_no_second_one_starts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = Away(starting.note_process)
    monkeypatch.setattr(starting, "note_process", note)
    job = submit(store, "climb", {"steps": 40, "pause_s": 0.05}).jobs[0]
    with worker_thread(store, slots=2):
        wait_for(lambda: now_of(store, job).progress_done > 10)
        row, living = now_of(store, job), marked(job.uid)
        assert note.n_calls == 1 and row.pid is None and len(living) == 1
        row = ended(store, job)
    assert (row.state, row.attempt, row.result["begun_at"]) == ("succeeded", 1, 0)


def test_a_start_that_the_store_broke_off_is_given_back_and_made_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "start_job", Away(worker.start_job))
    job = submit(store, "echo", {}).jobs[0]
    with worker_thread(store):
        row = ended(store, job)
    assert (row.state, row.attempt, row.losses) == ("succeeded", 2, 0)


def test_a_refusal_that_could_not_be_stored_is_stored_later(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse = Away(worker.refuse)
    monkeypatch.setattr(worker, "refuse", refuse)
    monkeypatch.setattr(Home, "free_mib", lambda _: 5)
    job = submit(store, "echo", {}).jobs[0]
    with worker_thread(store, min_free_mib=200):
        row = ended(store, job)
    assert (row.state, row.reason) == ("failed", "disk") and refuse.n_calls == 2


def test_a_bug_that_one_job_brings_out_leaves_its_neighbours_attended(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = submit(store, "echo", {"steps": 30, "pause_s": 0.1}).jobs[0]
    plain = submit(store, "echo", {"steps": 5, "pause_s": 0.1}).jobs[0]
    real = watching.read_batch

    def read_batch(folder: JobFolder, offset: int) -> Batch:
        if folder.path.name == odd.uid:
            raise ZeroDivisionError("a bug")
        return real(folder, offset)

    with monkeypatch.context() as broken:
        broken.setattr(watching, "read_batch", read_batch)
        with worker_thread(store, slots=2):
            assert ended(store, plain).state == "succeeded"
            assert now_of(store, odd).state == "starting"  # nothing of it can be read in
    with worker_thread(store):
        assert ended(store, odd).state == "succeeded"
