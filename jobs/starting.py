"""From a claimed row to a running process."""

from __future__ import annotations

import traceback

from jobs.catalog import specs
from jobs.ingest import Outcome, end_job
from jobs.launchers import local
from jobs.provenance import provenance
from jobs.references import resolve_models
from jobs.runner import DISK_ERRORS
from jobs.watching import Watched
from lab.core.context import write_json
from lab.core.errors import LabError
from lab.core.spec import load_spec
from storage.database import Store
from storage.files import JobFolder
from storage.tables import Job


def start_job(store: Store, job: Job, slots: int, min_free_mib: int) -> Watched:
    """Write job.json, start the process, and note who it is. Raises what stands in the way."""
    store.home.check_free(min_free_mib)
    spec = load_spec(specs()[job.kind], job.spec)
    with store.read() as session:
        models = resolve_models(session, store.home, spec)
    folder = JobFolder(store.home.absolute(job.folder))
    folder.prepare()
    write_json(folder.job_json, {
        "uid": job.uid, "kind": job.kind, "attempt": job.attempt, "spec": spec.as_dict(),
        "models": {ref: source.model_dump() for ref, source in models.items()},
    })
    known = provenance()
    started = local.start(job.uid, folder, slots)
    who = started.identity
    with store.write() as session:
        row = session.get_one(Job, job.id)
        row.pid, row.start_ticks, row.boot_id, row.provenance = who.pid, who.start_ticks, who.boot_id, known
        session.add(row)
    return Watched(job.id, job.uid, folder, who, job.attempt, process=started.process)


def refuse(store: Store, job: Job, error: Exception) -> None:
    """A claimed job that could not be started is failed, with the reason."""
    if isinstance(error, LabError):
        outcome = Outcome("failed", error.reason, str(error))
    elif isinstance(error, OSError) and error.errno in DISK_ERRORS:
        outcome = Outcome("failed", "disk", f"The disk at {store.home} is full. Free some space, then retry.")
    else:
        traceback.print_exception(error)
        outcome = Outcome("failed", "bug", f"It could not be started: {type(error).__name__}: {error}")
    with store.write() as session:
        end_job(session, session.get_one(Job, job.id), outcome, None)
