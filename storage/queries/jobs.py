"""What pages and the command line ask about jobs. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import func, literal, or_, union_all
from sqlmodel import Session, col, select

from lab.core.errors import LabError
from storage.clock import store_now
from storage.tables import (
    STATES,
    Job,
    JobDependency,
    JobEvent,
    Metric,
    Worker,
)

SORTABLE = ("id", "name", "kind", "state", "priority", "created_at", "started_at", "finished_at")
LIVE_S = 10  # a worker without a heartbeat for this long counts as gone


def list_jobs(
    session: Session, states: Sequence[str] | None = None, study_id: int | None = None, search: str = "",
    sort: str = "-id", offset: int = 0, limit: int = 20, kinds: Sequence[str] | None = None,
) -> tuple[list[Job], int]:
    """(rows of this page, number of rows in all). `search` looks in name, kind and uid; '-id' sorts downwards."""
    query = select(Job)
    if states is not None:
        query = query.where(col(Job.state).in_(states))
    if kinds is not None:
        query = query.where(col(Job.kind).in_(kinds))
    if study_id is not None:
        query = query.where(Job.study_id == study_id)
    if search.strip():
        text = search.strip()
        query = query.where(or_(*(col(c).icontains(text, autoescape=True) for c in (Job.name, Job.kind, Job.uid))))
    total = session.exec(select(func.count()).select_from(query.subquery())).one()
    rows = session.exec(query.order_by(*_order(sort)).offset(offset).limit(limit)).all()
    return list(rows), total


def _order(sort: str) -> tuple[Any, ...]:
    name = sort.removeprefix("-")
    if name not in SORTABLE:
        raise LabError(f"jobs cannot be sorted by '{name}'. Known: {', '.join(SORTABLE)}.", "spec")
    down = sort.startswith("-")
    columns = (getattr(Job, name), Job.id)
    # PostgreSQL would put rows without a value at the other end
    return tuple(col(c).desc().nulls_last() if down else col(c).asc().nulls_first() for c in columns)


def find_job(session: Session, id_or_uid: int | str) -> Job | None:
    """A job by its number or its uid."""
    text = str(id_or_uid).removeprefix("job:")
    job = session.exec(select(Job).where(Job.uid == text)).first()
    if job is None and text.isascii() and text.isdigit() and len(text) < 10:
        job = session.get(Job, int(text))
    return job


def get_job(session: Session, id_or_uid: int | str) -> Job:
    """As `find_job`, or LabError with what to do."""
    job = find_job(session, id_or_uid)
    if job is None:
        raise LabError(f"there is no job '{id_or_uid}'. `python -m jobs list` shows the jobs of this store.", "spec")
    return job


def metric_names(session: Session, job_id: int) -> list[str]:
    return list(session.exec(select(Metric.name).where(Metric.job_id == job_id).distinct().order_by(Metric.name)))


def metrics(session: Session, job_id: int, name: str, max_points: int = 500) -> list[tuple[int, float]]:
    """(step, value) by step; NaN where it was not a number. A longer curve is thinned to `max_points` in the store:

    the steps are cut into equal spans, and of each span the points with the least and the greatest value stay, so that
    a spike is never thinned away. The last point always stays.
    """
    mine = (Metric.job_id == job_id, Metric.name == name)
    count, first, last = session.exec(
        select(func.count(), func.min(Metric.step), func.max(Metric.step)).where(*mine)
    ).one()
    query = select(Metric.step, Metric.value).where(*mine).order_by(col(Metric.step), col(Metric.id))
    if count > max_points:
        query = query.where(or_(col(Metric.id).in_(_extremes(mine, first, last, max_points // 2)), Metric.step == last))
    return [(step, float("nan") if value is None else value) for step, value in session.exec(query)]


def _extremes(mine: tuple[Any, ...], first: int, last: int, n_spans: int) -> Any:
    """Ids of the least and the greatest point of each span of steps: two short looks into the index for each. One pass
    with window functions costs five times as much."""
    width = (last - first) // n_spans + 1
    spans = select(literal(0).label("n")).cte("spans", recursive=True)
    spans = spans.union_all(select(spans.c.n + 1).where(spans.c.n < n_spans - 1))
    begin = first + spans.c.n * width
    inside = select(Metric.id).where(*mine, col(Metric.step) >= begin, col(Metric.step) < begin + width)
    ends = (col(Metric.value).asc().nulls_last(), col(Metric.value).desc().nulls_last())
    picks = (inside.order_by(end, col(Metric.id)).limit(1).correlate(spans).scalar_subquery() for end in ends)
    return union_all(*(select(pick).select_from(spans) for pick in picks))


def events(session: Session, job_id: int) -> list[JobEvent]:
    """Every change of state, oldest first."""
    return list(session.exec(select(JobEvent).where(JobEvent.job_id == job_id).order_by(col(JobEvent.id))))


def needs(session: Session, job_id: int) -> list[Job]:
    """The jobs that have to succeed before this one starts."""
    query = select(Job).join(JobDependency, col(JobDependency.needs_id) == col(Job.id))
    return list(session.exec(query.where(JobDependency.job_id == job_id).order_by(col(Job.id))))


def needed_by(session: Session, job_id: int) -> list[Job]:
    """The jobs that wait for this one."""
    query = select(Job).join(JobDependency, col(JobDependency.job_id) == col(Job.id))
    return list(session.exec(query.where(JobDependency.needs_id == job_id).order_by(col(Job.id))))


def counts_by_state(session: Session, study_id: int | None = None) -> dict[str, int]:
    """Every state with its number of jobs, zeros included."""
    query = select(Job.state, func.count()).group_by(Job.state)
    if study_id is not None:
        query = query.where(Job.study_id == study_id)
    found = {state: count for state, count in session.exec(query)}
    return {state: found.get(state, 0) for state in STATES}


def workers(session: Session, live_only: bool = True) -> list[Worker]:
    """The workers whose heartbeat is fresh (or all that ever wrote one), newest first."""
    query = select(Worker).order_by(col(Worker.heartbeat_at).desc())
    if live_only:
        query = query.where(col(Worker.heartbeat_at) > store_now(session) - timedelta(seconds=LIVE_S))
    return list(session.exec(query))
