"""Who keeps a worker alive, and that there is only one of each label on a machine.

* A worker holds a lock file in LAB_HOME for as long as it lives: one for each machine and label.
* A process that wants jobs done (the web process, `submit --wait`) leaves a keeper file with its identity and spawns a
  worker when none lives. The spawned worker has its own session: it outlives its keepers, even when they are killed.
* When no keeper lives any more, a spawned worker works on until nothing is queued or running, and ends then. So Ctrl-C
  on `make run` ends everything at once when nothing runs, and lets running jobs finish otherwise.
* A worker started by hand (`python -m jobs worker`, the Procfile) stays until it is told to end.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

from jobs.processes import Identity, own_identity
from jobs.provenance import ROOT
from lab.core.context import write_json
from lab.core.errors import LabError
from lab.core.settings import Settings
from storage.files import Home, read_json

LOOK_EVERY_S = 3.0
MAIN = "main"  # the label of the worker that a machine has when nobody asks for more


class WorkerLock:
    """The lock file, held. Its content names the holder."""

    def __init__(self, home: Home, host: str, label: str = MAIN, patience_s: float = 1.0):
        """LabError when another worker holds it for longer than `patience_s` (a probe holds it for an instant)."""
        self._path, deadline = home.worker_lock(host, label), time.monotonic() + patience_s
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] = self._path.open("a+")
        while not _try_lock(self._file):
            if time.monotonic() > deadline:
                self._file.close()
                raise LabError(f"a worker called '{label}' already serves {home} on this machine{_holder(self._path)}. "
                               "Start one more with --label, or set LAB_HOME to serve another store.", "lost")
            time.sleep(0.05)
        me = own_identity()
        self._file.truncate(0)
        self._file.write(json.dumps({"pid": me.pid, "start_ticks": me.start_ticks, "boot_id": me.boot_id}))
        self._file.flush()

    def still_there(self) -> bool:
        """False when LAB_HOME was deleted or replaced under the worker."""
        try:
            return os.stat(self._path).st_ino == os.fstat(self._file.fileno()).st_ino
        except FileNotFoundError:
            return False

    def release(self) -> None:
        self._file.close()


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _holder(path: Path) -> str:
    holder = read_json(path)
    return f" (process {holder['pid']})" if holder else ""


def worker_alive(home: Home, label: str = MAIN) -> bool:
    """Whether a process of this machine holds the worker's lock."""
    lock = home.worker_lock(socket.gethostname(), label)
    if not lock.exists():
        return False
    with lock.open("r") as file:
        return not _try_lock(file)


def add_keeper(home: Home) -> Path:
    """Say that this process wants a worker, for as long as it lives."""
    me = own_identity()
    return write_json(home.keepers / f"{me.pid}.json", {"start_ticks": me.start_ticks, "boot_id": me.boot_id})


def keeper_alive(home: Home) -> bool:
    """Whether any process that asked for a worker lives; files of dead ones are removed."""
    alive = False
    for path in home.keepers.glob("*.json"):
        value = read_json(path)
        if value and Identity(int(path.stem), value["start_ticks"], value["boot_id"]).alive():
            alive = True
        else:
            path.unlink(missing_ok=True)
    return alive


def spawn_worker(settings: Settings) -> subprocess.Popen[bytes] | None:
    """Start a worker as its own process, kept by this one; None when a live worker already holds the lock."""
    home = Home(settings.home).create()
    add_keeper(home)
    if worker_alive(home):
        return None
    env = {**os.environ, "LAB_HOME": str(home.path), "LAB_DATABASE_URL": settings.database_url,
           "LAB_SLOTS": str(settings.slots)}
    env["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "jobs", "worker", "--kept"]
    with home.worker_log.open("ab") as log:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, env=env,
        )


def _try_spawn(settings: Settings) -> subprocess.Popen[bytes] | None:
    try:
        return spawn_worker(settings)
    except (LabError, OSError) as error:  # a full disk now: tried again at the next look
        print(f"the worker could not be started: {error}", file=sys.stderr, flush=True)
        return None


def keep_worker(settings: Settings) -> threading.Thread:
    """Spawn a worker now, and again whenever none lives, from a daemon thread: what the web process calls once."""
    def keep() -> None:
        process: subprocess.Popen[bytes] | None = None
        while True:
            if process is None or process.poll() is not None:  # poll also reaps the one that ended
                process = _try_spawn(settings)
            time.sleep(LOOK_EVERY_S)

    thread = threading.Thread(target=keep, name="worker-keeper", daemon=True)
    thread.start()
    return thread
