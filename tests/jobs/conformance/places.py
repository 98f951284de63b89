"""Where a job may run, as the scenarios see it: this machine, or a real Slurm of two simulated nodes. Both run the same
jobs through the same `submit` and the same worker; only `run_on` differs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.processes import marked
from jobs.queue import Wish, submit
from jobs.slurm.profile import SlurmProfile
from jobs.slurm.stored import save_profile
from storage.database import Store
from storage.files import JobFolder, read_json
from storage.queries.jobs import events, metrics
from storage.tables import Job
from tests.jobs.conftest import now_of, wait_for, worker_thread
from tests.jobs.slurm.cluster import Cluster

QUICK = {"cluster_poll_s": 0.2, "cluster_settle_s": 1.5, "grace_s": 1.0, "min_free_mib": 0, "gpus": False}
SMALL = {"partition": "normal", "cpus_per_gpu": 1, "signal_s": 30, "time_limit_minutes": 10, "nodes_max": 2}


@dataclass
class Place:
    """One place and the store that its jobs are in. `cluster` is None on this machine."""

    store: Store
    cluster: Cluster | None = None

    @property
    def run_on(self) -> str:
        return "slurm:test" if self.cluster else ""

    def allow(self, at_once: int = 2, **fields: Any) -> None:
        """How many jobs may run at once; more fields of the profile where there is one."""
        self.at_once = at_once
        if self.cluster:
            shared = str(self.store.home.path.parent)
            save_profile(self.store.home, SlurmProfile.model_validate(
                {"name": "test", "shared": shared, "max_jobs": at_once, **SMALL, **fields}))

    def submit(self, kind: str, priority: int = 0, **values: Any) -> Job:
        return submit(self.store, kind, values, Wish(priority, self.run_on)).jobs[0]

    def working(self, **options: Any) -> worker_thread:
        """`with place.working():` a worker serves the store inside the block."""
        return worker_thread(self.store, slots=self.at_once, **{**QUICK, **options})

    @contextmanager
    def worker_process(self) -> Iterator[subprocess.Popen[bytes]]:
        """A worker of its own process, killed with SIGKILL at the end of the block."""
        command = [sys.executable, "-m", "tests.jobs.conformance.worker", str(self.at_once)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=Path(__file__).parents[3])
        try:
            yield process
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def folder(self, job: Job) -> JobFolder:
        return self.store.home.job(job.uid)

    def pid(self, job: Job) -> int:
        """The job's own process: it says so itself, wherever it runs."""
        return (read_json(self.folder(job).status) or {})["pid"]

    def kill(self, job: Job) -> None:
        os.kill(self.pid(job), signal.SIGKILL)

    def runs(self, job: Job, further_than: float = 0) -> Job:
        """The row, once the job runs and has made more than these steps."""
        wait_for(lambda: (row := now_of(self.store, job)).state == "running" and row.progress_done > further_than)
        return now_of(self.store, job)

    def nothing_left(self, job: Job) -> bool:
        """No process carries its mark: the simulated nodes are this machine, too."""
        wait_for(lambda: not marked(job.uid), 10)
        return True

    def steps(self, job: Job, name: str) -> list[int]:
        with self.store.read() as session:
            return [step for step, _ in metrics(session, job.id, name)]

    def told(self, job: Job) -> list[tuple[str, str]]:
        """Its events: (state, why)."""
        with self.store.read() as session:
            return [(event.state, event.why) for event in events(session, job.id)]

    def states(self, job: Job) -> list[str]:
        return [state for state, _ in self.told(job)]

    def begun(self, job: Job) -> list[int]:
        """The step that each start of a `climb` began with, in turn, over all attempts."""
        lines = [json.loads(line) for line in self.folder(job).events.read_text().splitlines()]
        return [line["step"] + 1 for line in lines if line["type"] == "rewind"]
