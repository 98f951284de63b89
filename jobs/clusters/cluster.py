"""One profile's cluster as a worker looks after it: who looks, through which engine, and at which attempts.

All of it can be found again after a kill: in the store, in Slurm, and in the jobs' folders.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from jobs.clusters.attempt import OnCluster
from jobs.endings import Outcome
from jobs.ingest import read_batch
from jobs.slurm.engine import SlurmEngine
from jobs.slurm.profile import SlurmProfile
from jobs.watching import Patience, settle
from storage.database import Store
from storage.tables import Job

PREFIX = "slurm:"


@dataclass
class Cluster:
    """`seen`: the attempts that this worker looks after, by their job's number. `answered`: whether Slurm did in this
    round, None when it was not asked; where it did not, asking again takes another ten seconds."""

    store: Store
    worker: str
    host: str
    profile: SlurmProfile
    patience: Patience
    engine: SlurmEngine
    seen: dict[int, OnCluster] = field(default_factory=dict)
    answered: bool | None = None

    @property
    def run_on(self) -> str:
        """What rows of this cluster's jobs have under `run_on`."""
        return PREFIX + self.profile.name

    def row(self, item: OnCluster) -> Job:
        with self.store.read() as session:
            return session.get_one(Job, item.job_id)

    def take(self, job: Job) -> None:
        """Look after this row's attempt from now on."""
        assert job.id is not None
        self.seen[job.id] = OnCluster.of(job, self.store.home)

    def drop(self, item: OnCluster) -> None:
        """Its attempt is over, or another worker's."""
        self.seen.pop(item.job_id, None)

    def end(self, item: OnCluster, outcome: Outcome) -> None:
        """Write its end into the store, with everything that it has reported."""
        batch = read_batch(item.folder, self.row(item).events_offset)
        settle(self.store, item, outcome, batch, self.patience.most_losses)
        self.drop(item)
