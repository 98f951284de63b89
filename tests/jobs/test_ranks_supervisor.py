"""How a job of several processes is started and judged. The launcher is a script here; real ranks are in test_ranks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from jobs import ranks
from jobs.file_context import FileContext
from jobs.launchers import accelerate
from jobs.launchers.accelerate import Layout, Nodes, command, config, nodes
from jobs.processes import start_ticks
from jobs.provenance import ROOT
from jobs.ranks import RankFailed, run_ranks
from lab.core.context import Stopped, write_json
from lab.core.errors import LabError
from storage.files import JobFolder, read_json

JOB = {"kind": "sft", "spec": {"sharding": "ddp"}, "processes": 2}
SAY = "import json, pathlib, sys; say = lambda n, **e: pathlib.Path('ranks', f'{n}.json').write_text(json.dumps(e)); "


@pytest.fixture
def folder(tmp_path, monkeypatch) -> JobFolder:
    made = JobFolder(tmp_path / "job")
    made.prepare()
    monkeypatch.chdir(made.path)
    return made


@pytest.fixture
def launcher(monkeypatch):
    """Replace accelerate's command with a line of Python that runs in the job's folder."""
    def use(code: str) -> None:
        monkeypatch.setattr(accelerate, "command", lambda *_: [sys.executable, "-c", SAY + code])

    return use


def run(folder: JobFolder) -> dict:
    return run_ranks(JOB, folder, FileContext(folder, {}))


def test_the_result_is_rank_0s_and_the_config_stays_with_the_job(folder, launcher):
    launcher("say(0, outcome='succeeded', result={'n': 3}); say(1, outcome='succeeded', result={}); sys.exit(1)")
    assert run(folder) == {"n": 3}
    assert yaml.safe_load((folder.path / "accelerate.yaml").read_text())["num_processes"] == 2


def test_what_a_rank_says_is_raised_here(folder, launcher):
    launcher("say(1, outcome='failed', reason='data', message='no rows'); sys.exit(1)")
    with pytest.raises(LabError, match="no rows") as caught:
        run(folder)
    assert caught.value.reason == "data"
    launcher("say(0, outcome='stopped', message='after step 3'); say(1, outcome='stopped', message='')")
    with pytest.raises(Stopped, match="after step 3"):
        run(folder)


def test_a_bug_is_told_from_its_echo_in_the_other_ranks(folder, launcher):
    launcher("say(0, outcome='bug', message='RuntimeError: Connection closed by peer [127.0.0.1]'); "
             "say(1, outcome='bug', message='ZeroDivisionError: division by zero'); sys.exit(1)")
    with pytest.raises(RankFailed, match="rank 1: ZeroDivisionError"):
        run(folder)


def test_a_rank_that_was_killed_is_named(folder, launcher):
    launcher("say(0, outcome='bug', message='RuntimeError: Connection closed by peer [127.0.0.1]'); sys.exit(1)")
    with pytest.raises(LabError, match="rank 1 of 2 ended without a word") as caught:
        run(folder)
    assert caught.value.reason == "killed"


def test_ranks_that_ran_out_of_memory_are_all_started_again(folder, launcher):
    launcher("tries = pathlib.Path('tries'); n = len(tries.read_text()) if tries.exists() else 0; "
             "tries.write_text('x' * (n + 1)); "
             "say(1, outcome='again', message='with less') if n < 2 else say(0, outcome='succeeded', result={'n': n})")
    assert run(folder) == {"n": 2}


def test_a_stop_goes_by_file_first_and_by_signal_only_after_the_grace(folder, launcher, monkeypatch):
    monkeypatch.setattr(ranks, "GRACE_S", 1.0)
    monkeypatch.setattr(ranks, "KILL_AFTER_S", 0.5)
    launcher("import signal, time; signal.signal(15, lambda *_: pathlib.Path('heard').touch()); "
             "[time.sleep(0.1) for _ in range(600)]")  # deaf to the file and to SIGTERM
    context = FileContext(folder, {})
    context.request_stop()
    started = time.monotonic()
    with pytest.raises(LabError, match="without a word"):
        run_ranks(JOB, folder, context)
    assert read_json(folder.control)["stop"] == "requeue" and (folder.path / "heard").exists()
    waited_s = time.monotonic() - started
    assert waited_s > ranks.GRACE_S and waited_s < 30


def test_a_stop_that_the_lab_has_written_is_left_as_it_is(folder, launcher):
    write_json(folder.control, {"stop": "cancel"})
    launcher("import time; time.sleep(0.5); say(0, outcome='stopped', message='polite')")
    with pytest.raises(Stopped, match="polite"):
        run(folder)
    assert read_json(folder.control) == {"stop": "cancel"}


SUPERVISOR = """
import sys
from pathlib import Path
from jobs import ranks
from jobs.file_context import FileContext
from jobs.launchers import accelerate
from storage.files import JobFolder
code = "import os, time; open('child', 'w').write(str(os.getpid())); time.sleep(120)"
accelerate.command = lambda *_: [sys.executable, "-c", code]
folder = JobFolder(Path.cwd())
ranks.run_ranks({"kind": "sft", "spec": {}, "processes": 2}, folder, FileContext(folder, {}))
"""


def test_the_launcher_does_not_outlive_a_supervisor_that_is_killed(folder):
    supervisor = subprocess.Popen([sys.executable, "-c", SUPERVISOR], env={**os.environ, "PYTHONPATH": str(ROOT)})
    child = folder.path / "child"
    assert soon(lambda: child.exists() and child.read_text())
    pid = int(child.read_text())
    assert start_ticks(pid) is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    supervisor.wait()
    assert soon(lambda: start_ticks(pid) is None)


def soon(check, within_s: float = 30) -> bool:
    deadline = time.monotonic() + within_s
    while not (found := check()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(found)


def test_the_config_is_one_that_accelerate_reads_and_shares_weights_by_layer(tmp_path):
    from accelerate.commands.config.config_args import ClusterConfig

    for sharding, kind in (("ddp", "MULTI_GPU"), ("fsdp", "FSDP")):
        file = tmp_path / f"{sharding}.yaml"
        file.write_text(yaml.safe_dump(config(Layout(4, sharding))))
        found = ClusterConfig.from_yaml_file(str(file))
        assert (found.distributed_type.value, found.num_processes) == (kind, 4)
    assert found.fsdp_config["fsdp_auto_wrap_policy"] == "TRANSFORMER_BASED_WRAP"


SCONTROL = """#!/bin/sh
case "$*" in
  "show hostnames n[1-2]") echo n1; echo n2;;
  "show node n1 -o") echo "NodeName=n1 Arch=x86_64 NodeAddr=127.0.0.1 State=MIXED";;
  *) echo "unexpected: $*" >&2; exit 1;;
