"""The scene of the chaos: the processes that a supervisor keeps, what is drawn, and the account that is given.

The supervisor starts again what was killed. It neither submits nor judges.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from sqlmodel import col, select

from jobs.leases import ACTIVE
from jobs.processes import Identity
from jobs.provenance import ROOT
from storage.database import Store
from storage.tables import Job, Worker
from tests.jobs.chaos_faults import Expected, lease_faults, work_faults

WORKERS = ("a", "b")
WEB = "web"
LEAVE_S = 25.0


@dataclass(frozen=True)
class Shape:
    """How much chaos. `pause_s` is the mean time between two strikes."""

    n_jobs: int = 60
    seconds: float = 60.0
    seed: int = 1
    warm: bool = False
    steps: int = 20
    step_s: float = 0.1
    pause_s: float = 0.5


@dataclass
class Account:
    """What happened, and what was found wrong."""

    strikes: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    attempts: int = 0
    forked: int = 0  # jobs whose last attempt came from a warm launcher
    losses: int = 0
    takeovers: int = 0
    looks: int = 0  # how often the leases were looked at
    quiet_s: float = 0.0
    faults: list[str] = field(default_factory=list)


@dataclass
class Crowd:
    """The processes a supervisor would keep: started when they are not there and their time has come."""

    home: Path
    shape: Shape
    port: int
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    back_at: dict[str, float] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def supervise(self) -> None:
        for name in (*WORKERS, WEB):
            process = self.running.get(name)
            if process is not None and process.poll() is None:
                continue
            if process is not None and process.returncode != -signal.SIGKILL:
                self.faults.append(f"{name} ended by itself with code {process.returncode}; see {name}.out")
            if time.monotonic() >= self.back_at.get(name, 0):
                self.running[name] = self._start(name)
                self.back_at[name] = time.monotonic() + 2.0  # one that ends at once is not started in a circle

    def kill(self, name: str, away_s: float) -> bool:
        process = self.running.get(name)
        if process is None or process.poll() is not None:
            return False
        process.kill()
        process.wait()
        self.back_at[name] = time.monotonic() + away_s
        return True

    def page_answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def page_listens(self) -> bool:
        with socket.socket() as one:
            one.settimeout(0.2)
            return one.connect_ex(("127.0.0.1", self.port)) == 0

    def end(self) -> None:
        """As a shutdown does it: SIGTERM; SIGKILL for what does not listen is a finding, not a way."""
        for process in self.running.values():
            process.terminate()
        for name, process in self.running.items():
            if (code := process.wait(LEAVE_S)) not in (0, -signal.SIGTERM):
                self.faults.append(f"{name} ended with code {code} when it was told to; see {name}.out")

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        command = ["app.py"] if name == WEB else ["-m", "jobs", "worker", "--label", name]
        with (self.home / f"{name}.out").open("ab") as output:
            return subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True, env=self._environment(),
            )

    def _environment(self) -> dict[str, str]:
        own = {
            "LAB_HOME": str(self.home), "LAB_PORT": str(self.port), "LAB_SLOTS": "4", "LAB_GPUS": "off",
            "LAB_WARM": "on" if self.shape.warm else "off", "LAB_MOST_LOSSES": "1000", "LAB_GRACE_S": "2",
            "LAB_MIN_FREE_MIB": "0", "LAB_EXTRA_TASKS": "tests.jobs.chaos_tasks", "PYTHONUNBUFFERED": "1",
        }
        dropped = ("LAB_DATABASE_URL", "SPACE_ID", "LAB_WORKER")
        return {name: value for name, value in os.environ.items() if name not in dropped} | own


@dataclass
class Chaos:
    """One run: the store, the crowd, the draws, and the account."""

    store: Store
    shape: Shape
    crowd: Crowd
    draw: random.Random
    account: Account = field(default_factory=Account)
    expected: dict[int, Expected] = field(default_factory=dict)
    to_cancel: list[int] = field(default_factory=list)

    def look(self) -> None:
        self.crowd.supervise()
        with self.store.read() as session:
            self.account.faults += lease_faults(session)
        self.account.faults += work_faults(self.store)
        self.account.looks += 1

    def active(self) -> list[Job]:
        with self.store.read() as session:
            return list(session.exec(select(Job).where(col(Job.state).in_(ACTIVE)).order_by(Job.id)))

    def workers(self) -> list[Identity]:
        """Every worker that lives, the web process's own too."""
        with self.store.read() as session:
            rows = [Identity(row.pid, row.start_ticks, row.boot_id) for row in session.exec(select(Worker))]
        return [row for row in rows if row.alive()]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
