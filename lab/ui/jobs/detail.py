"""One job, whole: how it goes, its curves, its log, its spec as given and as resolved, where it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.core.errors import LabError
from lab.core.spec import to_yaml
from lab.ui.components.curve import Series, curve_plot
from lab.ui.components.html import (
    Html,
    ago,
    duration,
    empty,
    error,
    fact_list,
    failure,
    join,
    link,
    log_tail,
    note,
    progress_bar,
    state_badge,
    tag,
)
from lab.ui.components.table import table
from lab.ui.jobs.advice import ADVICE, TITLES
from lab.ui.jobs.listing import job_title, result_words, run_seconds
from storage.database import Session
from storage.files import log_tail as read_tail
from storage.queries.arms import job_arms
from storage.queries.jobs import events, get_job, metric_names, metrics, needed_by, needs, queue_position, workers
from storage.tables import ENDED

if TYPE_CHECKING:

    from storage.database import Store
    from storage.tables import Job

LOG_LINES = 400
CURVES = {"loss": "Loss", "tokens_per_s": "Training speed, tokens per second", "learning_rate": "Learning rate"}


@dataclass(frozen=True)
class Detail:
    """The parts of a job's detail, each its own block, so that only what changed is drawn again."""

    head: Html
    curves: Html
    log: Html
    spec: Html
    origin: Html
    history: Html
    may_cancel: bool = False
    may_retry: bool = False
    may_rerun: bool = False
    question: str = ""  # what Cancel asks


NONE_CHOSEN = note("Choose a job first.")
NOTHING = Detail(empty("No job is chosen", "Choose a row to see how it goes."), *([NONE_CHOSEN] * 5))


def read_detail(store: Store, selected: str) -> Detail:
    if not selected:
        return NOTHING
    try:
        with store.read() as session:
            return _detail(store, session, get_job(session, selected))
    except LabError as problem:
        return Detail(failure(problem), *([NONE_CHOSEN] * 5))


def _detail(store: Store, session: Session, job: Job) -> Detail:
    arm = job_arms(session, [job]).get(job.id)
    folder = store.home.job(job.uid)
    return Detail(
        head=_head(session, job, arm, read_tail(folder.log, 12)),
        curves=_curves(session, job, arm or "base"),
        log=log_tail(read_tail(folder.log, LOG_LINES), f"log of job {job.id}"),
        spec=_spec(job),
        origin=_origin(job, folder.path),
        history=_history(session, job),
        may_cancel=job.state not in ENDED and job.desired != "cancel",
        may_retry=job.state in ("failed", "cancelled"),
        may_rerun=job.state in ENDED,
        question=_cancel_question(session, job),
    )


def _head(session: Session, job: Job, arm: str | None, tail: str) -> Html:
    title = tag("h2", f"Job {job.id} · ", job_title(job, arm))
    situation = tag("div", state_badge(job.state), _situation(session, job), cls="situation")
    return join([title, situation, _facts(job), _trouble(job, tail)])


def _situation(session: Session, job: Job) -> Html:
    """One line on where the job stands now."""
    if job.state in ("starting", "running"):
        return progress_bar(job.progress_done, job.progress_total, job.progress_text, job.eta_s)
    if job.state == "queued":
        waiting = [other for other in needs(session, job.id) if other.state != "succeeded"]
        links = join((link(f"/jobs?id={other.id}", f"job {other.id}") for other in waiting), ", ")
        first = f"no. {queue_position(session, job)} in line"
        if not workers(session):
            return tag("span", f"{first}; no worker is running, so nothing starts. Start one: ",
                       tag("code", "python -m jobs worker"))
        return tag("span", f"{first}, after ", links) if waiting else tag("span", first)
    return result_words(job.result) if job.state == "succeeded" and job.result else Html("")


def _facts(job: Job) -> Html:
    pairs: list[tuple[str, object]] = [("queued", ago(job.created_at))]
    if job.started_at:
        pairs.append(("started", ago(job.started_at)))
        pairs.append(("ran for" if job.finished_at else "running for", duration(run_seconds(job))))
    if job.study_id:
        pairs.append(("study", link(f"/results?study={job.study_id}", f"study {job.study_id}")))
    if job.attempt > 1:
        pairs.append(("attempt", job.attempt))
    if job.parent_id:
        pairs.append(("runs again", link(f"/jobs?id={job.parent_id}", f"job {job.parent_id}")))
    return fact_list(pairs)


def _trouble(job: Job, tail: str) -> Html | None:
    if job.state == "cancelled":
        return note(job.message or TITLES["cancelled"])
    if job.state != "failed":
        return None
    reason = job.reason or "bug"
    box = error(TITLES.get(reason, reason), job.message, ADVICE.get(reason, ADVICE["bug"]))
    return join([box, tag("h3", "The end of its log"), log_tail(tail, "end of the log")])


def _curves(session: Session, job: Job, arm: str) -> Html:
    names = metric_names(session, job.id)
    plots = [
        curve_plot([Series(name, metrics(session, job.id, name), arm)], CURVES[name], from_zero=name == "loss")
        for name in CURVES if name in names
    ]
    drawn = [plot for plot in plots if plot]
    if not drawn:
        return note("Curves appear here when the job reports its first steps." if job.kind == "sft" else
                    "A job of this kind reports no curves.")
    return tag("div", *drawn, cls="curves")


def _spec(job: Job) -> Html:
    changed = {key: value for key, value in job.spec.items() if job.spec_given.get(key) != value}
    return join([
        tag("h3", "As given"), _recipe(job.kind, job.spec_given), tag("h3", "Filled in by the lab"),
        _recipe(job.kind, changed) if changed else note("Nothing: every setting was given."),
        note(join(["Spec ", tag("code", job.spec_sha), ": same kind and same resolved values, same code."])),
    ])


def _recipe(kind: str, values: Mapping[str, Any]) -> Html:
    return tag("pre", to_yaml(kind, values), cls="log", tabindex=0)


def _origin(job: Job, folder: object) -> Html:
    pairs = [(name, _plain(value)) for name, value in _flat(job.provenance)]
    inputs = (job.result or {}).get("inputs", {})
    pairs += [(name.replace("_", " "), _plain(value)) for name, value in _flat(inputs)]
    pairs += [("uid", job.uid), ("folder", str(folder)), ("worker", job.worker or "–")]
    return fact_list(pairs)


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in values.items():
        name = f"{prefix}{key}"
        found += _flat(value, f"{name} ") if isinstance(value, Mapping) else [(name, value)]
    return found


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value is None else str(value)


def _history(session: Session, job: Job) -> Html:
    told = events(session, job.id)
    rows = [(f"{event.at:%Y-%m-%d %H:%M:%S}", state_badge(event.state), event.why) for event in told]
    neighbours = [(needs(session, job.id), "Needs"), (needed_by(session, job.id), "Is needed by")]
    lists = [tag("p", f"{title}: ", _links(found)) for found, title in neighbours if found]
    return join([table(["Time (UTC)", "State", "Why"], rows, caption="Events"), *lists])


def _links(jobs: Sequence[Job]) -> Html:
    return join((link(f"/jobs?id={job.id}", f"{job.id} {job.name}") for job in jobs), ", ")


def _cancel_question(session: Session, job: Job) -> str:
    others = [other for other in needed_by(session, job.id) if other.state not in ENDED]
    also = f" Waiting jobs that need its result are cancelled with it: {len(others)}." if others else ""
    kept = " What it has done so far is lost; its log stays." if job.state != "queued" else ""
    return f"Cancel job {job.id}, {job.name}?{also}{kept}"
