"""Why a queued job does not run yet."""

from datetime import UTC, datetime

import pytest

from lab.ui.jobs.waiting import Queue, came_back, waiting
from storage.queries.queue import Place
from storage.tables import Device, Job

GIB = 1024


def job(**columns) -> Job:
    return Job(**{"id": 7, "uid": "a" * 12, "kind": "sft", "name": "x", **columns})


def gpu(number: int, gib: int = 24, **columns) -> Device:
    values = {"memory_mib": gib * GIB, "free_mib": gib * GIB, "title": f"GPU {number}, A5000", **columns}
    return Device(host="node", name=f"gpu:GPU-{number}", kind="gpu", **values)


def slot(number: int, host: str = "desk", **columns) -> Device:
    return Device(host=host, name=f"cpu:{number}", kind="cpu", title=f"CPU slot {number}", **columns)


def queue(*devices: Device, **columns) -> Queue:
    values = {"places": {7: Place(3, 700.0)}, "live_hosts": frozenset({"node", "desk"}), **columns}
    return Queue(devices=devices, **values)


def test_a_job_that_waits_for_a_slot_says_its_place_and_about_when():
    told = waiting(job(), queue(slot(0, job_id=1), slot(1, job_id=2)))
    assert (told.place, told.when, told.why) == ("#3", "about 12 min", "waits its turn: no CPU slot is free for it")
    assert not told.stuck


@pytest.mark.parametrize(("seconds", "words"), [
    (None, ""), (0.0, "less than a minute"), (59.0, "less than a minute"), (90.0, "about 2 min"),
    (7300, "about 2 h 2 min"),
])
def test_the_estimate_is_told_in_minutes_or_not_at_all(seconds, words):
    assert waiting(job(), queue(slot(0, job_id=1), places={7: Place(1, seconds)})).when == words


def test_a_job_whose_device_is_free_starts_next():
    assert waiting(job(), queue(slot(0))).why == "starts next"


PAUSED = {"paused_since": datetime(2026, 1, 1, tzinfo=UTC)}
MANY = {"devices": 4}
TWO = (gpu(0), gpu(1))


@pytest.mark.parametrize(("row", "found", "why"), [
    (job(), queue(slot(0), **PAUSED), "the queue is paused"),
    (job(), queue(slot(0), live_hosts=frozenset()), "no worker runs"),
    (job(**MANY), queue(*TWO), "needs 4 GPUs and the largest machine has 2"),
    (job(memory_mib=38 * GIB), queue(*TWO), "needs about 38 GiB and the largest GPU has 24 GiB"),
    (job(devices=2, memory_mib=20 * GIB), queue(gpu(0, 40), gpu(1, 8)),
     "needs about 20 GiB on each of 2 GPUs, and no machine has 2 with more than 8.0 GiB"),
    (job(), queue(gpu(0, blocked="3.1 GiB of its memory are used by programs that the lab did not start")),
     "GPU 0, A5000 is not leased: 3.1 GiB of its memory are used by programs that the lab did not start"),
    (job(), queue(), "no machine has shown its devices yet"),
])
def test_what_time_alone_does_not_mend_is_told_and_has_no_estimate(row, found, why):
    told = waiting(row, found)
    assert told.why == why and told.stuck and told.when == ""


def test_the_first_obstacle_is_the_one_that_is_told():
    found = queue(*TWO, unmet={7: [5]}, **PAUSED)
    assert waiting(job(**MANY), found).why == "the queue is paused"
    without_pause = Queue(found.places, found.unmet, found.devices, found.live_hosts)
    assert waiting(job(**MANY), without_pause).why == "waits for job 5"


def test_a_job_names_the_jobs_it_waits_for_and_keeps_its_estimate():
    told = waiting(job(), queue(slot(0), unmet={7: [5, 6]}))
    assert told.why == "waits for job 5 and 1 more" and list(told.needs) == [5, 6] and told.when


def test_a_blocked_card_is_no_reason_while_another_one_will_be_free():
    told = waiting(job(), queue(gpu(0, blocked="it is not there any more"), gpu(1, job_id=3)))
    assert told.why == "waits its turn: no GPU is free for it" and not told.stuck


def test_memory_is_not_asked_of_a_cpu_slot():
    assert waiting(job(memory_mib=500 * GIB), queue(slot(0))).why == "starts next"


def test_devices_of_a_machine_without_a_worker_do_not_count():
    told = waiting(job(), queue(slot(0), live_hosts=frozenset({"node"})))
    assert told.why == "no machine has shown its devices yet"


def test_a_job_for_a_cluster_asks_nothing_of_this_machine():
    assert waiting(job(devices=64, run_on="slurm:h100"), queue(slot(0))).why == "is handed to Slurm next"


def test_a_job_whose_profile_is_gone_says_so():
    told = waiting(job(run_on="slurm:h100", cluster={"text": "unknown Slurm profile 'h100'."}), queue(slot(0)))
    assert told.why == "unknown Slurm profile 'h100'." and told.stuck


def test_a_job_that_was_lost_waits_again_and_a_retried_one_waits_anew():
    assert came_back(job(started_at=datetime(2026, 1, 1, tzinfo=UTC)))
    assert not came_back(job()) and not came_back(job(state="running", started_at=datetime(2026, 1, 1, tzinfo=UTC)))
