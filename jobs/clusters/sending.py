"""From claimed jobs to Slurm's queue, each attempt once: found there by its tag, or sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from jobs.clusters.attempt import OnCluster
from jobs.clusters.cluster import Cluster
from jobs.endings import Outcome, judge
from jobs.slurm.batch import Batch
from jobs.slurm.commands import Unreachable
from jobs.slurm.refs import Ref
from jobs.slurm.states import FINAL
from jobs.starting import refuse, write_order
from jobs.watching import mine
from lab.core.errors import LabError
from storage.files import read_json
from storage.tables import now

TOLD_AT_ONCE = "Cancelled before it was sent to Slurm."


def send(cluster: Cluster) -> None:
    """Every attempt that is not known to be in Slurm: look for it there, then send what is not."""
    for item in [item for item in cluster.seen.values() if item.ref is None and item.phase in FINAL]:
        cluster.end(item, judge(item.status, None, ""))  # Slurm may have forgotten it
    waiting = [item for item in cluster.seen.values() if item.ref is None]
    if not waiting or cluster.answered is False:
        return
    found = cluster.engine.find([item.as_slurm() for item in waiting])
    if isinstance(found, Unreachable):
        return _note_away(cluster, waiting, found)
    _note(cluster, [item for item in waiting if item.uid in found], found)
    ready = {item.uid: item for item in waiting if item.uid not in found and _is_ready(cluster, item)}
    for batch in cluster.engine.batches(item.as_slurm() for item in ready.values()):
        _send(cluster, batch, [ready[job.uid] for job in batch.jobs])


def _is_ready(cluster: Cluster, item: OnCluster) -> bool:
    """Whether it is still wanted, and its folder holds the order of this attempt. If not, it ends here."""
    job = cluster.row(item)
    if job.worker != item.worker or job.attempt != item.attempt:
        cluster.drop(item)
        return False
    if job.desired == "cancel":
        cluster.end(item, Outcome("cancelled", "cancelled", TOLD_AT_ONCE))
        return False
    try:
        if (read_json(item.folder.job_json) or {}).get("attempt") != item.attempt:
            write_order(cluster.store, job)
    except Exception as error:  # whatever stands in the way becomes the job's reason
        _refuse(cluster, [item], error)
        return False
    return True


def _send(cluster: Cluster, batch: Batch, items: Sequence[OnCluster]) -> None:
    try:
        text = cluster.engine.render(batch)
        for item in items:
            (item.folder.path / "job.sbatch").write_text(text, encoding="utf-8")
        sent = cluster.engine.submit(batch)
    except LabError as error:
        return _refuse(cluster, items, error)
    if isinstance(sent, Unreachable):
        return _note_away(cluster, items, sent)
    _note(cluster, items, sent)


def _refuse(cluster: Cluster, items: Iterable[OnCluster], error: Exception) -> None:
    for item in items:
        refuse(cluster.store, cluster.row(item), error)
        cluster.drop(item)


def _note(cluster: Cluster, items: Sequence[OnCluster], refs: Mapping[str, Ref]) -> None:
    """Write down under which number Slurm knows them."""
    if not items:
        return
    with cluster.store.write() as session:
        for item in items:
            job = mine(session, item)
            if job is None:
                continue
            item.ref = refs[item.uid]
            job.cluster = {
                "profile": cluster.profile.name, "ref": str(item.ref), "id": item.ref.job_id, "tag": item.ref.tag,
                "began_at": item.began_at, "state": "PENDING", "text": "Sent to Slurm.",
            }
            session.add(job)


def _note_away(cluster: Cluster, items: Sequence[OnCluster], away: Unreachable) -> None:
    """Nobody knows whether they are in Slurm. The next round looks for them again."""
    with cluster.store.write() as session:
        for item in items:
            job = mine(session, item)
            if job is not None:
                text = f"Slurm does not answer: {away.why}"
                job.cluster = {"unknown_since": now().isoformat(), **job.cluster, "text": text}
                session.add(job)
