"""Who gets which device, and who has to wait."""

from __future__ import annotations

from jobs.devices import Found, cpu_slots
from jobs.leases import MOST_WITHOUT_DEVICE, claim, in_the_way, leased, register_devices, release
from jobs.queue import new_uid
from storage.database import Store
from storage.queries.queue import devices, next_rank
from storage.tables import Job, now

HOST = "here"


def _gpus(*memory: tuple[int, int]) -> list[Found]:
    """Cards with (total, free) GiB."""
    return [Found(f"gpu:GPU-{i}", "gpu", f"GPU {i}", total * 1024, free * 1024) for i, (total, free) in
            enumerate(memory)]


def _machine(store: Store, found: list[Found]) -> None:
    with store.write() as session:
        register_devices(session, HOST, found)


def _queue(store: Store, **columns: object) -> int:
    with store.write() as session:
        job = Job(uid=new_uid(), kind="echo", name="x", rank=next_rank(session), **columns)
        session.add(job)
    return job.id


def _claim(store: Store) -> tuple[int, tuple[str, ...]] | None:
    with store.write() as session:
        job = claim(session, "w", HOST)
        return (job.id, leased(session, job)) if job else None


def _end(store: Store, job_id: int) -> None:
    with store.write() as session:
        job = session.get_one(Job, job_id)
        job.state = "succeeded"
        release(session, job)


def test_a_job_takes_as_many_devices_as_it_needs_and_gives_them_back(store: Store) -> None:
    _machine(store, _gpus((80, 80), (80, 80), (80, 80)))
    two, one, last = _queue(store, devices=2), _queue(store), _queue(store)
    assert _claim(store) == (two, ("gpu:GPU-0", "gpu:GPU-1"))
    assert _claim(store) == (one, ("gpu:GPU-2",))
    assert _claim(store) is None
    _end(store, two)
    assert _claim(store) == (last, ("gpu:GPU-0",))


def test_a_job_that_waits_for_its_devices_is_not_overtaken_by_a_smaller_one(store: Store) -> None:
    _machine(store, _gpus((80, 80), (80, 80)))
    first, big, small = _queue(store), _queue(store, devices=2), _queue(store)
    assert _claim(store) == (first, ("gpu:GPU-0",))
    assert _claim(store) is None  # one card is free, and it is the big job's turn
    _end(store, first)
    assert _claim(store) == (big, ("gpu:GPU-0", "gpu:GPU-1"))
    _end(store, big)
    assert _claim(store)[0] == small


def test_a_job_that_no_card_of_the_machine_can_hold_does_not_stop_the_line(store: Store) -> None:
    _machine(store, _gpus((24, 24)))
    _queue(store, memory_mib=40 * 1024)
    _queue(store, devices=4)
    fits = _queue(store, memory_mib=20 * 1024)
    assert _claim(store) == (fits, ("gpu:GPU-0",))


def test_the_card_with_the_least_sufficient_memory_is_taken(store: Store) -> None:
    _machine(store, _gpus((80, 80), (24, 24), (16, 16)))
    job = _queue(store, memory_mib=20 * 1024)
    assert _claim(store) == (job, ("gpu:GPU-1",))


def test_a_card_that_strangers_use_is_left_alone_and_says_why(store: Store) -> None:
    _machine(store, _gpus((80, 50), (80, 79)))
    job, _ = _queue(store), _queue(store)
    assert _claim(store) == (job, ("gpu:GPU-1",))
    assert _claim(store) is None
    with store.read() as session:
        assert "30.0 GiB" in devices(session)[0].blocked
    _machine(store, _gpus((80, 80), (80, 79)))
    assert _claim(store) is not None


def test_memory_in_use_by_the_holder_itself_does_not_block_its_card(store: Store) -> None:
    _machine(store, _gpus((80, 80)))
    _queue(store)
    assert _claim(store) is not None
    _machine(store, _gpus((80, 10)))
    with store.read() as session:
        assert devices(session)[0].blocked == ""


def test_a_card_that_is_gone_stays_as_long_as_it_is_held_and_then_goes(store: Store) -> None:
    _machine(store, _gpus((80, 80), (80, 80)))
    job = _queue(store)
    assert _claim(store) is not None
    _machine(store, _gpus())
    with store.read() as session:
        assert [(device.name, bool(device.blocked)) for device in devices(session)] == [("gpu:GPU-0", True)]
    _end(store, job)
    _machine(store, cpu_slots(1, 0))
    with store.read() as session:
        assert [device.name for device in devices(session)] == ["cpu:0"]


def test_without_gpus_work_and_chat_have_slots_of_their_own(store: Store) -> None:
    _machine(store, cpu_slots(1, 1))
    work, _, chat = _queue(store), _queue(store), _queue(store, lane="chat")
    assert _claim(store) == (work, ("cpu:0",))
    assert _claim(store) == (chat, ("chat:0",))
    assert _claim(store) is None


def test_memory_is_not_asked_of_a_cpu_slot(store: Store) -> None:
    _machine(store, cpu_slots(1, 0))
    job = _queue(store, memory_mib=40 * 1024)
    assert _claim(store) == (job, ("cpu:0",))


def test_only_as_many_idle_services_as_needed_are_asked_to_make_room(store: Store) -> None:
    _machine(store, _gpus((80, 80), (80, 80), (80, 80)))
    services = [_queue(store, lane="chat") for _ in range(3)]
    for _ in services:
        _claim(store)
    with store.write() as session:
        for job_id, idle in zip(services, (True, False, True), strict=True):
            job = session.get_one(Job, job_id)
            job.state, job.facts, job.started_at = "running", {"idle": idle}, now()
    waiting = _queue(store)
    with store.read() as session:
        held = [session.get_one(Job, job_id) for job_id in services]
        line = [session.get_one(Job, waiting)]
        asked = in_the_way(line, devices(session), held)
        assert [job.id for job in asked] == [services[0]]  # the longest running of the idle ones
        assert in_the_way([], devices(session), held) == []


def test_jobs_that_hold_no_device_start_beside_the_line_but_not_all_at_once(store: Store) -> None:
    _machine(store, _gpus((80, 80)))
    first, waiting = _queue(store), _queue(store)
    free = [_queue(store, devices=0) for _ in range(MOST_WITHOUT_DEVICE + 1)]
    assert _claim(store) == (first, ("gpu:GPU-0",))
    assert [_claim(store) for _ in free] == [*((job, ()) for job in free[:-1]), None]
    _end(store, free[0])
    assert _claim(store) == (free[-1], ())
    _end(store, first)
    assert _claim(store) == (waiting, ("gpu:GPU-0",))
