"""Where files live under LAB_HOME, and how little room is left there.

Paths in the store are relative to LAB_HOME, so the whole folder can be moved. Nothing here knows what a job does.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.core.checkpoints import Checkpoints
from lab.core.errors import LabError
from storage.mounts import network_filesystem

MIB = 1024 * 1024


@dataclass(frozen=True)
class JobFolder:
    """Every path of one job. The job process writes them; the worker and the pages read them."""

    path: Path

    @property
    def job_json(self) -> Path:
        return self.path / "job.json"

    @property
    def status(self) -> Path:
        return self.path / "status.json"

    @property
    def events(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def log(self) -> Path:
        return self.path / "log.txt"

    @property
    def control(self) -> Path:
        return self.path / "control.json"

    @property
    def result(self) -> Path:
        return self.path / "result.json"

    @property
    def artifacts(self) -> Path:
        return self.path / "artifacts"

    @property
    def lock(self) -> Path:
        return self.path / "lock"

    @property
    def exit(self) -> Path:
        """How the process ended, written by the fork server that is its parent."""
        return self.path / "exit.json"

    @property
    def checkpoints(self) -> Checkpoints:
        return Checkpoints(self.path / "checkpoints")

    def prepare(self) -> None:
        """Make the folder ready for a new attempt: log, events and checkpoints stay, the rest of the last one goes."""
        self.path.mkdir(parents=True, exist_ok=True)
        for old in (self.status, self.control, self.result, self.exit):
            old.unlink(missing_ok=True)
        shutil.rmtree(self.artifacts, ignore_errors=True)
        self.artifacts.mkdir()


@dataclass(frozen=True)
class Home:
    """LAB_HOME: the store, the jobs' folders, backups and the worker's lock and log."""

    path: Path

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        return str(self.path)

    @property
    def jobs(self) -> Path:
        return self.path / "jobs"

    @property
    def backups(self) -> Path:
        return self.path / "backups"

    @property
    def keepers(self) -> Path:
        """One file for each process that wants a worker (the web process, a waiting command line)."""
        return self.path / "keepers"

    def worker_lock(self, host: str, label: str) -> Path:
        """Held by a living worker. Several machines may share LAB_HOME, so its name says which one."""
        return self.path / "workers" / f"{host}.{label}.lock"

    @property
    def worker_log(self) -> Path:
        return self.path / "worker.log"

    def job(self, uid: str) -> JobFolder:
        return JobFolder(self.jobs / uid)

    def relative(self, path: Path | str) -> str:
        """As stored in a row: relative when it lies under LAB_HOME, absolute otherwise."""
        path = Path(path)
        return str(path.relative_to(self.path)) if path.is_relative_to(self.path) else str(path)

    def absolute(self, stored: str | Path) -> Path:
        """The path a row's `folder` names now."""
        return self.path / stored  # an absolute right side wins

    def create(self) -> Home:
        """Make the folder, or say why not."""
        try:
            self.jobs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LabError(f"LAB_HOME {self.path} cannot be made: {error.strerror}. Set LAB_HOME to a folder you can "
                           "write to.", "disk") from None
        if not os.access(self.path, os.W_OK):
            raise LabError(f"LAB_HOME {self.path} cannot be written to. Set LAB_HOME to another folder, or change its "
                           "permissions.", "disk")
        return self

    def free_mib(self) -> int:
        return shutil.disk_usage(self.path).free // MIB

    def network_filesystem(self) -> str | None:
        """The type of the network file system LAB_HOME lies on, or None. Only a SQLite file may not lie there."""
        return network_filesystem(self.path)

    def check_free(self, min_mib: int) -> None:
        """Raise LabError (reason disk) when less than `min_mib` MiB are free."""
        free = self.free_mib()
        if free < min_mib:
            raise LabError(f"only {free} MiB are free at {self.path}, and a job needs {min_mib} MiB to start. Free "
                           "some space (or lower LAB_MIN_FREE_MIB), then retry.", "disk")


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object from a file that is replaced atomically, or None when there is none (yet)."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):  # cut short, or no text at all, after a power cut
        return None
    return value if isinstance(value, dict) else None


def log_tail(path: Path, n_lines: int = 40, max_bytes: int = 65536) -> str:
    """The last lines of a log; empty when there is no log yet."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return ""
    text, _ = read_log(path, max(0, size - max_bytes), max_bytes)
    return "\n".join(text.splitlines()[-n_lines:])


def read_log(path: Path, offset: int = 0, max_bytes: int = 262144) -> tuple[str, int]:
    """(new text, next offset) from a byte offset on; an unfinished UTF-8 character is left for the next call."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(max_bytes)
    except FileNotFoundError:
        return "", offset
    for cut in range(min(4, len(data) + 1)):
        piece = data[: len(data) - cut]
        try:
            return piece.decode("utf-8"), offset + len(piece)
        except UnicodeDecodeError as error:
            if error.start < len(piece) - 4:
                break
    return data.decode("utf-8", errors="replace"), offset + len(data)
