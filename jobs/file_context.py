"""FileContext: what a task sees in a job process. Everything goes into the job's folder; the store is never opened."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from lab.core.checkpoints import Checkpoints
from lab.core.context import write_json
from lab.core.errors import LabError
from lab.core.types import ModelSource
from storage.files import JobFolder, read_json

CONTROL_EVERY_S = 0.5


class FileContext:
    """Implements lab.core.context.Context with files. One per job process."""

    def __init__(self, job: JobFolder, models: Mapping[str, ModelSource], files: Mapping[str, str] | None = None):
        self.job = job
        self.folder: Path = job.artifacts
        self.checkpoints: Checkpoints = job.checkpoints
        self._models, self._files = dict(models), dict(files or {})
        self._stop = False  # no Event: its lock is not for signal handlers
        self._control: dict[str, Any] = {}
        self._control_read_at = 0.0
        self._lock = threading.Lock()  # tasks may report from several threads; a line is written whole
        self._end_cut_line()

    def log(self, message: str) -> None:
        """stdout is the job's log."""
        print(f"{datetime.now():%H:%M:%S} {message}", flush=True)

    def progress(self, done: float, total: float, text: str = "") -> None:
        self._event("progress", done=float(done), total=float(total), text=text)

    def metric(self, step: int, **values: float) -> None:
        self._event("metric", step=int(step), values={name: float(value) for name, value in values.items()})

    def rewind(self, step: int) -> None:
        """What was reported after `step` is void; -1 voids everything."""
        self._event("rewind", step=int(step))

    def announce(self, **facts: Any) -> None:
        self._event("fact", facts=facts)

    def stop_requested(self) -> bool:
        """True for good once SIGTERM came or control.json says stop; the file is looked at twice a second."""
        self._stop = self._stop or bool(self._look_at_control().get("stop"))
        return self._stop

    def yield_requested(self) -> bool:
        """Another job waits for what this one holds: a service with nothing to do should end. It may be withdrawn."""
        return bool(self._look_at_control().get("yield"))

    def request_stop(self) -> None:
        """Called by the signal handler."""
        self._stop = True

    def model(self, ref: str) -> ModelSource:
        if ref in self._models:
            return self._models[ref]
        if ":" in ref:
            raise LabError(f"model '{ref}' was not resolved before the job started", "bug")
        return ModelSource(ref=ref, label=ref, base=ref)

    def file(self, ref: str) -> Path:
        if ref not in self._files:
            raise LabError(f"file '{ref}' was not resolved before the job started", "bug")
        return Path(self._files[ref])

    def save(self, name: str, value: Mapping[str, Any]) -> Path:
        return write_json(self.folder / name, dict(value))

    def _look_at_control(self) -> dict[str, Any]:
        if time.monotonic() - self._control_read_at > CONTROL_EVERY_S:
            self._control_read_at = time.monotonic()
            self._control = read_json(self.job.control) or {}
        return self._control

    def _event(self, kind: str, **values: Any) -> None:
        line = json.dumps({"t": round(time.time(), 3), "type": kind, **values}, ensure_ascii=False) + "\n"
        with self._lock, self.job.events.open("a", encoding="utf-8") as file:
            file.write(line)

    def _end_cut_line(self) -> None:
        """An attempt that was killed may have left half a line; the next line must not be joined to it."""
        try:
            with self.job.events.open("rb+") as file:
                if file.seek(0, 2) and (file.seek(-1, 2), file.read(1))[1] != b"\n":
                    file.write(b"\n")
        except FileNotFoundError:
            return
