"""In a job's own process on a node: ask Slurm to start the job again, whether a worker of the lab lives or not."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

ALLOWED = "LAB_SLURM_REQUEUE"  # "1": the batch file's profile allows it
SCONTROL_S = 30


def ask_for_another_start(env: Mapping[str, str]) -> None:
    """For a job that Slurm itself warned (a time limit, a preemption) and that has saved. SIGTERM may be somebody's
    scancel, which must not be undone. Where it fails, the worker submits the job anew."""
    if env.get(ALLOWED) != "1" or "SLURM_JOB_ID" not in env:
        return
    job_id = env["SLURM_JOB_ID"]
    try:
        done = subprocess.run(["scontrol", "requeue", job_id], capture_output=True, text=True, timeout=SCONTROL_S)
        print(f"back into Slurm's queue as {job_id}" if done.returncode == 0 else done.stderr.strip(), flush=True)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"scontrol requeue {job_id}: {error}", flush=True)
