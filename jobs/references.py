"""What a spec refers to in the store: models by name ('variant:…'), by the job that trains them ('job:…') or by the
endpoint that serves them ('remote:…'), the files that a job leaves for others, by that job, and the texts of a rating
round ('round:…'), which are written out as a file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session, col, select

from lab.core.errors import Fault, LabError, nearest
from lab.core.spec import Spec
from lab.core.types import ModelSource
from lab.rating.round_texts import ROUND, round_lines
from lab.synthesis.specs import EMBEDDED, RULE
from storage.files import Home
from storage.queries.endpoints import PREFIX, get_endpoint
from storage.queries.jobs import find_job
from storage.queries.round_units import round_texts
from storage.queries.studies import get_variant, model_source
from storage.tables import Job, Variant

TRAINING_KINDS = ("sft", "dpo", "ppo", "grpo", "rloo")


@dataclass(frozen=True)
class LeftFile:
    """A file that jobs of some kinds leave in artifacts/ for others."""

    name: str
    kinds: tuple[str, ...]

    @property
    def of_kind(self) -> str:
        return f"of kind {' or '.join(self.kinds)}"


# Field of a spec that names a job → what is read of that job.
LEFT_FILES = {
    "pairs": LeftFile("pairs.jsonl", ("pairs",)),
    "run": LeftFile("samples.jsonl", ("benchmark", "suite")),
    "problems": LeftFile("problems-sft.jsonl", ("problems",)),
}
ONE_MODEL = ("model", "start", "teacher", "verifier", "thinker", "judge")  # fields of a spec that name a model
MORE_MODELS = ("models", "solvers")
NO_MODEL = (EMBEDDED, RULE)  # what may stand there and is nothing to look up
UNITS = "units"  # field of a spec that names a round
NAMED = 20  # jobs that a message lists


def model_refs(spec: Spec) -> list[str]:
    """The models a spec names, in order; none for a spec that uses no trained model."""
    return [ref for _, ref in _fields(spec)]


def _fields(spec: Spec) -> list[tuple[str, str]]:
    fields: list[tuple[str, str]] = []
    for name in ONE_MODEL:
        if isinstance(ref := getattr(spec, name, None), str) and ref:
            fields.append((name, ref))
    for name in MORE_MODELS:
        fields += [(f"{name}.{index}", ref) for index, ref in enumerate(getattr(spec, name, ()))]
    return [(name, ref) for name, ref in fields if ref not in NO_MODEL]


def file_refs(spec: Spec) -> list[tuple[str, str]]:
    """(field, 'job:…') of each file that another job leaves for this spec."""
    found = [(field, getattr(spec, field, None)) for field in LEFT_FILES]
    return [(field, ref) for field, ref in found if isinstance(ref, str) and ref.startswith("job:")]


def check_references(session: Session, spec: Spec) -> list[Fault]:
    """Faults of references that mean nothing in this store."""
    faults = []
    for field, ref in _fields(spec):
        if ref.startswith(("variant:", PREFIX)):
            look_up = get_endpoint if ref.startswith(PREFIX) else get_variant
            try:
                look_up(session, ref)
            except LabError as error:
                faults.append(Fault(field, str(error), ref))
        elif ref.startswith("job:"):
            faults += _job_faults(session, field, ref)
    faults += [fault for field, ref in file_refs(spec) for fault in _file_faults(session, field, ref)]
    return faults + [fault for ref in round_refs(spec) for fault in _round_faults(session, ref)]


def round_refs(spec: Spec) -> list[str]:
    """'round:…' of the rounds whose texts a spec uses."""
    ref = getattr(spec, UNITS, None)
    return [ref] if isinstance(ref, str) and ref.startswith(ROUND) else []


def _round_faults(session: Session, ref: str) -> list[Fault]:
    try:
        _, units = round_texts(session, ref)
    except LabError as error:
        return [Fault(UNITS, str(error), ref)]
    return [] if units else [Fault(UNITS, f"'{ref}' has no units", ref)]


def _file_faults(session: Session, field: str, ref: str) -> list[Fault]:
    job, left = find_job(session, ref), LEFT_FILES[field]
    if job is None:
        newest = select(Job.uid).where(col(Job.kind).in_(left.kinds)).order_by(col(Job.id).desc()).limit(NAMED)
        known = [f"job:{other}" for other in session.exec(newest)]
        return [Fault(field, f"there is no '{ref}'. {nearest(ref, known)}", ref)]
    if job.kind not in left.kinds:
        said = f"'{ref}' is a job of kind {job.kind}; {left.name} is left by a job {left.of_kind}"
        return [Fault(field, said, ref)]
    return []


def _job_faults(session: Session, field: str, ref: str) -> list[Fault]:
    job = find_job(session, ref)
    if job is None:
        known = [f"variant:{name}" for name in session.exec(select(Variant.name))]
        return [Fault(field, f"there is no '{ref}'. {nearest(ref, known)}", ref)]
    if job.kind not in TRAINING_KINDS:
        return [Fault(field, f"'{ref}' is a job of kind {job.kind}; a model comes from a training job", ref)]
    return []


def needed_jobs(session: Session, spec: Spec) -> list[Job]:
    """The jobs whose models or files the spec uses."""
    refs = [*model_refs(spec), *(ref for _, ref in file_refs(spec))]
    found = [find_job(session, ref) for ref in refs if ref.startswith("job:")]
    return list({job.id: job for job in found if job is not None}.values())


def resolve_models(session: Session, home: Home, spec: Spec) -> dict[str, ModelSource]:
    """Where each model of a spec is now: what the job process is given, since it never opens the store."""
    return {ref: model_source(session, home, ref) for ref in model_refs(spec)}


def resolve_files(session: Session, home: Home, spec: Spec) -> dict[str, str]:
    """Where each file is that another job has left for this spec, and each round's texts, written now.

    LabError when a job's file or a round is not there (any more).
    """
    left = {ref: str(_left_file(session, home, field, ref)) for field, ref in file_refs(spec)}
    return left | {ref: str(_write_round(session, home, ref)) for ref in round_refs(spec)}


def _write_round(session: Session, home: Home, ref: str) -> Path:
    """A round's texts never change, so every job of the round reads the one file."""
    told, units = round_texts(session, ref)
    path = home.path / "rounds" / told.round / "units.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(round_lines(told, units), encoding="utf-8")
    os.replace(temporary, path)
    return path


def _left_file(session: Session, home: Home, field: str, ref: str) -> Path:
    job, left = find_job(session, ref), LEFT_FILES[field]
    path = home.absolute(job.folder) / "artifacts" / left.name if job else None
    if path is None or not path.is_file():
        raise LabError(f"'{ref}' has left no {left.name}. It has to be a job {left.of_kind} that succeeded.",
                       "dependency")
    return path
