"""Order and pause of the line, as people ask for them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jobs.adoption import forget_machine
from jobs.devices import cpu_slots
from jobs.leases import claim, register_devices
from jobs.line import move, pause
from jobs.queue import Wish, submit
from lab.core.errors import LabError
from storage.database import Store
from storage.queries.jobs import events
from storage.queries.queue import devices, ready_jobs
from storage.tables import Worker, now
from tests.jobs.conftest import ended, now_of, wait_for, worker_thread


def _order(store: Store) -> list[int]:
    with store.read() as session:
        return [job.id for job in ready_jobs(session)]


def test_a_waiting_job_moves_up_down_to_the_first_and_to_the_last_place(store: Store) -> None:
    a, b, c, d = (submit(store, "echo", {}).jobs[0].id for _ in range(4))
    for job, to, expected in (
        (c, "up", [a, c, b, d]), (a, "down", [c, a, b, d]), (d, "first", [d, c, a, b]), (d, "last", [c, a, b, d]),
        (c, "up", [c, a, b, d]), (d, "down", [c, a, b, d]),
    ):
        move(store, job, to)
        assert _order(store) == expected, (job, to)


def test_going_past_a_more_urgent_job_takes_over_its_priority(store: Store) -> None:
    urgent = submit(store, "echo", {}, Wish(priority=5)).jobs[0].id
    low = submit(store, "echo", {}).jobs[0].id
    move(store, low, "first")
    assert _order(store) == [low, urgent] and now_of(store, low).priority == 5
    newest = submit(store, "echo", {}, Wish(priority=5)).jobs[0].id
    assert _order(store) == [low, urgent, newest]


def test_two_hundred_moves_between_the_same_neighbours_still_move(store: Store) -> None:
    a, b, c = (submit(store, "echo", {}).jobs[0].id for _ in range(3))
    for turn in range(100):
        move(store, c, "up")
        assert _order(store) == [a, c, b], turn
        move(store, b, "up")
        assert _order(store) == [a, b, c], turn


def test_a_job_that_does_not_wait_has_no_place(store: Store) -> None:
    job = submit(store, "echo", {}).jobs[0]
    with worker_thread(store):
        ended(store, job)
    with pytest.raises(LabError, match="only a queued job has a place"):
        move(store, job.id, "first")


def test_a_paused_queue_starts_nothing_and_ends_nothing_and_goes_on(store: Store) -> None:
    running = submit(store, "echo", {"steps": 30, "pause_s": 0.05}).jobs[0]
    with worker_thread(store, slots=2):
        wait_for(lambda: now_of(store, running).state == "running")
        pause(store, True)
        waiting = submit(store, "echo", {}).jobs[0]
        assert ended(store, running).state == "succeeded"
        assert now_of(store, waiting).state == "queued"
        pause(store, False)
        assert ended(store, waiting).state == "succeeded"


def test_a_machine_that_is_given_up_sends_its_jobs_back_and_one_that_lives_is_not(store: Store) -> None:
    job = submit(store, "echo", {}).jobs[0]
    with store.write() as session:
        register_devices(session, "gone", cpu_slots(1, 0))
        session.add(Worker(name="gone/main:1:1", host="gone", pid=1))
        claim(session, "gone/main:1:1", "gone")
    with pytest.raises(LabError, match="sign of life"):
        forget_machine(store, "gone")
    with store.write() as session:
        session.get_one(Worker, "gone/main:1:1").heartbeat_at = now() - timedelta(hours=1)
    assert [row.id for row in forget_machine(store, "gone")] == [job.id]
    with store.read() as session:
        assert devices(session) == [] and events(session, job.id)[-2].why == "Its machine, gone, was given up."
    assert now_of(store, job).state == "queued"
    with pytest.raises(LabError, match="no machine called 'gone'"):
        forget_machine(store, "gone")
