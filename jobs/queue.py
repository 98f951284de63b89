"""What people ask of the queue: submit, cancel, retry, re-run. Writes rows; the worker does the rest.

Pages and the command line write `desired` and new rows; `state` of a job that has started is the worker's alone.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

import lab
from jobs.catalog import specs, tasks
from jobs.differences import differences
from jobs.own_files import check_own_files, with_full_paths
from jobs.references import check_references, model_refs, needed_jobs
from jobs.slurm.stored import profile_names, read_profile
from lab.benchmarks.judging import JudgeSpec
from lab.benchmarks.resolving import label
from lab.benchmarks.specs import SuiteSpec
from lab.core.errors import LabError, SpecError
from lab.core.settings import Settings
from lab.core.spec import Spec, load_spec, read_recipe
from lab.reports.asked import titled
from lab.studies.plan import Planned, plan
from lab.synthesis.specs import MapSpec, TeacherSettings
from storage.database import Store
from storage.queries.jobs import get_job, needed_by, needs
from storage.queries.queue import next_rank
from storage.queries.studies import get_study, study_jobs
from storage.tables import ENDED, Job, JobDependency, JobEvent, Study, now

DEMO_STUDY = Path(lab.__file__).parent / "recipes" / "demo" / "study.yaml"


@dataclass(frozen=True)
class Submitted:
    """What a submit made: one job, or a study and its jobs in planned order."""

    jobs: list[Job]
    study: Study | None = None


@dataclass(frozen=True)
class Wish:
    """How a submitter wants it run: higher priority starts first; `run_on` "" is a worker's own machine, else a cluster
    profile as "slurm:<name>"."""

    priority: int = 0
    run_on: str = ""


NO_WISH = Wish()
ENGINE_WISH = Wish(priority=10)  # somebody sits and waits for an answer
SAME_ENGINE = ("base", "backend", "precision")  # fields of its spec in which two engines that give the same agree


@dataclass(frozen=True)
class _Draft:
    """A job before it has a row."""

    kind: str
    given: Mapping[str, Any]
    spec: Spec
    name: str


def submit(
    store: Store, kind: str, values: Mapping[str, Any], wish: Wish = NO_WISH, *, parent: int | None = None,
    demo: bool = False,
) -> Submitted:
    """Validate and queue. Raises SpecError with every fault; nothing is stored then. A study is one transaction."""
    spec = load_spec(specs()[kind], with_full_paths(values))
    faults = check_own_files(spec)
    if faults:
        raise SpecError(faults, kind)
    check_wish(store, wish)
    if isinstance(spec, Planned):
        return _submit_study(store, spec, wish, demo)
    with store.write() as session:
        _refuse_faults(session, spec)
        job = _add(session, _Draft(kind, values, spec, job_name(spec)), wish, parent_id=parent)
        _add_needs(session, job, needed_jobs(session, spec))
    return Submitted([job])


def check_wish(store: Store, wish: Wish) -> None:
    """LabError when the place it should run on is not known, or its profile has faults."""
    place, _, name = wish.run_on.partition(":")
    if not wish.run_on:
        return
    if place != "slurm":
        known = ", ".join(f"slurm:{profile}" for profile in profile_names(store.home)) or "none yet"
        raise LabError(f"'{wish.run_on}' is no place to run on. Leave it out for a worker's own machine, or name a "
                       f"Slurm profile ({known}).", "spec")
    read_profile(store.home, name)


def _submit_study(store: Store, spec: Planned, wish: Wish, demo: bool) -> Submitted:
    planned = plan(spec)
    uids = {item.key: new_uid() for item in planned}
    drafts = []
    for item in planned:
        values = item.with_uids(uids)
        drafts.append(_Draft(item.kind, values, load_spec(specs()[item.kind], values, item.name), item.name))
    with store.write() as session:
        _refuse_faults(session, spec)
        study = Study(name=spec.name, kind=spec.kind, spec=spec.as_dict(), demo=demo)
        session.add(study)
        session.flush()
        rows: dict[str, Job] = {}
        for item, draft in zip(planned, drafts, strict=True):
            job = _add(session, draft, wish, study_id=study.id, uid=uids[item.key])
            rows[item.key] = job
            _add_needs(session, job, [rows[key] for key in item.needs])
    return Submitted(list(rows.values()), study)


def _add(session: Session, draft: _Draft, wish: Wish, uid: str | None = None, **columns: Any) -> Job:
    uid, needs = uid or new_uid(), tasks()[draft.kind].needs(draft.spec)
    job = Job(
        uid=uid, kind=draft.kind, name=draft.name, folder=f"jobs/{uid}", priority=wish.priority, run_on=wish.run_on,
        devices=needs.devices, memory_mib=needs.memory_mib, lane=needs.lane, rank=next_rank(session),
        spec_given=_plain(draft.given), spec=draft.spec.as_dict(), spec_sha=draft.spec.sha(), **columns,
    )
    session.add(job)
    session.flush()
    session.add(JobEvent(job_id=job.id, state="queued", why="submitted"))
    return job


def _add_needs(session: Session, job: Job, needed: list[Job]) -> None:
    for other in needed:
        session.add(JobDependency(job_id=job.id, needs_id=other.id))


def _refuse_faults(session: Session, spec: Spec) -> None:
    faults = check_references(session, spec)
    if faults:
        raise SpecError(faults, spec.kind)


def new_uid() -> str:
    """12 characters that name a job in paths, references and process marks."""
    return secrets.token_hex(6)


def job_name(spec: Spec) -> str:
    """What lists show for a job that was submitted alone."""
    if hasattr(spec, "variant_name"):
        return spec.variant_name()
    if isinstance(spec, SuiteSpec):
        n = len(spec.models)
        return f"{n} model{'' if n == 1 else 's'} on {', '.join(map(label, spec.benchmarks))}"
    values = spec.as_dict()
    if values.get("name"):
        return str(values["name"])
    if isinstance(spec, JudgeSpec):
        return f"{spec.model} judges {spec.run}{f' ({spec.part})' if spec.part else ''}"
    if "units" in values:
        return f"{spec.kind} of {values['units']}{f' by {spec.model}' if getattr(spec, 'model', '') else ''}"
    if isinstance(spec, MapSpec):
        return f"map of {label(spec.dataset)}"
    if isinstance(spec, TeacherSettings):
        source = next(str(values[field]) for field in ("dataset", "problems", "texts") if field in values)
        return f"{spec.kind} from {label(source)} by {spec.teacher}"
    subject = ", ".join(model_refs(spec)) or str(values.get("base", ""))
    asked = label(values["benchmark"]) if values.get("benchmark") else spec.kind
    return titled(f"{asked} on {subject}", values) if subject else spec.kind


def _plain(value: Any) -> Any:
    """JSON-ready: what was given may hold tuples."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def request_cancel(store: Store, job_id: int | str) -> Job:
    """Ask for a job to end. A queued one is cancelled at once, a running one by the worker; an ended one stays."""
    with store.write() as session:
        job = get_job(session, job_id)
        _cancel(session, job)
    return job


