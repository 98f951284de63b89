"""What would be sent to Slurm: the batch files of a recipe's jobs. Nothing is queued, stored or sent.

The jobs have no uid yet: their places are shown as 000000000001, 000000000002…
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs.catalog import specs, tasks
from jobs.clusters.cluster import PREFIX
from jobs.own_files import with_full_paths
from jobs.queue import NO_WISH, Wish, check_wish, job_name
from jobs.slurm.batch import SlurmJob
from jobs.slurm.engine import SlurmEngine
from jobs.slurm.stored import read_profile
from lab.core.spec import Spec, load_spec
from lab.core.task import Needs
from lab.studies.plan import Planned, plan
from storage.database import Store
from storage.files import Home

MIB_PER_GIB = 1024
NOT_SENT = "Nothing is sent to Slurm: a worker's own machine runs it."


def batch_files(store: Store, spec: Spec, wish: Wish) -> list[tuple[str, str]]:
    """(what it runs, text) of each batch file; none for a worker's own machine. Raises LabError for a wrong profile."""
    check_wish(store, wish)
    if not wish.run_on:
        return []
    engine = SlurmEngine(read_profile(store.home, wish.run_on.removeprefix(PREFIX)), store.home)
    return [(_heading(needs, [job.name for job in batch.jobs]), engine.render(batch))
            for needs, jobs in _by_needs(store.home, spec).items() for batch in engine.batches(jobs)]


def dry_run(store: Store, kind: str, values: Mapping[str, Any], wish: Wish = NO_WISH) -> str:
    """The batch files as one text. Raises LabError for a wrong spec or profile."""
    files = batch_files(store, load_spec(specs()[kind], with_full_paths(values)), wish)
    return ("\n\n".join(f"## {heading}\n{text}" for heading, text in files) or NOT_SENT) + "\n"


def _heading(needs: tuple[str, Needs], names: list[str]) -> str:
    kind, needed = needs
    memory = f", about {needed.memory_mib / MIB_PER_GIB:.1f} GiB of memory on each" if needed.memory_mib else ""
    devices = f"{needed.devices} GPU{'s' if needed.devices > 1 else ''} a job{memory}"
    listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return f"{len(names)} × {kind} ({devices}): {listed}"


def _by_needs(home: Home, spec: Spec) -> dict[tuple[str, Needs], list[SlurmJob]]:
    """The jobs as Slurm would know them: those of one kind and the same needs together, as one array."""
    found: dict[tuple[str, Needs], list[SlurmJob]] = {}
    for number, (name, own) in enumerate(_jobs(spec), 1):
        needed, uid = tasks()[own.kind].needs(own), f"{number:012d}"
        job = SlurmJob(uid, 1, home.job(uid).path, name, needed.devices)
        found.setdefault((own.kind, needed), []).append(job)
    return found


def _jobs(spec: Spec) -> list[tuple[str, Spec]]:
    if not isinstance(spec, Planned):
        return [(job_name(spec), spec)]
    planned = plan(spec)
    uids = {item.key: f"{number:012d}" for number, item in enumerate(planned, 1)}
    return [(item.name, load_spec(specs()[item.kind], item.with_uids(uids), item.name)) for item in planned]
