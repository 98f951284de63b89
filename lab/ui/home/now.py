"""What runs now and what ended lately."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.ui.components.html import ago, card, duration, empty, link, progress_bar, state_badge
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.table import Column, Row, table
from lab.ui.jobs.advice import TITLES
from lab.ui.jobs.listing import job_title, outcome
from storage.database import Session
from storage.queries.arms import job_arms
from storage.queries.board import lost_and_waiting, paused_since
from storage.queries.jobs import counts_by_state, list_jobs, workers
from storage.queries.queue import line
from storage.queries.studies import get_study, study_state
from storage.tables import ENDED

if TYPE_CHECKING:

    from storage.tables import Job

ACTIVE = ("starting", "running")
MOST_STUDIES = 3
NO_WORKER = "Jobs wait, and no worker is running. Start one in a terminal: "


def running_now(session: Session) -> Html:
    """Studies in progress, the jobs that run, those that were lost, and why nothing starts if nothing does."""
    counts = counts_by_state(session)
    active, n_active = list_jobs(session, states=ACTIVE, sort="id", limit=6)
    waiting, _ = list_jobs(session, states=("queued",), sort="id", limit=200)
    lost = lost_and_waiting(session)
    studies = dict.fromkeys(job.study_id for job in [*active, *waiting] if job.study_id)
    arms = job_arms(session, [*active, *lost])
    parts = [
        *_warnings(session, counts["queued"]),
        *(_study(session, study_id) for study_id in list(studies)[:MOST_STUDIES]),
        *(_job(job, arms.get(job.id)) for job in active), *(_lost(job, arms.get(job.id)) for job in lost),
    ]
    if not parts:
        return card("Now", empty("Nothing runs", "Plan a study: the same data with and without reasoning traces.",
                                 "/train", "Plan a study"))
    foot = f"{n_active} running, {counts['queued']} waiting{_until_the_last(session)} · "
    return card("Now", join(parts), tag("span", foot, link("/jobs?state=Active", "all active jobs")))


def _warnings(session: Session, n_queued: int) -> list[Html]:
    """Why nothing starts: the queue is paused, or there is no worker."""
    found = []
    since = paused_since(session)
    if since is not None:
        words = f": nothing new starts, {n_queued} {'job waits' if n_queued == 1 else 'jobs wait'}. "
        found.append(tag("p", tag("b", "The queue is paused"), " (", ago(since), ")", words,
                         link("/jobs?state=Queued", "Resume it on the Jobs page"), cls="lab-banner"))
    if n_queued and not workers(session):
        found.append(tag("p", NO_WORKER, tag("code", "python -m jobs worker"), cls="lab-banner"))
    return found


def _until_the_last(session: Session) -> str:
    """', the last starts in about 12 min', where that can be told."""
    if paused_since(session) is not None or not workers(session):
        return ""
    starts = [place.seconds for place in line(session).values()]
    known = [seconds for seconds in starts if seconds is not None]
    if not known or len(known) < len(starts):
        return ""
    return f", the last starts in about {duration(60 * max(1, round(max(known) / 60)))}"


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
    again = f"attempt {job.attempt}" if job.attempt > 1 else None
    return tag("div", name, outcome(job), tag("small", again) if again else None, cls="now-job")


def _lost(job: Job, arm: str | None) -> Html:
    """A job whose process went away: it has not failed, it waits to go on."""
    name = tag("a", job_title(job, arm), href=f"/jobs?id={job.id}", cls="row-link line")
    goes_on = f"goes on from step {job.checkpoint_step}" if job.checkpoint_step else "starts over"
    words = f" its process went away; it waits in the line and {goes_on}"
    return tag("div", name, tag("div", state_badge("lost"), words), cls="now-job")


def lately(session: Session) -> Html:
    """The jobs that ended last, with what came of them."""
    jobs, _ = list_jobs(session, states=ENDED, sort="-finished_at", limit=8)
    if not jobs:
        return card("New", empty("Nothing has ended yet", "Finished trainings and benchmarks are listed here."))
    arms = job_arms(session, jobs)
    rows = [
        Row([job_title(job, arms.get(job.id)),
             join([state_badge(job.state), " ", outcome(job), _why(job), tag("small", ago(job.finished_at))])],
            href=f"/jobs?id={job.id}")
        for job in jobs
    ]
    columns = [Column("Job"), Column("Result", wide=True)]
    return card("New", table(columns, rows, caption="Jobs that ended last"), link("/jobs", "all jobs"))


def _why(job: Job) -> Html | None:
    """'Lost again and again': why a job failed."""
    return tag("small", TITLES.get(job.reason or "bug", job.reason)) if job.state == "failed" else None
