"""Maps that jobs have drawn of datasets, for whoever shows one."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session, col, select

from storage.files import Home, read_json
from storage.tables import Job

MOST_LOOKED_AT = 500  # map jobs, newest first


def map_jobs(session: Session, dataset: str) -> list[Job]:
    """Jobs that map this dataset, in whatever state, newest first. `dataset` as their specs have it: files in full."""
    newest = session.exec(select(Job).where(Job.kind == "map").order_by(col(Job.id).desc()).limit(MOST_LOOKED_AT))
    return [job for job in newest if job.spec.get("dataset") == dataset]


def read_map(home: Home, job: Job) -> dict[str, Any] | None:
    """The map that a job has left; None where there is none (yet)."""
    return read_json(home.absolute(job.folder) / "artifacts" / "map.json")
