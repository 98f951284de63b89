"""Machines, their devices and workers as the Jobs page shows them."""

from datetime import UTC, datetime, timedelta

from lab.ui.jobs.board import Board, View
from lab.ui.jobs.devices import devices_panel, pause_banner
from lab.ui.jobs.waiting import Queue
from storage.tables import Device, Job, Worker

NOW = datetime.now(UTC)
GIB = 1024


def board(*devices: Device, workers=(), **columns) -> Board:
    return Board(View(), queue=Queue(devices=devices), workers=workers, **columns)


def gpu(number: int, host: str = "node", **columns) -> Device:
    return Device(host=host, name=f"gpu:GPU-{number}", kind="gpu", title=f"GPU {number}, H200", memory_mib=140 * GIB,
                  **{"free_mib": 140 * GIB, "seen_at": NOW, **columns})


def test_a_held_gpu_names_its_job_with_its_arm_and_since_when():
    held = gpu(0, job_id=7, leased_at=datetime.now(UTC) - timedelta(minutes=23, seconds=9), free_mib=99 * GIB)
    holder = Job(id=7, uid="a", kind="sft", name="mine <b>")
    html = devices_panel(board(held, gpu(1), holders={7: holder}, arms={7: "trace"}))
    assert 'href="/jobs?id=7"' in html and "arm-trace" in html and "mine &lt;b&gt;" in html
    assert "for 23 min" in html and "41 of 140 GiB used" in html and "1 of 2 GPUs in use" in html


def test_a_blocked_device_says_why_and_an_old_figure_says_its_age():
    html = devices_panel(board(gpu(0, blocked="78.1 GiB are used by programs that the lab did not start",
                                   seen_at=NOW - timedelta(minutes=9))))
    assert "not leased" in html and "78.1 GiB are used by programs" in html and "1 blocked" in html and ", seen" in html


def test_with_many_machines_each_is_a_line_to_unfold():
    few, many = ([gpu(0, f"node-{i}") for i in range(count)] for count in (2, 3))
    assert devices_panel(board(*few)).count(" open") == 2 and devices_panel(board(*many)).count(" open") == 0


def test_workers_tell_whether_they_live_and_without_one_what_to_do():
    alive = Worker(name="node/main:1:2", host="node", pid=1, heartbeat_at=NOW + timedelta(hours=1))
    silent = Worker(name="desk/night:1:2", host="desk", pid=1, heartbeat_at=NOW - timedelta(minutes=4))
    html = devices_panel(board(gpu(0), workers=[alive, silent]))
    assert "main on node" in html and "alive" in html and "night on desk" in html and "last seen" in html
    assert "python -m jobs worker" in devices_panel(board(gpu(0)))
    gone = Worker(name="x/main:1:2", host="x", pid=1, heartbeat_at=NOW - timedelta(days=3))
    assert "No worker runs" in devices_panel(board(gpu(0), workers=[gone]))


def test_the_banner_is_there_only_while_the_queue_is_paused():
    assert pause_banner(board()) == ""
    paused = Board(View(), queue=Queue(paused_since=NOW), counts={"queued": 1, "running": 2})
    assert "1 job waits" in pause_banner(paused) and "What runs goes on (2)" in pause_banner(paused)
