"""The jobs that run on Slurm clusters, looked after in a thread of the worker: Slurm's commands may take long, and the
machine's own jobs must not wait for them.

A job claimed for a cluster is 'starting' while it waits in Slurm's queue. One poll asks for all jobs of a profile. What
is not known changes nothing: where the controller is away the row says since when, and stays as it was.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlmodel import Session, col, select

from jobs.endings import Outcome, judge
from jobs.ingest import read_batch
from jobs.leases import ACTIVE, begin_attempt
from jobs.on_cluster import OnCluster, back_in_slurms_queue, outcome_of, shown
from jobs.processes import Identity
from jobs.slurm.commands import Unreachable
from jobs.slurm.engine import SlurmEngine
from jobs.slurm.profile import SlurmProfile
from jobs.slurm.refs import Ref
from jobs.slurm.states import FINAL, Reading
from jobs.slurm.stored import profile_names, read_profile
from jobs.starting import refuse, write_order
from jobs.watching import Patience, mine, settle, take_in
from lab.core.context import write_json
from lab.core.errors import LabError
from storage.clock import store_now
from storage.database import Store
from storage.files import read_json
from storage.queries.queue import is_paused, ready_jobs
from storage.tables import Job, JobEvent, Worker, now

PREFIX = "slurm:"
SILENT = timedelta(minutes=2)  # a worker of another machine that was not heard of since then no longer polls


@dataclass
class Cluster:
    """One profile's jobs. All of it can be found again after a kill: in the store, in Slurm, in the jobs' folders."""

    store: Store
    worker: str
    host: str
    profile: SlurmProfile
    patience: Patience
    engine: SlurmEngine
    seen: dict[int, OnCluster] = field(default_factory=dict)

    @property
    def answers(self) -> bool:
        """Whether Slurm's commands are here and its controller answers. A machine without them claims nothing."""
        with self.store.read() as session:
            waits = bool(ready_jobs(session, self.run_on, 1))
        return waits and not isinstance(self.engine.commands.queue(), Unreachable)

    @property
    def run_on(self) -> str:
        return PREFIX + self.profile.name

    def look(self) -> None:
        """One round: take over, claim, submit, ask Slurm, act on the answers."""
        self._adopt()
        if self.answers:
            self._claim()
        self._submit()
        sent = {item.ref: item for item in self.seen.values() if item.ref is not None}
        readings = self.engine.poll([item.as_watch() for item in sent.values()]) if sent else {}
        for ref, reading in readings.items():
            try:
                if self._act(sent[ref], reading):
                    del self.seen[sent[ref].job_id]
            except OSError as error:  # its folder cannot be read now; the others must not wait for it
                print(f"job {sent[ref].job_id}: {error}", flush=True)

    def _adopt(self) -> None:
        """Jobs of this profile whose worker is gone, and this worker's own after the profile was read anew."""
        with self.store.write() as session:
            query = select(Job).where(col(Job.state).in_(ACTIVE), Job.run_on == self.run_on)
            for job in session.exec(query.order_by(col(Job.id))):
                if job.id in self.seen or (job.worker != self.worker and _lives(session, job.worker, self.host)):
                    continue
                if job.worker != self.worker:
                    job.worker = self.worker
                    session.add(job)
                    session.add(JobEvent(job_id=job.id, state=job.state, why="taken over by another worker"))
                self.seen[job.id] = OnCluster.of(job, self.store.home)

    def _claim(self) -> None:
        """As many waiting jobs as the profile allows to be in Slurm's queue at the same time."""
        with self.store.write() as session:
            room = self.profile.max_jobs - len(self.seen)
            if room <= 0 or is_paused(session):
                return
            claimed = ready_jobs(session, self.run_on, room)
            for job in claimed:
                begin_attempt(session, job, self.worker, f"Slurm, profile {self.profile.name}")
                job.started_at = None  # it starts when Slurm starts it
                job.cluster = {"profile": self.profile.name}
        for job in claimed:
            try:
                write_order(self.store, job)
                self.seen[job.id] = OnCluster.of(job, self.store.home)
            except Exception as error:  # whatever stands in the way becomes the job's reason
                refuse(self.store, job, error)

    def _submit(self) -> None:
        """What is not known to be in Slurm: found there by its tag, or sent."""
        for item in [item for item in self.seen.values() if item.ref is None and item.phase in FINAL]:
            self._end(item, judge(read_json(item.folder.status) or {}, None, ""))  # Slurm may have forgotten it
            del self.seen[item.job_id]
        waiting = [item for item in self.seen.values() if item.ref is None]
        if not waiting:
            return
        found = self.engine.find([item.as_slurm() for item in waiting])
        if isinstance(found, Unreachable):
            return self._note(waiting, {}, found)
        self._note([item for item in waiting if item.uid in found], found)
        rest = {item.uid: item for item in waiting if item.uid not in found}
        for batch in self.engine.batches(item.as_slurm() for item in self._still_wanted(rest.values())):
            items = [rest[job.uid] for job in batch.jobs]
            try:
                text = self.engine.render(batch)
                for item in items:
                    (item.folder.path / "job.sbatch").write_text(text, encoding="utf-8")
                sent = self.engine.submit(batch)
            except LabError as error:
                self._refuse(items, error)
                continue
            if isinstance(sent, Unreachable):
                self._note(items, {}, sent)
            else:
                self._note(items, sent)

    def _still_wanted(self, items: Iterable[OnCluster]) -> list[OnCluster]:
        """Those that nobody has cancelled before they were sent; the others end here."""
        wanted = []
        for item in list(items):
            with self.store.read() as session:
                job = session.get_one(Job, item.job_id)
            if job.desired == "cancel":
                self._end(item, Outcome("cancelled", "cancelled", "Cancelled before it was sent to Slurm."))
                del self.seen[item.job_id]
            else:
                wanted.append(item)
        return wanted

    def _refuse(self, items: Sequence[OnCluster], error: LabError) -> None:
        for item in items:
            with self.store.read() as session:
                job = session.get_one(Job, item.job_id)
            refuse(self.store, job, error)
            del self.seen[item.job_id]

    def _note(self, items: Sequence[OnCluster], refs: dict[str, Ref], away: Unreachable | None = None) -> None:
        with self.store.write() as session:
            for item in items:
                job = mine(session, item)
                if job is None:
                    continue
                if away is not None:
                    job.cluster = {"unknown_since": now().isoformat(), **job.cluster, "text": away.why}
                else:
                    item.ref = refs[item.uid]
                    job.cluster = {
                        "profile": self.profile.name, "ref": str(item.ref), "id": item.ref.job_id, "tag": item.ref.tag,
                        "began_at": item.began_at, "state": "waiting", "text": "Sent to Slurm.",
                    }
                session.add(job)

    def _act(self, item: OnCluster, reading: Reading) -> bool:
        """Bring the row up to date. True when the attempt is over."""
        with self.store.read() as session:
            job = session.get_one(Job, item.job_id)
        if job.worker != item.worker or job.attempt != item.attempt:
            return True  # another worker has taken it over
        if reading.stage in ("ended", "gone"):
            self._end(item, outcome_of(item, reading))
            return True
        if reading.held_back and item.ref is not None:
            self.engine.hurry(item.ref)
        if reading.stage != "unknown":
            self._stop_if_asked(item, job)
        self._show(item, job, reading)
        return False

    def _end(self, item: OnCluster, outcome: Outcome) -> None:
        with self.store.read() as session:
            job = session.get_one(Job, item.job_id)
        settle(self.store, item, outcome, read_batch(item.folder, job.events_offset), self.patience.most_losses)

    def _show(self, item: OnCluster, job: Job, reading: Reading) -> None:
        """Slurm's view into the row, and the job's own reports; only what has changed is written."""
        cluster = shown(job.cluster, reading)
        batch = read_batch(item.folder, job.events_offset)
        runs = item.phase == "running" and reading.stage == "running"
        if runs and job.state == "starting" or batch.offset > job.events_offset:
            take_in(self.store, item, batch, f"Slurm job {item.ref.job_id} on {reading.node}" if runs and
                    job.state == "starting" and item.ref else "")
        if cluster == job.cluster and not (runs and job.started_at is None) and reading.stage != "waiting":
            return
        with self.store.write() as session:
            row = mine(session, item)
            if row is None:
                return
            row.cluster, row.host = cluster, reading.node or row.host
            if runs and row.started_at is None:
                row.started_at = now()
            if reading.stage == "waiting" and row.state == "running":
                back_in_slurms_queue(session, row, item)
            if row.state == "starting":
                row.progress_text = reading.text
            session.add(row)

    def _stop_if_asked(self, item: OnCluster, job: Job) -> None:
        if job.desired != "cancel" or item.ref is None:
            return
        if item.kill_at is None:
            write_json(item.folder.control, {"stop": "cancel"})
            if not isinstance(self.engine.stop(item.ref), Unreachable):
                item.kill_at = time.monotonic() + self.patience.grace_s
        elif time.monotonic() > item.kill_at:
            self.engine.kill(item.ref)


def _lives(session: Session, worker: str | None, host: str) -> bool:
    row = session.get(Worker, worker) if worker else None
    if row is None:
        return False
    if row.host == host:
        return Identity(row.pid, row.start_ticks, row.boot_id).alive()
    return store_now(session) - row.heartbeat_at < SILENT


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
        for name in profile_names(self.store.home):
            try:
                self._cluster(name).look()
            except LabError as error:
                print(f"Slurm profile {name}: {error}", flush=True)
            except Exception:  # a bug in one profile must not leave the others unattended
                print(traceback.format_exc(), flush=True)

    def _cluster(self, name: str) -> Cluster:
        profile = read_profile(self.store.home, name)
        old = self.known.get(name)
        if old is None or old.profile != profile:
            engine = SlurmEngine(profile, self.store.home, settle_s=self.settle_s)
            seen = old.seen if old else {}
            self.known[name] = Cluster(self.store, self.worker, self.host, profile, self.patience, engine, seen)
        return self.known[name]
