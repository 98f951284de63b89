"""What Slurm and the jobs' folders say becomes what the rows say; what people ask of a job reaches it.

What is not known changes nothing: where the controller is away the row says since when, and stays as it was.
"""

from __future__ import annotations

import time

from sqlmodel import Session

from jobs.clusters.attempt import OnCluster, back_in_slurms_queue, outcome_of, shown, started_again
from jobs.clusters.cluster import Cluster
from jobs.ingest import read_batch
from jobs.slurm.commands import Unreachable
from jobs.slurm.states import Reading
from jobs.watching import mine, take_in
from lab.core.context import write_json
from storage.tables import Job, now


def follow(cluster: Cluster) -> None:
    """One poll for all of the profile's jobs, and what each answer means."""
    sent = {item.ref: item for item in cluster.seen.values() if item.ref is not None}
    readings = cluster.engine.poll([item.as_watch() for item in sent.values()]) if sent else {}
    cluster.answered = cluster.engine.answered if sent else None
    for ref, reading in readings.items():
        try:
            _act(cluster, sent[ref], reading)
        except OSError as error:  # its folder cannot be read now; the others must not wait for it
            print(f"job {sent[ref].job_id}: {error}", flush=True)


def _act(cluster: Cluster, item: OnCluster, reading: Reading) -> None:
    job = cluster.row(item)
    if job.worker != item.worker or job.attempt != item.attempt:
        return cluster.drop(item)  # another worker has taken it over
    if reading.stage in ("ended", "gone"):
        return cluster.end(item, outcome_of(item, reading))
    assert item.ref is not None
    if reading.held_back:
        cluster.engine.hurry(item.ref)
    if reading.stage != "unknown":
        _stop_if_asked(cluster, item, job)
    _show(cluster, item, job, reading)


def _stop_if_asked(cluster: Cluster, item: OnCluster, job: Job) -> None:
    """Ask it to save and end; end it for good when its grace is over."""
    if job.desired != "cancel" or item.ref is None:
        return
    if item.kill_at is None:
        write_json(item.folder.control, {"stop": "cancel"})
        if not isinstance(cluster.engine.stop(item.ref), Unreachable):
            item.kill_at = time.monotonic() + cluster.patience.grace_s
    elif time.monotonic() > item.kill_at:
        cluster.engine.kill(item.ref)


def _show(cluster: Cluster, item: OnCluster, job: Job, reading: Reading) -> None:
    """Slurm's view into the row, then the job's own reports. Only what has changed is written."""
    if _changes(job, item, reading):
        with cluster.store.write() as session:
            row = mine(session, item)
            if row is not None:
                _write(session, row, item, reading)
    lives = item.phase == "running" and item.beat != job.cluster.get("beat")
    begins = job.state == "starting" and reading.stage == "running" and lives
    batch = read_batch(item.folder, job.events_offset)
    if begins or batch.offset > job.events_offset:
        on = f" on {reading.node}" if reading.node else ""
        take_in(cluster.store, item, batch, f"Slurm job {item.ref.job_id}{on}" if begins and item.ref else "")


def _changes(job: Job, item: OnCluster, reading: Reading) -> bool:
    return shown(job.cluster, item, reading) != job.cluster or (reading.stage == "running") != bool(job.started_at)


def _write(session: Session, row: Job, item: OnCluster, reading: Reading) -> None:
    """GPU hours count from the moment at which Slurm gave it its node."""
    before, row.cluster = row.cluster, shown(row.cluster, item, reading)
    row.host = reading.node or row.host
    if reading.stage == "waiting" and row.started_at is not None:
        back_in_slurms_queue(session, row, item)
    elif row.state == "running" and before.get("process") not in (None, "", row.cluster.get("process")):
        started_again(session, row)
    if reading.stage == "running" and row.started_at is None:
        row.started_at = now()
    if row.state == "starting":
        row.progress_text = reading.text
    session.add(row)
