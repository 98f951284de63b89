"""`python -m jobs.rank FOLDER`: one of the processes of a job that has several. `jobs.ranks` starts and judges them.

Rank 0 reports as a job of one process does. The others are silent: they share its stop request and its folders. How a
rank ended is in `ranks/<rank>.json`. Exit code 0 lets the others finish; 1 makes the launcher end them.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from jobs.catalog import tasks
from jobs.energy import start_meter_of_this_node
from jobs.file_context import CONTROL_EVERY_S, FileContext
from lab.core.checkpoints import Checkpoints
from lab.core.context import Context, Stopped, write_json
from lab.core.errors import LabError
from lab.core.spec import load_spec
from lab.core.types import ModelSource
from lab.training.ranks import StartAgain, is_first, rank
from storage.files import JobFolder, read_json

FINE = ("succeeded", "stopped")
SIGNALS = (signal.SIGTERM, signal.SIGUSR1)


class SilentContext:
    """What the ranks after the first see: the same folders and the same stop, and nobody who listens."""

    def __init__(self, job: JobFolder, models: Mapping[str, ModelSource], files: Mapping[str, str] | None = None):
        self.folder: Path = job.artifacts
        self.checkpoints: Checkpoints = job.checkpoints
        self._job, self._models, self._files = job, dict(models), dict(files or {})
        self._stop = threading.Event()
        self._looked_at = 0.0

    def stop_requested(self) -> bool:
        if not self._stop.is_set() and time.monotonic() - self._looked_at > CONTROL_EVERY_S:
            self._looked_at = time.monotonic()
            if (read_json(self._job.control) or {}).get("stop"):
                self._stop.set()
        return self._stop.is_set()

    def request_stop(self) -> None:
        self._stop.set()

    def model(self, ref: str) -> ModelSource:
        return self._models.get(ref) or ModelSource(ref=ref, label=ref, base=ref)

    def file(self, ref: str) -> Path:
        return Path(self._files[ref])

    def save(self, name: str, value: Mapping[str, Any]) -> Path:
        """Rank 0 saves it."""
        return self.folder / name

    def log(self, message: str) -> None:
        return

    def progress(self, done: float, total: float, text: str = "") -> None:
        return

    def metric(self, step: int, **values: float) -> None:
        return

    def rewind(self, step: int) -> None:
        return

    def announce(self, **facts: Any) -> None:
        return


def main(path: str) -> int:
    """Carry out this rank's part. Returns the exit code."""
    folder = JobFolder(Path(path).absolute())
    job = read_json(folder.job_json) or {}
    models = {ref: ModelSource.model_validate(value) for ref, value in job["models"].items()}
    context = (FileContext if is_first() else SilentContext)(folder, models, job.get("files"))
    for number in SIGNALS:
        signal.signal(number, lambda *_: _asked_to_end(folder, context))
    meter = start_meter_of_this_node(folder, job["attempt"])
    ending = carry_out(job, context)
    if meter is not None:
        meter.stop()
    write_json(ending_file(folder, rank()), ending)
    return 0 if ending["outcome"] in FINE else 1


def ending_file(folder: JobFolder, number: int) -> Path:
    return folder.path / "ranks" / f"{number}.json"


def endings(folder: JobFolder) -> dict[int, dict[str, Any]]:
    """How the ranks that left word have ended, by number."""
    found = {int(file.stem): read_json(file) for file in (folder.path / "ranks").glob("[0-9]*.json")}
    return {number: ending for number, ending in sorted(found.items()) if ending is not None}


def carry_out(job: dict[str, Any], context: Context) -> dict[str, Any]:
    """Run the task; every way it can end becomes a dict."""
    try:
        task = tasks()[job["kind"]]
        return {"outcome": "succeeded", "result": dict(task.load()(load_spec(task.spec, job["spec"]), context))}
    except Stopped as stopped:
        return {"outcome": "stopped", "message": str(stopped)}
    except StartAgain as again:
        return {"outcome": "again", "message": str(again)}
    except LabError as error:
        return {"outcome": "failed", "reason": error.reason, "message": str(error)}
    except BaseException as error:  # whatever a task throws must become a word to the supervisor
        traceback.print_exc()
        first_line = (str(error).splitlines() or [""])[0]
        return {"outcome": "bug", "message": f"{type(error).__name__}: {first_line}"}


def _asked_to_end(folder: JobFolder, context: FileContext | SilentContext) -> None:
    """From outside (a shutdown, a preemption): save, then leave. From the launcher, because another rank has failed:
    leave at once, there is nobody left to save with."""
    if any(ending["outcome"] not in FINE for ending in endings(folder).values()):
        os._exit(1)
    context.request_stop()


def _run_and_exit(path: str) -> NoReturn:
    code = main(path)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # a thread that a library left behind must not keep a finished rank alive


if __name__ == "__main__":
    _run_and_exit(sys.argv[1])
