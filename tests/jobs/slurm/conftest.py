"""One real Slurm for all tests of a process, a shared folder for each test, and engines that use both."""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.slurm.batch import SlurmJob
from jobs.slurm.commands import Commands, clean_environment
from jobs.slurm.engine import SlurmEngine
from jobs.slurm.profile import SlurmProfile
from jobs.slurm.refs import Ref, Watch
from jobs.slurm.states import Reading
from storage.files import Home, JobFolder
from tests.jobs.slurm.cluster import Cluster, NoCluster

STAND_IN = Path(__file__).with_name("stand_in.py")


@pytest.fixture(scope="session")
def only_cluster() -> Iterator[Cluster]:
    try:
        with Cluster() as running:
            yield running
    except NoCluster as why:
        pytest.skip(f"no Slurm to test against: {why}")


@pytest.fixture
def cluster(only_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """The Slurm that this test's commands talk to; whatever it leaves behind is cancelled."""
    for name, value in only_cluster.environment.items():
        monkeypatch.setenv(name, value)
    yield only_cluster
    only_cluster.clear()


@pytest.fixture
def own_cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """One for a single test that hurts it: after a crash of the controller numbers are given again, and nodes that
    remember them refuse the new jobs."""
    try:
        with Cluster() as running:
            for name, value in running.environment.items():
                monkeypatch.setenv(name, value)
            yield running
    except NoCluster as why:
        pytest.skip(f"no Slurm to test against: {why}")


class Lab:
    """A lab's folder, and a profile whose python is the stand-in."""

    def __init__(self, folder: Path):
        self.home = Home(folder / "home").create()
        self.python = folder / "python"
        self.python.write_text(f'#!/bin/sh\nexec {sys.executable} {STAND_IN} "$@"\n')
        self.python.chmod(0o755)
        self.shared = folder
        self.name = f"test-{uuid.uuid4().hex[:8]}"  # the cluster remembers the jobs of other tests, uids and all

    def profile(self, **fields: object) -> SlurmProfile:
        given = {"name": self.name, "shared": str(self.shared), "python": str(self.python), "partition": "normal",
                 "cpus_per_gpu": 1, "signal_s": 30, "time_limit_minutes": 10, "self_requeue": False, **fields}
        return SlurmProfile.model_validate(given)

    def engine(self, timeout_s: float = 15.0, settle_s: float = 1.0, **fields: object) -> SlurmEngine:
        profile = self.profile(**fields)
        commands = Commands(profile.ssh_words, timeout_s, clean_environment())
        return SlurmEngine(profile, self.home, commands, settle_s)

    def job(self, uid: str = "a", attempt: int = 1, devices: int = 1, **spec: object) -> SlurmJob:
        """A job with its folder, as the worker leaves it before a start."""
        folder = self.home.job(uid)
        folder.prepare()
        folder.job_json.write_text(json.dumps({"attempt": attempt, "spec": spec}))
        return SlurmJob(uid, attempt, folder.path, "stand-in", devices)

    def starts(self, uid: str = "a") -> list[dict]:
        """What each start of the stand-in saw."""
        path = self.home.job(uid).path / "starts.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def submitted(engine: SlurmEngine, *jobs: SlurmJob) -> list[Watch]:
    """Submit them as one batch; what to look after."""
    (batch,) = engine.batches(jobs)
    refs = engine.submit(batch)
    assert isinstance(refs, dict), refs
    return [watch(refs[job.uid], job) for job in jobs]


def watch(ref: Ref, job: SlurmJob) -> Watch:
    return Watch(ref, JobFolder(job.folder), job.attempt)


def reads(engine: SlurmEngine, one: Watch, wanted: Callable[[Reading], bool], timeout_s: float = 20.0) -> Reading:
    """Poll until the reading is as wanted; fails the test when that takes too long."""
    deadline = time.monotonic() + timeout_s
    while not wanted(reading := engine.poll([one])[one.ref]):
        assert time.monotonic() < deadline, f"waited too long; the last reading is {reading}"
        time.sleep(0.1)
    return reading


def running(reading: Reading) -> bool:
    return reading.stage == "running"


def ended(reading: Reading) -> bool:
    return reading.stage == "ended"


def wait_for(condition: Callable[[], object], timeout_s: float = 20.0) -> object:
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)
    return value
