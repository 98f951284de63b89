"""Stands in for the job's process in tests of the engine: it keeps the runner's promises about the folder, and no more.

It locks the folder, writes status.json with a beat, turns a signal into control.json, saves its step and leaves its
verdict. `job.json` says what it does: {"attempt", "spec": {"seconds", "deaf", "silent"}}.
"""

import fcntl
import json
import os
import signal
import sys
import time
from pathlib import Path

TICK_S = 0.05
EXIT_CODES = {"succeeded": 0, "cancelled": 3, "interrupted": 75}
NAMES = ("SLURM_JOB_ID", "SLURM_RESTART_COUNT", "SLURM_NNODES", "CUDA_VISIBLE_DEVICES", "LAB_JOB_UID",
         "SLURM_JOB_PARTITION", "LAB_SLURM_REQUEUE", "HF_HUB_OFFLINE", "LAB_DATABASE_URL", "MARKED_BY_SETUP")


def read(path):
    return json.loads(path.read_text()) if path.exists() else {}


def write(path, value):
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(value))
    temporary.replace(path)


def main(folder, attempt):
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 73
        return work(folder, attempt)


def work(folder, attempt):
    spec, asked = read(folder / "job.json")["spec"], []
    if read(folder / "control.json").get("stop") == "requeue":
        (folder / "control.json").unlink()
    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN if spec.get("deaf") else lambda number, _: asked.append(number))
    with (folder / "starts.jsonl").open("a") as starts:
        known = {name: os.environ.get(name) for name in NAMES}
        starts.write(json.dumps({"attempt": attempt, "pid": os.getpid(), **known}) + "\n")
    phase = count(folder, attempt, spec, asked)
    if spec.get("silent"):
        return 0
    write(folder / "status.json", {"phase": phase, "attempt": attempt})
    return EXIT_CODES[phase]


def count(folder, attempt, spec, asked):
    """Goes on from the step that an earlier start has saved; `cancelled`, `interrupted` or `succeeded`."""
    step = read(folder / "step.json").get("step", 0)
    while step * TICK_S < spec.get("seconds", 0):
        write(folder / "status.json", {"phase": "running", "attempt": attempt, "beat": step})
        if asked:
            write(folder / "step.json", {"step": step, "by": signal.Signals(asked[0]).name})
            return "cancelled" if read(folder / "control.json").get("stop") == "cancel" else "interrupted"
        time.sleep(TICK_S)
        step += 1
    return "succeeded"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[3]), int(sys.argv[4])))  # called as: python -m jobs.runner FOLDER ATTEMPT
