"""From a claimed row to a running process."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jobs.catalog import specs, tasks
from jobs.endings import Left, Outcome, end_attempt
from jobs.launchers import local
from jobs.launchers.order import Order
from jobs.leases import leased
from jobs.processes import sweep
from jobs.provenance import cores, provenance
from jobs.references import resolve_files, resolve_models
from jobs.status import DISK_ERRORS
from jobs.watching import Watched
from lab.core.context import write_json
from lab.core.errors import LabError
from lab.core.spec import load_spec
from storage.database import Store
from storage.files import JobFolder
from storage.tables import Job

if TYPE_CHECKING:
    from jobs.launchers.warm import WarmLauncher


@dataclass(frozen=True)
class Place:
    """Where a worker starts jobs: how many share the machine's cores, and the warm launcher if there is one."""

    n_devices: int
    min_free_mib: int
    warm: WarmLauncher | None = None


def write_order(store: Store, job: Job) -> JobFolder:
    """Make the job's folder ready for this attempt and write job.json into it."""
    spec = load_spec(specs()[job.kind], job.spec)
    with store.read() as session:
        models = resolve_models(session, store.home, spec)
        files = resolve_files(session, store.home, spec)
    folder = JobFolder(store.home.absolute(job.folder))
    folder.prepare()
    _forget_what_is_gone(store, job, folder)
    write_json(folder.job_json, {
        "uid": job.uid, "kind": job.kind, "attempt": job.attempt, "spec": spec.as_dict(),
        "models": {ref: source.model_dump() for ref, source in models.items()}, "files": files,
        "processes": job.devices,
    })
    return folder


def _forget_what_is_gone(store: Store, job: Job, folder: JobFolder) -> None:
    """A power cut may take the end of events.jsonl: what comes now is written, and read, from where the file ends."""
    size = folder.events.stat().st_size if folder.events.exists() else 0
    if size < job.events_offset:
        with store.write() as session:
            row = session.get_one(Job, job.id)
            row.events_offset = size
            session.add(row)


def start_job(store: Store, job: Job, place: Place) -> Watched:
    """Write job.json, start the process, and note who it is. Raises what stands in the way."""
    store.home.check_free(place.min_free_mib)
    if not sweep(job.uid):  # what an earlier attempt has left and nobody knew of would write into the same folder
        raise LabError("a process of an earlier attempt cannot be ended: it hangs in the kernel.", "lost")
    folder = write_order(store, job)
    with store.read() as session:
        devices = leased(session, job)
    threads = max(1, cores() * max(1, len(devices)) // max(1, place.n_devices) // max(1, job.devices))
    order = Order(job.uid, folder, job.attempt, devices, threads, tasks()[job.kind].warm and job.devices == 1)
    started = _start(order, place.warm)
    try:
        note_process(store, job, started.identity, provenance())  # asks git, while the job starts
    except LabError as error:  # the store cannot be written now, and the job runs: its mark tells who it is
        print(f"job {job.id} runs as process {started.identity.pid}, which could not be noted: {error}", flush=True)
    return Watched(job.id, job.uid, folder, started.identity, job.attempt, job.worker, process=started.process)


def _start(order: Order, warm: WarmLauncher | None) -> local.Started:
    """Warm where that pays and is possible, else cold."""
    if order.warm and warm is not None:
        identity = warm.fork(order)
        if identity is not None:
            return local.Started(identity)
    return local.start(order)


def note_process(store: Store, job: Job, who: Any, known: dict[str, Any]) -> None:
    with store.write() as session:
        row = session.get_one(Job, job.id)
        row.pid, row.start_ticks, row.boot_id, row.provenance = who.pid, who.start_ticks, who.boot_id, known
        session.add(row)


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
        row = session.get_one(Job, job.id)
        if row.worker == job.worker and row.attempt == job.attempt:
            end_attempt(session, row, outcome, None, Left())
