"""Which arm a job belongs to: what decides its colour on every page. Reads only."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session, col, select

from storage.tables import Job, Variant


def job_arms(session: Session, jobs: Sequence[Job]) -> dict[int, str]:
    """Job number → arm. A training job's is its target or that of its start, a benchmark's that of its model."""
    refs = {job.id: str(job.spec.get("model", "")) for job in jobs if job.kind == "benchmark"}
    refs |= {job.id: str(job.spec["start"]) for job in jobs if "target" not in job.spec and job.spec.get("start")}
    targets = _targets(session, set(refs.values()))
    arms = {job_id: targets.get(ref, "base") for job_id, ref in refs.items()}
    return arms | {job.id: str(job.spec.get("target", "base")) for job in jobs if "target" in job.spec}


def _targets(session: Session, refs: set[str]) -> dict[str, str]:
    """Reference → target, for the references that name something trained."""
    names = {ref.removeprefix("variant:") for ref in refs if ref.startswith("variant:")}
    uids = {ref.removeprefix("job:") for ref in refs if ref.startswith("job:")}
    found = {}
    for name, target in session.exec(select(Variant.name, Variant.target).where(col(Variant.name).in_(names))):
        found[f"variant:{name}"] = target
    jobs = list(session.exec(select(Job).where(col(Job.uid).in_(uids)).order_by(col(Job.id))))  # a start comes first
    earlier = {job.spec["start"] for job in jobs if "target" not in job.spec and job.spec.get("start")}
    if earlier - refs:
        found |= _targets(session, earlier | refs)  # a chain of methods ends at the one that had a target
    for job in jobs:
        untaught = "trace" if "start" in job.spec else "base"  # as the variant is stored, see jobs.results
        found[f"job:{job.uid}"] = str(job.spec.get("target") or found.get(job.spec.get("start", ""), untaught))
    return found
