"""One look at the store for the whole Jobs page: a page of the list, the line, the devices, one job. One read session.

What is read here is drawn elsewhere; files of a job (log, checkpoints) are read after the session has ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from lab.core.errors import LabError
from lab.ui.jobs.curves import Drawn
from lab.ui.jobs.story import Attempt, attempts, resumed_at
from lab.ui.jobs.waiting import Queue
from storage.queries.arms import job_arms
from storage.queries.board import Wanted, holders, page_of_jobs, paused_since, unmet_needs
from storage.queries.jobs import LIVE_S, counts_by_state, events, get_job, needed_by, needs, workers
from storage.queries.queue import devices, line
from storage.tables import Device, Job, JobEvent, Worker, now

if TYPE_CHECKING:
    from lab.ui.components.markup import Html
    from storage.database import Session, Store

PAGE_ROWS = 20
ACTIVE = ("starting", "running")
FILTERS: dict[str, tuple[str, ...] | None] = {
    "All": None,
    "Active": ("queued", *ACTIVE),
    "Queued": ("queued",),
    "Running": ACTIVE,
    "Succeeded": ("succeeded",),
    "Failed": ("failed",),
    "Cancelled": ("cancelled",),
    "Lost at least once": None,
}
WAS_LOST = "Lost at least once"
BY_LINE = ("Active", "Queued")  # listed as they will start, not by age


@dataclass(frozen=True)
class View:
    """What the reader chose to see; it is kept in the page's address."""

    state: str = "All"
    study: int | None = None
    search: str = ""
    page: int = 1

    @property
    def filtered(self) -> bool:
        return self.state != "All" or self.study is not None or bool(self.search.strip())

    @property
    def wanted(self) -> Wanted:
        return Wanted(FILTERS.get(self.state), self.study, self.search, self.state == WAS_LOST)


@dataclass(frozen=True)
class Chosen:
    """The job shown whole, with its neighbours and what it reported."""

    job: Job
    events: Sequence[JobEvent]
    attempts: Sequence[Attempt]
    needs: Sequence[Job]
    needed_by: Sequence[Job]
    curves: Html


@dataclass(frozen=True)
class Board:
    """What one look found. `problem`: why the chosen job cannot be shown."""

    view: View
    jobs: Sequence[Job] = ()
    total: int = 0
    n_listed: int = 0  # without those that were put on top
    counts: Mapping[str, int] = field(default_factory=dict)
    queue: Queue = field(default_factory=Queue)
    holders: Mapping[int, Job] = field(default_factory=dict)
    workers: Sequence[Worker] = ()
    arms: Mapping[int, str] = field(default_factory=dict)
    chosen: Chosen | None = None
    problem: LabError | None = None


def look(store: Store, view: View, selected: str, drawn: Drawn) -> Board:
    """Everything the page shows. An unknown `selected` is told where the job would be."""
    with store.read() as session:
        chosen, problem = None, None
        if selected:
            try:
                chosen = get_job(session, selected)
            except LabError as error:
                problem = error
        view, jobs, n_listed, total = _listed(session, view)
        machines = devices(session)
        holding = holders(session, machines)
        shown = {job.id: job for job in [*jobs, *holding.values(), *([chosen] if chosen else [])]}
        arms = job_arms(session, list(shown.values()))
        known = workers(session, live_only=False)
        return Board(
            view, jobs, total, n_listed, counts_by_state(session),
            _queue(session, [job_id for job_id in shown if job_id], machines, known), holding, known, arms,
            chosen and _chosen(session, chosen, arms, drawn), problem,
        )


def _listed(session: Session, view: View) -> tuple[View, list[Job], int, int]:
    """(the page that is shown, its jobs, how many of them are of it by right, all). Without a filter, what runs is on
    top. A page that is no more, because its jobs have left the filter, becomes the last one."""
    by_line = view.state in BY_LINE
    jobs, total = page_of_jobs(session, view.wanted, (view.page - 1) * PAGE_ROWS, PAGE_ROWS, by_line)
    if not jobs and total:
        view = replace(view, page=-(-total // PAGE_ROWS))
        jobs, total = page_of_jobs(session, view.wanted, (view.page - 1) * PAGE_ROWS, PAGE_ROWS, by_line)
    n_listed = len(jobs)
    if view.state == "All" and view.page == 1:
        running, _ = page_of_jobs(session, Wanted(ACTIVE, view.study, view.search), limit=PAGE_ROWS)
        jobs = list({job.id: job for job in [*running, *jobs]}.values())
    return view, jobs, n_listed, total


def _queue(session: Session, shown: list[int], machines: Sequence[Device], known: Sequence[Worker]) -> Queue:
    oldest = now() - timedelta(seconds=LIVE_S)
    alive = frozenset(worker.host for worker in known if worker.heartbeat_at > oldest)
    return Queue(line(session), unmet_needs(session, shown), machines, alive, paused_since(session))


def _chosen(session: Session, job: Job, arms: Mapping[int, str], drawn: Drawn) -> Chosen:
    assert job.id is not None
    told = events(session, job.id)
    tried = attempts(told)
    curves = drawn.get(session, job, arms.get(job.id) or "base", resumed_at(tried))
    return Chosen(job, told, tried, needs(session, job.id), needed_by(session, job.id), curves)
