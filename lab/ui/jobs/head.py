"""The top of a job's detail: what it is, where it stands now, what it has cost, and what is wrong if something is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from jobs.references import TRAINING_KINDS
from lab.ui.components.health import health_flag
from lab.ui.components.html import (
    Html,
    ago,
    duration,
    error,
    fact_list,
    join,
    link,
    log_tail,
    note,
    progress_bar,
    state_badge,
    tag,
)
from lab.ui.jobs import cluster
from lab.ui.jobs.advice import ADVICE, TITLES
from lab.ui.jobs.cost import cost, device_kind, energy_facts
from lab.ui.jobs.listing import job_title, queued_badge, result_words, run_seconds
from lab.ui.jobs.story import story, times
from lab.ui.jobs.waiting import Waiting, waiting

if TYPE_CHECKING:
    from lab.ui.jobs.board import Board, Chosen
    from lab.ui.jobs.saved import Saved
    from storage.tables import Job


@dataclass(frozen=True)
class Words:
    """What the job's folder and the settings add to the row. `price`: of one GPU-hour, 0 where none is set."""

    saved: Saved | None
    resumes: bool
    tail: str = ""
    price: float = 0


def head(board: Board, chosen: Chosen, words: Words) -> Html:
    job = chosen.job
    assert job.id is not None
    flag = health_flag((job.result or {}).get("health"))
    title = tag("h2", f"Job {job.id} · ", job_title(job, board.arms.get(job.id)), flag)
    step = words.saved.step if words.saved and words.resumes else 0
    return join([
        title, cluster.away(job), _situation(job, board), _in_slurm(job), story(job, chosen.attempts, step),
        _memory(job), fact_list(_facts(job, chosen, words)), _trouble(job, words),
    ])


def _situation(job: Job, board: Board) -> Html:
    """One line on where the job stands now."""
    if job.state == "queued":
        place = waiting(job, board.queue)
        return tag("div", tag("span", queued_badge(job, place)), tag("span", _why(place)), cls="situation")
    now: object = ""
    if job.state in ("starting", "running"):
        now = progress_bar(job.progress_done, job.progress_total, job.progress_text, job.eta_s)
    elif job.state == "succeeded" and job.result:
        now = result_words(job.result)
    ending = tag("span", "ending: it is asked to save and stop") if _ending(job) else None
    in_slurm = tag("span", words) if (words := cluster.situation(job)) and job.finished_at is None else None
    return tag("div", state_badge(job.state), in_slurm, ending, now, cls="situation")


def _in_slurm(job: Job) -> Html | None:
    return note(words) if job.state != "queued" and (words := cluster.sentence(job)) else None


def _ending(job: Job) -> bool:
    return job.desired == "cancel" and job.finished_at is None


def _why(place: Waiting) -> Html:
    if place.needs and place.why.startswith("waits for"):
        return join(["waits for ", join((link(f"/jobs?id={other}", f"job {other}") for other in place.needs), ", ")])
    if place.why == "no worker runs":
        return join(["no worker runs, so nothing starts. Start one: ", tag("code", "python -m jobs worker")])
    return join([place.why])


def _facts(job: Job, chosen: Chosen, words: Words) -> list[tuple[str, object]]:
    pairs: list[tuple[str, object]] = [("queued", ago(job.created_at))]
    if job.started_at and job.state != "queued":
        pairs.append(("started", ago(job.started_at)))
        pairs.append(("ran for" if job.finished_at else "running for", duration(run_seconds(job))))
    if job.attempt:
        pairs.append(("cost so far" if job.finished_at is None else "cost", _cost(job, chosen, words.price)))
    pairs += energy_facts(job)
    if words.resumes and words.saved:
        pairs.append(("checkpoint", words.saved.words))
    if job.host:
        pairs.append(("machine", job.host))
    pairs += cluster.facts(job)
    if job.priority:
        pairs.append(("priority", job.priority))
    if job.devices > 1:
        pairs.append(("devices", job.devices))
    if job.attempt > 1:
        pairs.append(("attempt", job.attempt))
    if job.state == "succeeded" and job.kind in TRAINING_KINDS:
        pairs.append(("left", link(f"/models?variant=job:{job.uid}", "its model")))
    if job.study_id:
        pairs.append(("study", link(f"/results?study={job.study_id}", f"study {job.study_id}")))
    if job.parent_id:
        pairs.append(("runs again", link(f"/jobs?id={job.parent_id}", f"job {job.parent_id}")))
    return pairs


def _cost(job: Job, chosen: Chosen, price: float) -> str:
    kind = device_kind(chosen.attempts[-1].on) if chosen.attempts else ""
    return cost(job, datetime.now(UTC), kind, price).words


def _memory(job: Job) -> Html | None:
    """A training that ran out of memory says what it did about it."""
    count, lowered = job.facts.get("out_of_memory"), job.facts.get("micro_batch_size")
    if not count or not lowered:
        return None
    return tag("p", f"Micro-batch lowered to {lowered} after running out of memory {times(int(count))}; the effective "
               "batch is unchanged.", cls="story")


def _trouble(job: Job, words: Words) -> Html | None:
    if job.state == "cancelled":
        return note(job.message or TITLES["cancelled"])
    if job.state != "failed":
        return None
    reason = job.reason or "bug"
    box = error(TITLES.get(reason, reason), job.message, ADVICE.get(reason, ADVICE["bug"]))
    return join([box, tag("h3", "The end of its log"), log_tail(words.tail, "end of the log")])
