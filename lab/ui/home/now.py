"""What runs now and what ended lately."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.ui.components.html import ago, card, empty, link, progress_bar, state_badge
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.table import Column, Row, table
from lab.ui.jobs.listing import job_title, outcome
from storage.database import Session
from storage.queries.arms import job_arms
from storage.queries.jobs import counts_by_state, list_jobs, workers
from storage.queries.studies import get_study, study_state
from storage.tables import ENDED

if TYPE_CHECKING:

    from storage.tables import Job

ACTIVE = ("starting", "running")
MOST_STUDIES = 3
NO_WORKER = "Jobs wait, and no worker is running. Start one in a terminal: "


def running_now(session: Session) -> Html:
    """Studies in progress, the jobs that run, and a warning when nothing can start."""
    counts = counts_by_state(session)
    active, n_active = list_jobs(session, states=ACTIVE, sort="id", limit=6)
    waiting, _ = list_jobs(session, states=("queued",), sort="id", limit=200)
    studies = dict.fromkeys(job.study_id for job in [*active, *waiting] if job.study_id)
    parts: list[Html] = []
    if counts["queued"] and not workers(session):
        parts.append(tag("p", NO_WORKER, tag("code", "python -m jobs worker"), cls="lab-banner"))
    parts += [_study(session, study_id) for study_id in list(studies)[:MOST_STUDIES]]
    arms = job_arms(session, active)
    parts += [_job(job, arms.get(job.id)) for job in active]
    if not parts:
        return card("Now", empty("Nothing runs", "Plan a study: the same data with and without reasoning traces.",
                                 "/train", "Plan a study"))
    foot = f"{n_active} running, {counts['queued']} waiting · "
    return card("Now", join(parts), tag("span", foot, link("/jobs?state=Active", "all active jobs")))


def _study(session: Session, study_id: int) -> Html:
    study, state = get_study(session, study_id), study_state(session, study_id)
    counts = state["counts"]
    done = f"{counts['succeeded']} of {state['n_jobs']} jobs done"
    failed = f", {counts['failed']} failed" if counts["failed"] else ""
    name = link(f"/jobs?study={study_id}", study.name)
    about = " This study started by itself, to show the lab at work." if study.demo else ""
    return tag(
        "div", tag("div", tag("b", "Study ", name), " ", state_badge(state["state"]), cls="line"),
        progress_bar(state["progress"], 1, f"{done}{failed}", state["eta_s"]),
        tag("small", about) if about else None, cls="now-study",
    )


def _job(job: Job, arm: str | None) -> Html:
    name = tag("a", job_title(job, arm), href=f"/jobs?id={job.id}", cls="row-link line")
    return tag("div", name, outcome(job), cls="now-job")


def lately(session: Session) -> Html:
    """The jobs that ended last, with what came of them."""
    jobs, _ = list_jobs(session, states=ENDED, sort="-finished_at", limit=8)
    if not jobs:
        return card("New", empty("Nothing has ended yet", "Finished trainings and benchmarks are listed here."))
    arms = job_arms(session, jobs)
    rows = [
        Row([job_title(job, arms.get(job.id)),
             join([state_badge(job.state), " ", outcome(job), tag("small", ago(job.finished_at))])],
            href=f"/jobs?id={job.id}")
        for job in jobs
    ]
    columns = [Column("Job"), Column("Result", wide=True)]
    return card("New", table(columns, rows, caption="Jobs that ended last"), link("/jobs", "all jobs"))
