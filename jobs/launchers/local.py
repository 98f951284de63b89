"""Start a job as one process of this machine, in a session of its own: it outlives the worker and the page."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from jobs.processes import MARK, Identity, identify
from jobs.provenance import ROOT, cores
from storage.files import JobFolder


@dataclass(frozen=True)
class Started:
    """A running job process and the handle its parent needs to reap it."""

    identity: Identity
    process: subprocess.Popen[bytes]


def start(uid: str, folder: JobFolder, slots: int) -> Started:
    """Run `python -m jobs.runner FOLDER`; output goes to the job's log."""
    with folder.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jobs.runner", str(folder.path)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, close_fds=True,
            cwd=os.getcwd(), env=job_environment(os.environ, uid, slots),
        )
    identity = identify(process.pid)
    # A child that ended within this instant is a zombie until we reap it; it has no ticks, and is dead all the same.
    return Started(identity or Identity(process.pid, -1, "ended at once"), process)


def job_environment(env: Mapping[str, str], uid: str, slots: int) -> dict[str, str]:
    """The worker's environment, the job's mark, and a fair share of the cores (unless OMP_NUM_THREADS is set)."""
    threads = str(max(1, cores() // max(1, slots)))
    path = os.pathsep.join(filter(None, (str(ROOT), env.get("PYTHONPATH"))))
    defaults = {"OMP_NUM_THREADS": threads, "TOKENIZERS_PARALLELISM": "false"}
    return {**defaults, **env, MARK: uid, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