def cancel_study(store: Store, study_id: int) -> list[Job]:
    """Cancel every job of a study that has not ended; returns them."""
    with store.write() as session:
        get_study(session, study_id)
        jobs = [job for job in study_jobs(session, study_id) if job.state not in ENDED]
        for job in jobs:
            _cancel(session, job)
    return jobs


def _cancel(session: Session, job: Job) -> None:
    if job.state in ENDED:
        return
    job.desired = "cancel"
    if job.state == "queued":
        job.state, job.reason, job.message = "cancelled", "cancelled", "Cancelled before it started."
        job.finished_at = now()
        session.add(JobEvent(job_id=job.id, state="cancelled", why="cancelled before it started"))
    session.add(job)


def retry(store: Store, job_id: int | str, *, from_start: bool = False) -> Job:
    """Queue a failed or cancelled job again, in its own row; what it needs and what was cancelled with it come back.

    A kind that resumes goes on from the last whole checkpoint, unless it is to start over.
    """
    if from_start:
        _forget_checkpoints(store, job_id)
    with store.write() as session:
        job = get_job(session, job_id)
        if job.state not in ("failed", "cancelled"):
            raise LabError(f"job {job.id} is {job.state}; only a failed or cancelled job can be retried. "
                           f"`rerun {job.id}` runs it once more as a new job.", "spec")
        if from_start:
            job.checkpoint_step = 0
        for row in _with_neighbours(session, job):
            whole = store.home.job(row.uid).checkpoints.last_whole()
            goes_on = f": goes on from step {whole.step}" if whole else ""
            _queue_again(session, row, ("retried" if row is job else f"retried with job {job.id}") + goes_on)
    return job


