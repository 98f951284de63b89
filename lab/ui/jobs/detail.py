"""One job, whole: how it goes, its curves, its log, its spec as given and as resolved, where it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jobs.catalog import tasks
from lab.core.errors import LabError
from lab.core.spec import to_yaml
from lab.ui.components.html import Html, empty, fact_list, failure, join, link, note, state_badge, tag
from lab.ui.components.table import Column, table
from lab.ui.jobs import cluster
from lab.ui.jobs.choices import Choices, choices
from lab.ui.jobs.head import Words, head
from lab.ui.jobs.log import log_window
from lab.ui.jobs.saved import last_saved
from lab.ui.jobs.story import attempts_table
from storage.files import JobFolder
from storage.files import log_tail as read_tail
from storage.queries.jobs import get_job, needed_by
from storage.tables import ENDED

if TYPE_CHECKING:
    from lab.ui.jobs.board import Board, Chosen
    from storage.database import Store
    from storage.tables import Job


@dataclass(frozen=True)
class Detail:
    """The parts of a job's detail, each its own block, so that only what changed is drawn again."""

    head: Html
    curves: Html
    log: Html
    spec: Html
    origin: Html
    history: Html
    may: Choices = Choices()
    batch: Html = Html("")  # only of a job on a cluster

    @property
    def blocks(self) -> list[Html]:
        return [self.head, self.curves, self.log, self.spec, self.origin, self.history, self.batch]


NONE_CHOSEN = note("Choose a job first.")
NOTHING = Detail(empty("No job is chosen", "Choose a row to see how it goes."), *([NONE_CHOSEN] * 5))


def draw_detail(store: Store, board: Board, price: float = 0) -> Detail:
    """The chosen job of a look, with what its folder holds now. `price`: of one GPU-hour, 0 where none is set."""
    if board.problem is not None:
        return Detail(failure(board.problem), *([NONE_CHOSEN] * 5))
    if board.chosen is None:
        return NOTHING
    chosen, job = board.chosen, board.chosen.job
    folder = JobFolder(store.home.absolute(job.folder))
    saved, resumes = last_saved(folder.checkpoints), _resumes(job)
    tail = read_tail(folder.log, 12) if job.state == "failed" else ""
    assert job.id is not None
    return Detail(
        head=head(board, chosen, Words(saved, resumes, tail, price)),
        curves=chosen.curves,
        log=log_window(folder.log, job.id, job.state not in ENDED),
        spec=_spec(job),
        origin=_origin(job, folder.path),
        history=_history(chosen),
        may=choices(job, chosen.needed_by, saved, resumes),
        batch=cluster.batch_file(store.home, job) if cluster.profile_name(job) else Html(""),
    )


def read_choices(store: Store, selected: str) -> Choices:
    """What may be done with a job at this moment: asked again when a button is pressed."""
    try:
        with store.read() as session:
            job = get_job(session, selected)
            after = needed_by(session, job.id or 0)
    except LabError:
        return Choices()
    return choices(job, after, last_saved(JobFolder(store.home.absolute(job.folder)).checkpoints), _resumes(job))


def _resumes(job: Job) -> bool:
    return job.kind in tasks() and tasks()[job.kind].resumes


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


def _history(chosen: Chosen) -> Html:
    rows = [(tag("time", f"{event.at:%Y-%m-%d %H:%M:%S}"), state_badge(event.state), event.why)
            for event in chosen.events]
    neighbours = [(chosen.needs, "Needs"), (chosen.needed_by, "Is needed by")]
    lists = [tag("p", f"{title}: ", _links(found)) for found, title in neighbours if found]
    return join([attempts_table(chosen.attempts), tag("h3", "Every change of state"),
                 table(["Time (UTC)", "State", Column("Why", wide=True)], rows, caption="Events"), *lists])


def _links(jobs: Sequence[Job]) -> Html:
    return join((link(f"/jobs?id={job.id}", f"{job.id} {job.name}") for job in jobs), ", ")
