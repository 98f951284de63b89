"""The list of jobs: twenty rows at a time, filtered in the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lab.ui.components.html import ago, chip, duration, empty, percent, progress_bar, state_badge
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.table import Column, Row, table
from lab.ui.jobs.advice import TITLES
from storage.queries.arms import job_arms
from storage.queries.jobs import list_jobs, queue_position
from storage.queries.studies import list_studies

if TYPE_CHECKING:
    from storage.database import Store
    from storage.tables import Job

PAGE_ROWS = 20
FILTERS: dict[str, tuple[str, ...] | None] = {
    "All": None,
    "Active": ("queued", "starting", "running"),
    "Queued": ("queued",),
    "Running": ("starting", "running"),
    "Succeeded": ("succeeded",),
    "Failed": ("failed",),
    "Cancelled": ("cancelled",),
}
COLUMNS = [
    Column("No.", number=True), Column("Job"), Column("State and result", wide=True),
    Column("Started", hint="when it started, and how long it ran"),
]


KIND_WORDS = {"sft": "training", "answers": "answer bank", "engine": "chat engine"}


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


@dataclass(frozen=True)
class Listing:
    html: Html
    position: Html
    n_pages: int


def read_listing(store: Store, view: View, selected: str) -> Listing:
    """The table of one page, with the selected job marked. Without a filter by state, what runs now is on top."""
    with store.read() as session:
        jobs, total = list_jobs(
            session, FILTERS.get(view.state), view.study, view.search,
            offset=(view.page - 1) * PAGE_ROWS, limit=PAGE_ROWS,
        )
        n_listed = len(jobs)
        if view.state == "All" and view.page == 1:
            running, _ = list_jobs(session, FILTERS["Running"], view.study, view.search, limit=PAGE_ROWS)
            jobs = list({job.id: job for job in [*running, *jobs]}.values())
        arms = job_arms(session, jobs)
        places = {job.id: queue_position(session, job) for job in jobs if job.state == "queued"}
    n_pages = max(1, -(-total // PAGE_ROWS))
    if not jobs:
        return Listing(_nothing(view), tag("span", "0 jobs", cls="note"), n_pages)
    rows = [_row(job, arms.get(job.id), places.get(job.id), str(job.id) == selected) for job in jobs]
    first = (view.page - 1) * PAGE_ROWS + 1
    position = tag("span", f"{first}–{first + n_listed - 1} of {total}", cls="note")
    return Listing(table(COLUMNS, rows, caption="Jobs"), position, n_pages)


def study_choices(store: Store) -> list[tuple[str, str]]:
    """(label, number as text) of the newest studies, for the filter."""
    with store.read() as session:
        studies, _ = list_studies(session, limit=200)
    return [("All studies", ""), *((f"{study.id} · {study.name}", str(study.id)) for study in studies)]


def _nothing(view: View) -> Html:
    if view.filtered:
        return empty("No job matches", "Choose another state or study, or search for less.", "/jobs", "Show all jobs")
    return empty("No jobs yet", "What you launch runs here.", "/train", "Plan a study")


def _row(job: Job, arm: str | None, place: int | None, selected: bool) -> Row:
    cells = [job.id, job_title(job, arm), _state(job, place), _times(job)]
    return Row(cells, href=f"/jobs?id={job.id}", selected=selected)


def job_title(job: Job, arm: str | None) -> Html:
    """A job's model as a chip, and below it what is done with it."""
    benchmark, on, model = job.name.partition(" on ")
    if job.kind == "benchmark" and on:
        return join([chip(model, arm or "base"), tag("small", f"benchmark {benchmark}")])
    name = chip(job.name, arm) if arm else tag("span", job.name)
    return join([name, tag("small", KIND_WORDS.get(job.kind, job.kind))])


def _state(job: Job, place: int | None) -> Html:
    ending = job.desired == "cancel" and job.finished_at is None
    below = "ending" if ending else f"no. {place} in line" if place else ""
    if job.state in ("failed", "cancelled") and job.reason:
        below = TITLES.get(job.reason, job.reason)
    return join([state_badge(job.state), " ", outcome(job), tag("small", below) if below else None])


def outcome(job: Job) -> Html:
    """How far a job is, or what it came to."""
    if job.state in ("starting", "running"):
        return progress_bar(job.progress_done, job.progress_total, job.progress_text, job.eta_s)
    if job.state == "succeeded" and job.result:
        return result_words(job.result)
    return Html("")


def result_words(result: dict[str, Any]) -> Html:
    """The one figure of a result, with what must stand beside it."""
    if "accuracy" in result and "n" in result:
        reach = f"{100 * result['ci_low']:.0f} to {100 * result['ci_high']:.0f}, n {result['n']}"
        return join([percent(result["accuracy"]), tag("small", reach)])
    if result.get("final_loss") is not None:
        return join([f"loss {result['final_loss']:.3g}", tag("small", f"{result.get('n_steps', '–')} steps")])
    if "n_questions" in result:
        return join([f"{result['n_questions']} questions", tag("small", f"{len(result.get('models', []))} models")])
    return Html("")


def _times(job: Job) -> Html:
    if job.started_at is None:
        return tag("small", "queued ", ago(job.created_at))
    return join([ago(job.started_at), tag("small", duration(run_seconds(job)))])


def run_seconds(job: Job) -> float | None:
    if job.started_at is None:
        return None
    return ((job.finished_at or datetime.now(UTC)) - job.started_at).total_seconds()