def _forget_checkpoints(store: Store, job_id: int | str) -> None:
    with store.read() as session:
        job = get_job(session, job_id)
    if job.state in ("failed", "cancelled"):
        store.home.job(job.uid).checkpoints.clear()


def _with_neighbours(session: Session, job: Job) -> list[Job]:
    """The job, the ended-without-success jobs it needs (all the way up), and the dependants they took with them."""
    found: dict[int | None, Job] = {}
    waiting = [job]
    while waiting:
        row = waiting.pop()
        if row.id in found:
            continue
        found[row.id] = row
        waiting += [other for other in needs(session, row.id) if other.state in ("failed", "cancelled")]
        waiting += [other for other in needed_by(session, row.id) if other.reason == "dependency"]
    return list(found.values())


def _queue_again(session: Session, job: Job, why: str) -> None:
    job.state, job.desired, job.reason, job.message, job.exit_code = "queued", "run", None, None, None
    job.progress_done = job.progress_total = 0
    job.progress_text, job.eta_s, job.started_at, job.finished_at = "", None, None, None
    job.worker = job.host = job.pid = job.start_ticks = job.boot_id = None
    job.losses, job.cluster = 0, {}
    session.add(job)
    session.add(JobEvent(job_id=job.id, state="queued", why=why))


def rerun(store: Store, job_id: int | str, wish: Wish = NO_WISH) -> tuple[Job, list[str]]:
    """Queue the stored spec once more as a child, and list what differs now (code, packages, machine, inputs)."""
    with store.read() as session:
        old = get_job(session, job_id)
    job = submit(store, old.kind, old.spec, wish, parent=old.id).jobs[0]
    return job, differences(old)


def ensure_engine(store: Store, base: str, settings: Settings | None = None) -> Job:
    """The engine job of a base that is queued, starting or running; queues one when there is none.

    One that computes otherwise than the settings say (None: the environment's) is not taken.
    """
    asked = settings or Settings.from_env()
    values = {"base": base, "backend": asked.engine_backend, "precision": asked.engine_precision}
    spec = load_spec(specs()["engine"], values)
    with store.write() as session:
        query = select(Job).where(Job.kind == "engine", Job.desired == "run", col(Job.state).not_in(ENDED))
        for job in session.exec(query.order_by(col(Job.id).desc())):
            if all(job.spec.get(name) == value for name, value in spec.as_dict().items() if name in SAME_ENGINE):
                return job
        return _add(session, _Draft("engine", values, spec, f"engine of {base}"), ENGINE_WISH)


def queue_demo_study(store: Store) -> Submitted | None:
    """What a newcomer sees at work: the demo study, queued when the store has no job at all."""
    with store.read() as session:
        if session.exec(select(Job.id).limit(1)).first() is not None:
            return None
    kind, values = read_recipe(DEMO_STUDY)
    return submit(store, kind, values, demo=True)
