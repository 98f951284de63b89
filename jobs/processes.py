"""Processes by identity, and how to end a whole tree of them (Linux: /proc).

A pid alone names nothing: it is given again. (pid, start ticks, boot id) does. A child that left its process group is
found by the mark LAB_JOB_UID in its environment. Zombies count as dead.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MARK = "LAB_JOB_UID"


@dataclass(frozen=True)
class Identity:
    """One process, for good."""

    pid: int
    start_ticks: int
    boot_id: str

    def alive(self) -> bool:
        return self.boot_id == boot_id() and start_ticks(self.pid) == self.start_ticks


@cache
def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def start_ticks(pid: int) -> int | None:
    """Field 22 of /proc/PID/stat; None when there is no such process or it is a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text[text.rindex(")") + 2:].split()  # the name before may hold spaces and brackets
    return None if fields[0] in "ZX" else int(fields[19])


def is_zombie(who: Identity) -> bool:
    """Ended, and not yet reaped by its parent."""
    try:
        fields = Path(f"/proc/{who.pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return fields[0] == "Z" and int(fields[19]) == who.start_ticks and who.boot_id == boot_id()


def identify(pid: int) -> Identity | None:
    ticks = start_ticks(pid)
    return None if ticks is None else Identity(pid, ticks, boot_id())


def own_identity() -> Identity:
    found = identify(os.getpid())
    assert found is not None, "a process that runs has an entry in /proc"
    return found


def marked(uid: str) -> list[int]:
    """Every living process that carries the mark of a job, whatever its parent and group are."""
    wanted, found = f"{MARK}={uid}".encode(), []
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            environment = Path(entry.path, "environ").read_bytes()
        except OSError:  # gone meanwhile, or another user's
            continue
        if wanted in environment.split(b"\0") and start_ticks(int(entry.name)) is not None:
            found.append(int(entry.name))
    return found


def ask_to_end(leader: Identity) -> None:
    """SIGTERM to the job's own process alone: it passes the word on and saves; its children must not die under it."""
    if leader.alive():
        try:
            os.kill(leader.pid, signal.SIGTERM)
        except ProcessLookupError:
            return


def sweep(uid: str, timeout_s: float = 5.0) -> bool:
    """SIGKILL everything that carries the job's mark, until nothing is left. True: nothing is."""
    deadline = time.monotonic() + timeout_s
    while pids := marked(uid):
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
