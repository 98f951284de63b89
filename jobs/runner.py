"""The job process: `python -m jobs.runner FOLDER` carries out one task and leaves its verdict in status.json.

It knows a folder and nothing else: no store, no worker, no page. Worker and page may die and come back; the verdict is
in the folder. Exit codes: 0 succeeded, 1 failed, 3 cancelled, 73 another process holds this folder,
74 the disk is full and not even the verdict could be written.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.catalog import tasks
from jobs.file_context import FileContext
from jobs.processes import own_identity
from lab.core.context import Stopped, write_json
from lab.core.errors import LabError
from lab.core.spec import load_spec
from lab.core.types import ModelSource
from storage.files import JobFolder, read_json

BEAT_S = 2.0
DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT)
EXIT_CODES = {"succeeded": 0, "failed": 1, "cancelled": 3}
DISK_FULL = 74
LOCK_HELD = 73


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
            "pid": me.pid, "start_ticks": me.start_ticks, "boot_id": me.boot_id,
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


def main(path: str) -> int:
    """Run the job of this folder. Returns the exit code."""
    folder = JobFolder(Path(path).absolute())
    try:
        with folder.lock.open("w") as lock:  # held until the process ends, by whatever way
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(f"another process works in {folder.path}", flush=True)
                return LOCK_HELD
            return EXIT_CODES[_work(folder).phase]
    except OSError as error:  # not even the verdict or the log can be written
        if error.errno in DISK_ERRORS:
            return DISK_FULL
        raise


def _work(folder: JobFolder) -> Verdict:
    job = read_json(folder.job_json) or {}
    context = FileContext(folder, {ref: ModelSource.model_validate(value) for ref, value in job["models"].items()})
    signal.signal(signal.SIGTERM, lambda *_: context.request_stop())
    status = Status(folder, job["attempt"])
    status.write("starting")
    threading.Thread(target=status.beat, daemon=True).start()
    verdict = carry_out(job, context, status)
    status.end(verdict)
    return verdict


def carry_out(job: dict[str, Any], context: FileContext, status: Status) -> Verdict:
    """Run the task; every way it can end becomes a verdict."""
    try:
        task = tasks()[job["kind"]]
        spec = load_spec(task.spec, job["spec"])
        run = task.load()
        status.write("running")
        result = run(spec, context)
        if context.stop_requested():
            return _stopped(context)
        write_json(context.job.result, dict(result))
        return Verdict("succeeded")
    except Stopped:
        return _stopped(context)
    except LabError as error:
        context.log(str(error))
        return Verdict("failed", error.reason, str(error))
    except BaseException as error:  # whatever a task throws must become a verdict with a reason
        traceback.print_exc()
        sys.stderr.flush()
        return failure(error)


def _stopped(context: FileContext) -> Verdict:
    """A stop that control.json asked for is a cancel; one from anywhere else (a shutdown) is a failure to retry."""
    if (read_json(context.job.control) or {}).get("stop"):
        return Verdict("cancelled", "cancelled", "Cancelled while it ran.")
    return Verdict("failed", "killed", "The process was told to end (SIGTERM) by something else than the lab, for "
                   "example a shutdown of the machine. Retry it.")


def failure(error: BaseException) -> Verdict:
    """Reason and sentence for an exception that is not a LabError."""
    first_line = (str(error).splitlines() or [""])[0]
    name = type(error).__name__
    if isinstance(error, MemoryError) or name == "OutOfMemoryError" or "out of memory" in first_line.lower():
        return Verdict("failed", "memory", f"Out of memory ({name}: {first_line}). Lower micro_batch_size, batch_size "
                       "or max_length, or use a smaller base.")
    if isinstance(error, OSError) and error.errno in DISK_ERRORS:
        return Verdict("failed", "disk", "The disk is full. Nothing stored is lost; free some space, then retry.")
    return Verdict("failed", "bug", f"{name}: {first_line}".rstrip(": "))


if __name__ == "__main__":
    code = main(sys.argv[1])
    try:
        sys.stdout.flush()
    except OSError:  # the log's disk is full; the exit code still counts
        pass
    # Not sys.exit: a thread that a library left behind must not keep a finished job alive.
    os._exit(code)
