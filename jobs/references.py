"""What a spec refers to in the store: models by name ('variant:…') or by the job that trains them ('job:…')."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session, select

from lab.core.errors import Fault, LabError, nearest
from lab.core.spec import Spec
from lab.core.types import ModelSource
from storage.files import Home
from storage.queries.jobs import find_job
from storage.queries.studies import get_variant, model_source
from storage.tables import Job, Variant

TRAINING_KINDS = ("sft", "dpo", "ppo", "grpo", "rloo")


def model_refs(spec: Spec) -> list[str]:
    """The models a spec names, in order; none for a spec that uses no trained model."""
    return [ref for _, ref in _fields(spec)]


def _fields(spec: Spec) -> list[tuple[str, str]]:
    fields: list[tuple[str, str]] = []
    for name in ("model", "start"):
        if isinstance(ref := getattr(spec, name, None), str) and ref:
            fields.append((name, ref))
    many: Any = getattr(spec, "models", ())
    return fields + [(f"models.{index}", ref) for index, ref in enumerate(many)]


def check_references(session: Session, spec: Spec) -> list[Fault]:
    """Faults of references that mean nothing in this store."""
    faults = []
    for field, ref in _fields(spec):
        if ref.startswith("variant:"):
            try:
                get_variant(session, ref)
            except LabError as error:
                faults.append(Fault(field, str(error), ref))
        elif ref.startswith("job:"):
            faults += _job_faults(session, field, ref)
    return faults


def _job_faults(session: Session, field: str, ref: str) -> list[Fault]:
    job = find_job(session, ref)
    if job is None:
        known = [f"variant:{name}" for name in session.exec(select(Variant.name))]
        return [Fault(field, f"there is no '{ref}'. {nearest(ref, known)}", ref)]
    if job.kind not in TRAINING_KINDS:
        return [Fault(field, f"'{ref}' is a job of kind {job.kind}; a model comes from a training job", ref)]
    return []


def needed_jobs(session: Session, spec: Spec) -> list[Job]:
    """The training jobs whose models the spec uses."""
    found = [find_job(session, ref) for ref in model_refs(spec) if ref.startswith("job:")]
    return list({job.id: job for job in found if job is not None}.values())


def resolve_models(session: Session, home: Home, spec: Spec) -> dict[str, ModelSource]:
    """Where each model of a spec is now: what the job process is given, since it never opens the store."""
    return {ref: model_source(session, home, ref) for ref in model_refs(spec)}
