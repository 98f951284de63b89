"""The job process: `python -m jobs.runner FOLDER` carries out one task and leaves its verdict in status.json.

It knows a folder and nothing else: no store, no worker, no page. Worker and page may die and come back; the verdict is
in the folder. A signal to end (a shutdown, a preemption, a time limit) becomes `control.json`, which every process of
the job reads; the task then saves and leaves, and the verdict is 'interrupted': the job goes back to the line.

Exit codes: 0 succeeded, 1 failed, 3 cancelled, 75 interrupted, 73 another process holds this folder, 76 this attempt
was superseded by another, 74 the disk is full and not even the verdict could be written.
"""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import IO, Any, NoReturn

from jobs.catalog import tasks
from jobs.energy import start_meter
from jobs.file_context import FileContext
from jobs.slurm.requeue import ask_for_another_start
from jobs.status import (
    DISK_ERRORS,
    DISK_FULL,
    ENDINGS,
    EXIT_CODES,
    INTERRUPTED,
    LOCK_HELD,
    SUPERSEDED,
    Status,
    Verdict,
)
from lab.core.context import Stopped, write_json
from lab.core.errors import LabError
from lab.core.spec import Spec, load_spec
from lab.core.task import Task
from lab.core.types import ModelSource
from storage.files import JobFolder, read_json

LOCK_PATIENCE_S = 5.0  # an attempt that is just being killed lets go within this time
SIGNALS = (signal.SIGTERM, signal.SIGUSR1)  # USR1: what Slurm sends ahead of a time limit or a preemption


def main(path: str, attempt: int | None = None) -> int:
    """Run the job of this folder. Returns the exit code. `attempt` is the one this process was started for."""
    folder = JobFolder(Path(path).absolute())
    try:
        with folder.lock.open("w") as lock:  # held until the process ends, by whatever way
            if not _locked(lock):
                print(f"another process works in {folder.path}", flush=True)
                return LOCK_HELD
            job = read_json(folder.job_json) or {}
            if attempt is not None and attempt != job.get("attempt"):  # no job.json: the worker gave this start up
                print(f"attempt {attempt} was superseded by attempt {job.get('attempt', 'still to come')}", flush=True)
                return SUPERSEDED
            if (phase := _ended_already(folder, job)) is not None:
                return EXIT_CODES[phase]
            return EXIT_CODES[_work(folder, job).phase]
    except OSError as error:  # not even the verdict or the log can be written
        if error.errno in DISK_ERRORS:
            return DISK_FULL
        raise


def _ended_already(folder: JobFolder, job: dict[str, Any]) -> str | None:
    """The verdict that this very attempt has left: a cluster's controller that crashed may start it a second time."""
    status = read_json(folder.status) or {}
    phase = status.get("phase") if status.get("attempt") == job["attempt"] else None
    return phase if phase in ENDINGS and phase != INTERRUPTED else None


def _locked(lock: IO[str]) -> bool:
    deadline = time.monotonic() + LOCK_PATIENCE_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)


def _work(folder: JobFolder, job: dict[str, Any]) -> Verdict:
    _begin_anew(folder)
    models = {ref: ModelSource.model_validate(value) for ref, value in job["models"].items()}
    context = FileContext(folder, models, job.get("files"))
    for number in SIGNALS:
        signal.signal(number, lambda number, _: _asked_to_end(folder, context, number))
    status = Status(folder, job["attempt"])
    status.write("starting")
    threading.Thread(target=status.beat, daemon=True).start()
    before = folder.checkpoints.last_whole()
    meter = start_meter(folder, job["attempt"])
    verdict = carry_out(job, context, status)
    meter.stop()
    status.end(verdict)
    after = folder.checkpoints.last_whole()
    warned = (read_json(folder.control) or {}).get("signal") == signal.SIGUSR1.name
    # Without progress it would start again for ever; then the worker counts the loss.
    if verdict.phase == INTERRUPTED and warned and after is not None and (before is None or after.step > before.step):
        ask_for_another_start(os.environ)
    return verdict


def _begin_anew(folder: JobFolder) -> None:
    """Slurm starts an interrupted attempt again by itself: the word that ended it is over, its artifacts are void."""
    if (read_json(folder.control) or {}).get("stop") == "requeue":
        folder.control.unlink()
    shutil.rmtree(folder.artifacts, ignore_errors=True)
    folder.artifacts.mkdir(parents=True)


def _asked_to_end(folder: JobFolder, context: FileContext, number: int) -> None:
    """A stop that the lab has not asked for is written down for every process of the job.

    Once: signals come in pairs (TERM and USR1), and a second one would interrupt this in the middle of the same file.
    """
    for each in SIGNALS:
        signal.signal(each, lambda *_: None)  # not SIG_IGN, which children would inherit
    if not (read_json(folder.control) or {}).get("stop"):
        write_json(folder.control, {"stop": "requeue", "signal": signal.Signals(number).name})
    context.request_stop()


def carry_out(job: dict[str, Any], context: FileContext, status: Status) -> Verdict:
    """Run the task; every way it can end becomes a verdict."""
    try:
        task = tasks()[job["kind"]]
        spec = load_spec(task.spec, job["spec"])
        result = _result(job, task, spec, context, status)
        write_json(context.job.result, dict(result))
        return Verdict("succeeded")
    except Stopped as stopped:
        return _stopped(context, str(stopped))
    except LabError as error:
        context.log(str(error))
        return Verdict("failed", error.reason, str(error))
    except BaseException as error:  # whatever a task throws must become a verdict with a reason
        traceback.print_exc()
        sys.stderr.flush()
        return failure(error)


def _result(job: dict[str, Any], task: Task, spec: Spec, context: FileContext, status: Status) -> dict[str, Any]:
    """Run the task here, or in the processes it asks for."""
    if not task.resumes:
        context.rewind(-1)  # whatever an earlier attempt reported is void
    if job.get("processes", 1) > 1:
        from jobs.ranks import run_ranks

        status.write("running")
        return run_ranks(job, context.job, context)
    run = task.load()
    gc.freeze()  # torch and its company are a million objects that never go: the collector need not look at them again
    status.write("running")
    return run(spec, context)


def _stopped(context: FileContext, words: str) -> Verdict:
    """What the lab asked for is a cancel; a stop from anywhere else (a shutdown, a preemption) is an interruption."""
    control = read_json(context.job.control) or {}
    if control.get("stop") == "cancel":
        return Verdict("cancelled", "cancelled", "Cancelled while it ran.")
    by = control.get("signal", "a signal")
    return Verdict(INTERRUPTED, "lost", f"It was told to end ({by}) by something else than the lab, for example a "
                   f"shutdown, a preemption or a time limit{'; ' + words if words else ''}.")


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


def run_and_exit(path: str, attempt: int | None = None) -> NoReturn:
    """What a process that was started for one job does, and nothing after it."""
    code = main(path, attempt)
    try:
        sys.stdout.flush()
    except OSError:  # the log's disk is full; the exit code still counts
        pass
    # Not sys.exit: a thread that a library left behind must not keep a finished job alive.
    os._exit(code)


if __name__ == "__main__":
    run_and_exit(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else None)