esac
"""


def test_on_several_slurm_nodes_each_starts_its_own_ranks_and_all_meet_on_the_first(tmp_path, monkeypatch):
    script = tmp_path / "scontrol"
    script.write_text(SCONTROL)
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    env = {"SLURM_JOB_NUM_NODES": "2", "SLURM_JOB_NODELIST": "n[1-2]", "SLURM_CPUS_PER_TASK": "8"}
    found = nodes(env)
    assert (found.count, found.first) == (2, "127.0.0.1") and found.port > 1024  # n1 is in no name service here
    layout = Layout(16, "ddp", found)
    assert config(layout) | {"num_machines": 2, "num_processes": 16, "main_process_port": found.port} == config(layout)
    words = command(layout, Path("/jobs/a b/accelerate.yaml"), Path("/jobs/a b"), env)
    assert words[:5] == ["srun", "--nodes=2", "--ntasks=2", "--ntasks-per-node=1", "--kill-on-bad-exit=1"]
    assert "--cpus-per-task=8" in words and words[-3:-1] == ["bash", "-c"]
    assert '--machine_rank "$SLURM_NODEID"' in words[-1] and "'/jobs/a b/accelerate.yaml'" in words[-1]


def test_nodes_that_cannot_be_looked_up_are_the_clusters_fault(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabError, match="scontrol failed") as caught:
        nodes({"SLURM_JOB_NUM_NODES": "2", "SLURM_JOB_NODELIST": "n[1-2]"})
    assert caught.value.reason == "cluster"


def test_without_slurm_or_with_one_node_all_ranks_are_here():
    assert nodes({}) == nodes({"SLURM_JOB_NUM_NODES": "1"}) == Nodes()
    assert "srun" not in command(Layout(2), Path("c.yaml"), Path("job"), {})
