"""`queue`, `move`, `devices`, `forget` and `retry --from-start`: words, exit codes, JSON."""

from __future__ import annotations

import json

from jobs.cli.commands import main
from jobs.devices import cpu_slots
from jobs.leases import claim, register_devices
from jobs.queue import request_cancel, submit
from storage.database import Store
from storage.queries.queue import is_paused
from tests.jobs.conftest import ended, now_of, wait_for, worker_thread
from tests.sqlite_alone import store_url  # noqa: F401  once, and not on every database


def test_the_queue_shows_who_waits_and_says_that_no_worker_runs(store: Store, capsys) -> None:
    assert main(["queue"]) == 0
    assert "Nothing waits." in capsys.readouterr().out
    for text in "ab":
        submit(store, "echo", {"text": text})
    assert main(["queue"]) == 0
    told = capsys.readouterr().out
    assert "No worker is running" in told and "not known" in told and told.count("echo") == 2
    assert main(["queue", "--json"]) == 0
    assert [row["place"] for row in json.loads(capsys.readouterr().out)["line"]] == [1, 2]


def test_the_queue_is_paused_and_goes_on(store: Store, capsys) -> None:
    for action, paused in (("pause", True), ("resume", False)):
        assert main(["queue", action]) == 0
        assert ("The queue is paused" in capsys.readouterr().out) is paused
        with store.read() as session:
            assert is_paused(session) is paused


def test_a_job_is_moved_and_its_new_place_is_told(store: Store, capsys) -> None:
    jobs = [submit(store, "echo", {}).jobs[0].id for _ in range(3)]
    assert main(["move", str(jobs[2]), "first"]) == 0
    assert "no. 1 in line" in capsys.readouterr().out
    assert main(["show", str(jobs[0])]) == 0
    assert "no. 2" in capsys.readouterr().out
    request_cancel(store, jobs[0])
    assert main(["move", str(jobs[0]), "last"]) == 2
    assert "only a queued job" in capsys.readouterr().err


def test_devices_show_their_holder(store: Store, capsys) -> None:
    assert main(["devices"]) == 0
    assert "No device is known yet" in capsys.readouterr().out
    submit(store, "echo", {})
    with store.write() as session:
        register_devices(session, "box", cpu_slots(2, 1))
        claim(session, "box/main:1:1", "box")
    assert main(["devices"]) == 0
    told = capsys.readouterr().out
    assert "job 1 (echo)" in told and told.count("free") == 2
    assert main(["devices", "--json"]) == 0
    assert [row["job_id"] for row in json.loads(capsys.readouterr().out)["devices"]] == [None, 1, None]


def test_a_machine_is_forgotten_by_name(store: Store, capsys) -> None:
    submit(store, "echo", {})
    with store.write() as session:
        register_devices(session, "box", cpu_slots(1, 0))
        claim(session, "box/main:1:1", "box")
    assert main(["forget", "bix"]) == 2
    assert "Did you mean 'box'" in capsys.readouterr().err
    assert main(["forget", "box"]) == 0
    assert "1 job(s) went back to the line: 1 (echo)" in capsys.readouterr().out


def test_a_retry_says_from_which_step_it_goes_on_or_starts_over(store: Store, capsys) -> None:
    job = submit(store, "climb", {"steps": 100, "pause_s": 0.05}).jobs[0]
    with worker_thread(store):
        wait_for(lambda: now_of(store, job).progress_done > 2)
        request_cancel(store, job.id)
        ended(store, job)
    assert main(["retry", str(job.id)]) == 0
    assert "it goes on from step" in capsys.readouterr().out
    request_cancel(store, job.id)
    assert main(["retry", str(job.id), "--from-start"]) == 0
    assert "goes on" not in capsys.readouterr().out
    assert store.home.job(job.uid).checkpoints.last_whole() is None
