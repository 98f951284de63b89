"""One attempt of a job on a Slurm cluster: what the worker holds of it, and what a reading of it means for its row."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from sqlmodel import Session

from jobs.endings import LOST, Outcome, judge
from jobs.ingest import Pace
from jobs.slurm.batch import SlurmJob
from jobs.slurm.refs import Ref, Watch
from jobs.slurm.states import Reading
from storage.files import Home, JobFolder, read_json
from storage.tables import Job, JobEvent, now


@dataclass
class OnCluster:
    """One attempt that this worker looks after."""

    job_id: int
    uid: str
    folder: JobFolder
    attempt: int
    worker: str
    devices: int
    name: str
    ref: Ref | None = None  # None: not known to be submitted
    began_at: int = 0  # the checkpoint's step that it began with
    pace: Pace = field(default_factory=Pace)
    kill_at: float | None = None

    @classmethod
    def of(cls, job: Job, home: Home) -> OnCluster:
        """From a row that its worker has claimed."""
        folder, known, whole = JobFolder(home.absolute(job.folder)), job.cluster.get("ref"), None
        if "began_at" not in job.cluster:
            whole = folder.checkpoints.last_whole()
        assert job.id is not None and job.worker is not None
        return cls(job.id, job.uid, folder, job.attempt, job.worker, job.devices, job.name,
                   Ref.parse(known) if known else None, job.cluster.get("began_at", whole.step if whole else 0))

    @property
    def status(self) -> dict[str, Any]:
        """status.json, if it is of this attempt."""
        status = read_json(self.folder.status) or {}
        return status if status.get("attempt") == self.attempt else {}

    @property
    def phase(self) -> str | None:
        return self.status.get("phase")

    @property
    def beat(self) -> float | None:
        """Its last sign of life."""
        return self.status.get("beat")

    @property
    def process(self) -> str:
        """Which process of which start it is; '' before it has said so."""
        status = self.status
        return f"{status['boot_id']}:{status['pid']}:{status['start_ticks']}" if status else ""

    def as_slurm(self) -> SlurmJob:
        return SlurmJob(self.uid, self.attempt, self.folder.path, self.name, self.devices)

    def as_watch(self) -> Watch:
        assert self.ref is not None
        return Watch(self.ref, self.folder, self.attempt, self.began_at)


def outcome_of(item: OnCluster, reading: Reading) -> Outcome:
    if reading.how == "verdict":
        outcome = judge(item.status, None, reading.text)
        # A time limit that comes again and again before anything is saved must end somewhere; a preemption may go on.
        return replace(outcome, counts=True) if outcome.state == LOST and reading.state != "PREEMPTED" else outcome
    if reading.how in (None, "lost"):
        return Outcome(LOST, reading.reason or "cluster", reading.text)
    if reading.how == "cancelled":
        return Outcome("cancelled", "cancelled", reading.text)
    return Outcome("failed", reading.reason or "cluster", reading.text)


def shown(cluster: dict[str, Any], item: OnCluster, reading: Reading) -> dict[str, Any]:
    """What the row says of the cluster: Slurm's own words, and the lab's sentence. While nothing is known, all that was
    known stays, with since when."""
    if reading.stage == "unknown":
        return {**cluster, "unknown_since": cluster.get("unknown_since") or now().isoformat(), "text": reading.text}
    known = {name: value for name, value in cluster.items() if name != "unknown_since"}
    said = {"state": reading.state, "reason": reading.why, "text": reading.text, "node": reading.node,
            "start": reading.start, "process": item.process or cluster.get("process", "")}
    return known | said


def back_in_slurms_queue(session: Session, job: Job, item: OnCluster) -> None:
    """Slurm has put a running job back: after a preemption, a failed node, or its time limit."""
    whole = item.folder.checkpoints.last_whole()
    goes_on = f"goes on from step {whole.step}" if whole else "starts over"
    _count(job)
    job.state, job.eta_s = "starting", None
    job.cluster = {**job.cluster, "beat": item.beat}  # until there is another one, status.json is of the start before
    session.add(JobEvent(job_id=job.id, state=LOST, why="Slurm took it off its node and put it back into its queue."))
    session.add(JobEvent(job_id=job.id, state="starting", why=f"waits in Slurm's queue; {goes_on}"))


def started_again(session: Session, job: Job) -> None:
    """It was put back and started again while nobody looked."""
    _count(job)
    session.add(JobEvent(job_id=job.id, state=LOST, why="Slurm took it off its node, and has started it again since."))
    session.add(JobEvent(job_id=job.id, state="running", why="goes on from its last whole checkpoint, if it has one"))


def _count(job: Job) -> None:
    """The device time until now."""
    if job.started_at is not None:
        job.device_seconds += job.devices * (now() - job.started_at).total_seconds()
    job.started_at = None
