"""Jobs forked from a warm process: they find what a cold start gives them, and survive everything a cold one does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from jobs.launchers import local, warm
from jobs.launchers.order import Order
from jobs.launchers.warm import WarmLauncher
from jobs.processes import Identity, identify, marked, start_ticks, sweep
from jobs.provenance import ROOT
from lab.core.context import write_json
from storage.files import Home, JobFolder, read_json
from tests.jobs.conftest import wait_for

LIGHT = ("json",)  # imported in no time


@dataclass(frozen=True)
class Program(Order):
    """A program in the place of the runner."""

    program: str = "world"
    module: str = "tests.jobs.warm_programs"

    @property
    def command(self) -> list[str]:
        return ["-m", self.module, str(self.folder.path), self.program]


@pytest.fixture
def order(tmp_path: Path) -> Iterator[Program]:
    folder = JobFolder(tmp_path / "job")
    folder.prepare()
    uid = f"{os.getpid():012x}"  # the sweep ends every process with this mark: no other run of these tests may have it
    yield Program(uid, folder, 1, ("cpu:0",), 1)
    sweep(uid)


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[WarmLauncher]:
    """Ready, with hardly anything imported."""
    made = WarmLauncher(Home(tmp_path), LIGHT)
    yield ready(made)
    made.stop()


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmLauncher]:
    """Ready, with everything imported that jobs import."""
    made = ready(WarmLauncher(Home(tmp_path_factory.mktemp("full"))))
    yield made
    made.stop()


def ready(launcher: WarmLauncher) -> WarmLauncher:
    launcher.start()
    wait_for(lambda: launcher.state() != "warming", 150)
    assert launcher.state() == "ready", launcher.reason
    return launcher


def found(order: Order) -> dict[str, Any]:
    """What the program left."""
    path = order.folder.path / "found.json"
    wait_for(lambda: path.exists() or order.folder.exit.exists(), 20)
    assert path.exists(), order.folder.log.read_text()
    return read_json(path) or {}


def told(order: Order) -> dict[str, Any]:
    wait_for(order.folder.exit.exists, 20)
    return read_json(order.folder.exit) or {}


def left(identity: Identity) -> bool:
    return not identity.alive()


def test_a_job_finds_the_same_world_warm_and_cold(launcher: WarmLauncher, order: Program) -> None:
    assert launcher.fork(order) is not None
    forked = found(order)
    (order.folder.path / "found.json").unlink()
    process = local.start(order).process
    assert process is not None and process.wait(20) == 0
    assert forked == found(order)
    assert forked["leads_its_session"] and set(forked["files"]) == {"0", "1", "2"}
    assert order.folder.log.read_text() == "spoken\n" * 2


def test_nothing_of_one_job_is_left_in_the_next(launcher: WarmLauncher, order: Program, monkeypatch) -> None:
    monkeypatch.setenv("ONLY_THE_FIRST", "here")
    launcher.fork(order)
    assert found(order)["environment"]["ONLY_THE_FIRST"] == "here"
    monkeypatch.delenv("ONLY_THE_FIRST")
    second = replace(order, uid="ba9876543210", folder=JobFolder(order.folder.path.parent / "second"))
    second.folder.prepare()
    launcher.fork(second)
    environment = found(second)["environment"]
    assert "ONLY_THE_FIRST" not in environment and environment["LAB_JOB_UID"] == "ba9876543210"


def test_a_job_runs_the_code_as_it_is_when_it_starts(order: Program, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    launcher = ready(WarmLauncher(Home(tmp_path), LIGHT))
    fresh = replace(order, module="fresh_code")
    for word in ("before", "afterwards"):
        (tmp_path / "fresh_code.py").write_text(f"print({word!r})")
        fresh.folder.exit.unlink(missing_ok=True)
        launcher.fork(fresh)
        assert told(fresh)["code"] == 0
    launcher.stop()
    assert fresh.folder.log.read_text() == "before\nafterwards\n"


def test_the_runner_carries_out_a_job(launcher: WarmLauncher, order: Program) -> None:
    job = {"uid": order.uid, "kind": "echo", "attempt": 1, "spec": {"text": "good day"}, "models": {}}
    write_json(order.folder.job_json, job)
    identity = launcher.fork(Order(order.uid, order.folder, 1, ("cpu:0",), 1))
    assert identity is not None and told(order)["code"] == 0
    status, result = read_json(order.folder.status), read_json(order.folder.result)
    assert status is not None and status["phase"] == "succeeded" and status["pid"] == identity.pid
    assert result is not None and result["text"] == "good day"


def test_the_mark_finds_the_job_and_all_its_children_even_those_in_a_session_of_their_own(
    launcher: WarmLauncher, order: Program
) -> None:
    assert marked(order.uid) == []
    identity = launcher.fork(replace(order, program="family"))
    pids = found(order)
    assert identity is not None and identity.pid == pids["self"]
    assert set(marked(order.uid)) == set(pids.values()) and len(set(pids.values())) == 4
    assert sweep(order.uid) and [pid for pid in pids.values() if start_ticks(pid) is not None] == []


@pytest.mark.parametrize(
    ("program", "code", "words"),
    [("world", 0, "spoken"), ("five", 5, ""), ("words", 1, "it cannot go on"), ("bug", 1, "ValueError: a bug"),
     ("killed", -signal.SIGKILL, "")],
)
def test_how_a_job_ended_is_in_its_folder_before_its_process_is_gone(
    launcher: WarmLauncher, order: Program, program: str, code: int, words: str
) -> None:
    identity = launcher.fork(replace(order, program=program))
    assert identity is not None
    wait_for(lambda: not Path(f"/proc/{identity.pid}").exists())
    assert read_json(order.folder.exit) == {**vars(identity), "code": code}
    assert words in order.folder.log.read_text()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_server_ends_with_its_worker_and_the_job_goes_on(order: Program, tmp_path: Path, how: int) -> None:
    worker, pids = owner(tmp_path, LIGHT, order)
    server, job = identify(pids["server"]), identify(pids["job"])
    assert server is not None and job is not None
    worker.send_signal(how)
    worker.wait()
    wait_for(lambda: left(server), 5)
    time.sleep(0.2)
    assert job.alive() and marked(order.uid) == [job.pid]


def test_the_server_ends_with_its_worker_even_while_it_imports(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "endless.py").write_text(f"open({str(tmp_path / 'importing')!r}, 'w')\nimport time\ntime.sleep(60)")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT)]))
    worker, pids = owner(tmp_path, ("endless",), None)
    wait_for((tmp_path / "importing").exists)
    server = identify(pids["server"])
    assert server is not None
    worker.kill()
    worker.wait()
    wait_for(lambda: left(server), 5)


def owner(tmp_path: Path, imports: tuple[str, ...], order: Program | None) -> tuple[subprocess.Popen, dict[str, int]]:
    """A process that owns a launcher, and who its server and its job are."""
    script = f"""if True:
        import json, time
        from pathlib import Path, PosixPath
        from storage.files import Home, JobFolder
        from tests.jobs.test_warm import Program, WarmLauncher
        launcher, order = WarmLauncher({Home(tmp_path)!r}, {imports!r}), {order!r}
        launcher.start()
        while order and launcher.state() == "warming":
            time.sleep(0.02)
        job = order and launcher.fork(order)
        print(json.dumps({{"server": launcher.pid, "job": job and job.pid}}), flush=True)
        time.sleep(60)"""
    order = order and replace(order, program="sleep")
    script = script if order is None else script.replace("'world'", "'sleep'")
    worker = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT)
    assert worker.stdout is not None
    return worker, json.loads(worker.stdout.readline())


def test_a_killed_server_is_failed_then_starts_again_and_its_job_goes_on(
    launcher: WarmLauncher, order: Program
) -> None:
    job = launcher.fork(replace(order, program="sleep"))
    assert launcher.pid is not None and job is not None and launcher.age_s is not None
    assert found(order)["self"] == job.pid
    os.kill(launcher.pid, signal.SIGKILL)
    wait_for(lambda: launcher.state() == "failed")
    assert "ended with code -9" in launcher.reason and launcher.fork(order) is None and job.alive()
    ready(launcher)
    assert launcher.fork(replace(order, uid="second", program="world")) is not None


def test_a_server_that_keeps_dying_is_left_alone(launcher: WarmLauncher) -> None:
    for _ in range(warm.STARTS):
        ready(launcher)
        assert launcher.pid is not None
        os.kill(launcher.pid, signal.SIGKILL)
        wait_for(lambda: launcher.state() == "failed")
    launcher.start()
    assert launcher.state() == "failed" and launcher.reason.startswith("the fork server ended 3 times within 10 min")


def test_a_stuck_server_costs_two_seconds_and_never_starts_the_job_behind_the_callers_back(
    launcher: WarmLauncher, order: Program
) -> None:
    assert launcher.pid is not None
    server = identify(launcher.pid)
    os.kill(launcher.pid, signal.SIGSTOP)
    started = time.monotonic()
    assert launcher.fork(order) is None and time.monotonic() - started < 2.5
    assert launcher.state() == "failed" and server is not None and left(server)
    time.sleep(0.3)
    assert marked(order.uid) == [] and order.folder.log.read_text() == ""
    assert launcher.fork(order) is None and local.start(order).process.wait(20) == 0  # the caller starts it cold


def test_a_child_whose_server_is_killed_at_the_gate_never_runs(order: Program, tmp_path: Path, monkeypatch) -> None:
    """A server that stops itself just before it answers."""
    code, answer = warm.SERVER.read_text(), '    identity = {"pid": pid'
    assert code.count(answer) == 1
    (tmp_path / "forkserver.py").write_text(code.replace(answer, f"    os.kill(os.getpid(), signal.SIGSTOP)\n{answer}"))
    monkeypatch.setattr(warm, "SERVER", tmp_path / "forkserver.py")
    launcher = ready(WarmLauncher(Home(tmp_path), LIGHT))
    assert launcher.fork(order) is None
    wait_for(lambda: marked(order.uid) == [])
    assert order.folder.log.read_text() == "" and not (order.folder.path / "found.json").exists()


@pytest.mark.parametrize(
    ("code", "reason"),
    [("import threading, time; threading.Thread(target=time.sleep, args=(9,), daemon=True).start()", "started threads"),
     ("import sys, types; torch = types.ModuleType('torch'); sys.modules['torch'] = torch\n"
      "torch.cuda = types.SimpleNamespace(is_initialized=lambda: True)", "initialised CUDA"),
     ("raise ImportError('no such thing')", "could not import")],
)
def test_what_does_not_survive_a_fork_is_refused(tmp_path: Path, monkeypatch, code: str, reason: str) -> None:
    (tmp_path / "unsound.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    launcher = WarmLauncher(Home(tmp_path), ("unsound",))
    launcher.start()
    wait_for(lambda: launcher.state() == "failed")
    assert reason in launcher.reason and launcher.pid is None


def test_there_is_no_server_while_memory_is_short(tmp_path: Path, monkeypatch) -> None:
    launcher = WarmLauncher(Home(tmp_path), LIGHT)
    monkeypatch.setattr(warm, "available_mib", lambda: 1000)
    launcher.start()
    assert (launcher.state(), launcher.age_s) == ("off", None) and "only 1000 MiB" in launcher.reason
    monkeypatch.setattr(warm, "available_mib", lambda: 4000)
    ready(launcher).stop()
    assert (launcher.state(), launcher.reason) == ("off", "stopped")


def test_a_log_that_cannot_be_opened_is_the_callers_error_as_in_a_cold_start(
    launcher: WarmLauncher, order: Program
) -> None:
    order.folder.log.mkdir()
    for start in (launcher.fork, local.start):
        with pytest.raises(IsADirectoryError):
            start(order)
    assert launcher.state() == "ready"


def test_torch_and_its_company_are_there_unused_with_the_orders_threads(
    full: WarmLauncher, order: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    orders = [replace(order, threads=threads, program="libraries") for threads in (1, 3)]
    seen = []
    for one in orders:
        assert full.fork(one) is not None
        assert told(one)["code"] == 0, one.folder.log.read_text()
        seen.append(found(one))
        (one.folder.path / "found.json").unlink()
        one.folder.exit.unlink()
    assert [one["threads"] for one in seen] == [1, 3] and not any(one["cuda"] for one in seen)
    loaded = {"trl.trainer.sft_trainer": True, "peft": True, "uvicorn": True, "bitsandbytes.nn": False}
    assert seen[0]["ready"] == loaded and seen[0]["four_bit"] == "Linear4bit"
    assert seen[0]["draws"] != seen[1]["draws"]  # unseeded means unseeded


def test_the_users_own_number_of_threads_wins(full: WarmLauncher, order: Program, monkeypatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert full.fork(replace(order, threads=1, program="libraries")) is not None
    assert found(order)["threads"] == 2


def test_a_training_gives_the_same_losses_warm_and_cold(full: WarmLauncher, order: Program) -> None:
    spec = {"base": "demo-llama", "dataset": "demo-medical", "target": "trace", "max_rows": 48, "max_steps": 3}
    losses = []
    for start in (full.fork, local.start):
        order.folder.prepare()
        order.folder.events.unlink(missing_ok=True)
        write_json(order.folder.job_json, {"uid": order.uid, "kind": "sft", "attempt": 1, "spec": spec, "models": {}})
        start(Order(order.uid, order.folder, 1, ("cpu:0",), 1))
        wait_for(order.folder.result.exists, 90)
        events = [json.loads(line) for line in order.folder.events.read_text().splitlines()]
        losses.append([event["values"]["loss"] for event in events if event["type"] == "metric"])
        wait_for(lambda: marked(order.uid) == [])
    assert losses[0] == losses[1] and len(losses[0]) == 3
