"""A job of several processes, seen from its own process: start the ranks, wait, stop them, say how they ended.

A stop goes to the ranks by `control.json` alone, which all of them read: they agree on a step and save together. A
signal to the launcher would end them in the middle of it (torchrun and srun both do), so it comes only after a grace.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from typing import Any

import yaml

from jobs.launchers import accelerate
from jobs.launchers.accelerate import CONFIG, Layout
from jobs.provenance import ROOT
from jobs.rank import endings
from lab.core.children import dies_with_us
from lab.core.context import Context, Stopped, write_json
from lab.core.errors import LabError
from storage.files import JobFolder, read_json

LOOK_EVERY_S = 0.2
GRACE_S = float(os.environ.get("LAB_GRACE_S") or 120)  # from the stop request to SIGTERM
KILL_AFTER_S = 10.0
MOST_STARTS = 16  # a micro-batch of 4096 can be halved twelve times
LOST_PEER = ("Connection closed by peer", "Connection reset by peer", "Broken pipe", "NCCL", "Gloo", "gloo")


class RankFailed(RuntimeError):
    """A rank ended with an error that is not a LabError. Its traceback is in the log."""


def run_ranks(job: dict[str, Any], folder: JobFolder, context: Context) -> dict[str, Any]:
    """Run the job's task in `job["processes"]` processes; returns what rank 0 returned, raises what the ranks raised.

    Ranks that ran out of memory have written a smaller micro-batch down and are started anew, all of them.
    """
    sharding = job["spec"].get("sharding", "ddp")
    for _ in range(MOST_STARTS):
        layout = Layout(job["processes"], sharding, accelerate.nodes(os.environ))
        code = _launch(layout, folder, context)
        found = endings(folder)
        if not any(ending["outcome"] == "again" for ending in found.values()):
            return _judge(found, code, layout.processes)
        context.log(next(ending["message"] for ending in found.values() if ending["outcome"] == "again"))
    raise LabError(f"out of memory after {MOST_STARTS} starts with smaller and smaller micro-batches: lower max_length",
                   "memory")


def _launch(layout: Layout, folder: JobFolder, context: Context) -> int:
    """Start all ranks and wait until they have ended. Returns the launcher's exit code."""
    shutil.rmtree(folder.path / "ranks", ignore_errors=True)
    (folder.path / "ranks").mkdir()
    config_file = folder.path / CONFIG
    config_file.write_text(yaml.safe_dump(accelerate.config(layout), sort_keys=False), encoding="utf-8")
    command = accelerate.command(layout, config_file, folder.path, os.environ)
    context.log(f"starting {layout.processes} processes on {layout.nodes.count} "
                f"machine{'' if layout.nodes.count == 1 else 's'} ({layout.sharding})")
    # A process group of its own: a signal to this process's group must not reach the launcher.
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, env=_environment(os.environ), process_group=0, preexec_fn=dies_with_us(),
    )
    return _wait(process, folder, context)


def _environment(env: Mapping[str, str]) -> dict[str, str]:
    """The ranks find the lab wherever they start; torchrun's own patience of 30 s is too short for a large model."""
    path = os.pathsep.join(filter(None, (str(ROOT), env.get("PYTHONPATH"))))
    return {**env, "PYTHONPATH": path, "TORCH_ELASTIC_SHUTDOWN_TIMEOUT": str(int(GRACE_S))}


def _wait(process: subprocess.Popen[bytes], folder: JobFolder, context: Context) -> int:
    asked_at: float | None = None
    while process.poll() is None:
        time.sleep(LOOK_EVERY_S)
        if context.stop_requested():
            if asked_at is None:
                asked_at = time.monotonic()
                _pass_on_stop(folder)
            _lose_patience(process, time.monotonic() - asked_at)
    return process.returncode


def _pass_on_stop(folder: JobFolder) -> None:
    """Whoever asked has normally written it; a stop that only this process knows of is written down for the ranks."""
    control = read_json(folder.control) or {}
    if not control.get("stop"):
        write_json(folder.control, {**control, "stop": "requeue"})


def _lose_patience(process: subprocess.Popen[bytes], waited_s: float) -> None:
    try:
        if waited_s > GRACE_S + KILL_AFTER_S:
            os.killpg(process.pid, signal.SIGKILL)
        elif waited_s > GRACE_S:
            os.killpg(process.pid, signal.SIGTERM)
    except ProcessLookupError:
        return


def _judge(found: dict[int, dict[str, Any]], code: int, processes: int) -> dict[str, Any]:
    """Rank 0's result, or the exception that says best what went wrong."""
    first = found.get(0, {})
    if first.get("outcome") == "succeeded":
        return first["result"]
    if first.get("outcome") == "stopped":
        raise Stopped(first["message"])
    for ending in found.values():
        if ending["outcome"] == "failed":
            raise LabError(ending["message"], ending["reason"])
    bugs = {number: ending["message"] for number, ending in found.items() if ending["outcome"] == "bug"}
    causes = [f"rank {number}: {text}" for number, text in bugs.items() if not any(word in text for word in LOST_PEER)]
    if causes:
        raise RankFailed(causes[0])
    silent = [number for number in range(processes) if number not in found]
    raise LabError(
        f"rank {silent[0] if silent else 0} of {processes} ended without a word (exit code of the launcher: {code}). "
        "It was killed, perhaps because the machine ran out of memory. Its last lines are in the log; retry the job",
        "killed",
    )
