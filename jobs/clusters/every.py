"""The jobs that run on Slurm clusters, looked after in a thread of the worker: Slurm's commands may take long, and the
machine's own jobs must not wait for them.

A job claimed for a cluster is 'starting' while it waits in Slurm's queue. One poll asks for all jobs of a profile.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field

from sqlmodel import col, select

from jobs.clusters.cluster import PREFIX, Cluster
from jobs.clusters.following import follow
from jobs.clusters.sending import send
from jobs.clusters.taking import adopt, claim
from jobs.slurm.engine import SlurmEngine
from jobs.slurm.stored import profile_names, read_profile
from jobs.watching import Patience
from lab.core.errors import LabError
from storage.database import Store
from storage.tables import ENDED, Job


@dataclass
class Clusters:
    """Every profile that this worker can reach. `look` is called from the worker's own thread for clusters."""

    store: Store
    worker: str
    host: str
    patience: Patience
    settle_s: float = 60.0
    known: dict[str, Cluster] = field(default_factory=dict)

    def look(self) -> None:
        """One round over all profiles."""
        for name in self._names():
            try:
                cluster = self._cluster(name)
                if cluster.seen or cluster.engine.commands.are_here():
                    _look(cluster)
            except LabError as error:
                self._say(name, str(error))
            except Exception:  # a bug in one profile must not leave the others unattended
                print(traceback.format_exc(), flush=True)

    def _names(self) -> list[str]:
        """The profiles that there are, and those that jobs still name."""
        with self.store.read() as session:
            query = select(Job.run_on).where(col(Job.run_on).startswith(PREFIX), col(Job.state).not_in(ENDED))
            named = {run_on.removeprefix(PREFIX) for run_on in session.exec(query.distinct())}
        return sorted(named | set(profile_names(self.store.home)))

    def _cluster(self, name: str) -> Cluster:
        profile = read_profile(self.store.home, name)
        old = self.known.get(name)
        if old is None or old.profile != profile:
            engine = SlurmEngine(profile, self.store.home, settle_s=self.settle_s)
            seen = old.seen if old else {}
            self.known[name] = Cluster(self.store, self.worker, self.host, profile, self.patience, engine, seen)
        return self.known[name]

    def _say(self, name: str, text: str) -> None:
        """Without a profile nobody can ask for its jobs: they say so and stay as they are, until it is back."""
        print(f"Slurm profile {name}: {text}", flush=True)
        with self.store.write() as session:
            query = select(Job).where(Job.run_on == PREFIX + name, col(Job.state).not_in(ENDED))
            for job in session.exec(query):
                if job.cluster.get("text") != text:
                    job.cluster = {**job.cluster, "text": text}
                    session.add(job)


def _look(cluster: Cluster) -> None:
    """Take over, ask Slurm and act on the answers; then, where it answers, claim and send."""
    adopt(cluster)
    follow(cluster)
    claim(cluster)
    send(cluster)
