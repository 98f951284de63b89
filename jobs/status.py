"""status.json: who runs a job, a sign of life, and in the end the verdict; and the exit codes that say the same."""

from __future__ import annotations

import errno
import os
import socket
import threading
import time
from dataclasses import dataclass
from typing import Any

from jobs.processes import own_identity
from lab.core.context import write_json
from storage.files import JobFolder

BEAT_S = 2.0
DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT)
INTERRUPTED = "interrupted"
ENDINGS = ("succeeded", "failed", "cancelled", INTERRUPTED)
EXIT_CODES = {"succeeded": 0, "failed": 1, "cancelled": 3, INTERRUPTED: 75}
DISK_FULL = 74
LOCK_HELD = 73
SUPERSEDED = 76
SLURM = ("SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_RESTART_COUNT")


@dataclass(frozen=True)
class Verdict:
    """How a task ended."""

    phase: str
    reason: str | None = None
    message: str | None = None


class Status:
    """status.json: who runs, a beat every two seconds, and in the end the verdict. Written whole, or not at all."""

    def __init__(self, folder: JobFolder, attempt: int):
        self._folder, self._lock = folder, threading.Lock()
        me = own_identity()
        self._values: dict[str, Any] = {
            "phase": "starting", "attempt": attempt,
            "pid": me.pid, "start_ticks": me.start_ticks, "boot_id": me.boot_id, "host": socket.gethostname(),
            "slurm": {name: os.environ[name] for name in SLURM if name in os.environ},
        }
        self._ended = threading.Event()

    def write(self, phase: str, **values: Any) -> None:
        with self._lock:
            self._values |= {"phase": phase, **values}
            self._save()

    def beat(self) -> None:
        """A thread's loop: the file's `beat` shows that the process lives even when the task is deep in a long call."""
        while not self._ended.wait(BEAT_S):
            with self._lock:
                if not self._ended.is_set():
                    try:
                        self._save()
                    except OSError:  # a full disk now may not be full at the next beat
                        continue

    def end(self, verdict: Verdict) -> None:
        self._ended.set()
        code = EXIT_CODES[verdict.phase]
        self.write(verdict.phase, exit_code=code, reason=verdict.reason, message=verdict.message)

    def _save(self) -> None:
        write_json(self._folder.status, {**self._values, "beat": time.time()})
