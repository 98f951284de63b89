"""The curves of a job, thinned in the store. What has been drawn is drawn again only when there are new points."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from lab.ui.components.curve import MOST_POINTS, Series, curve_plot
from lab.ui.components.html import note
from lab.ui.components.markup import Html, join, tag
from storage.database import Session
from storage.queries.jobs import metric_names, metrics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.tables import Job

TITLES = {
    "loss": "Loss", "tokens_per_s": "Training speed, tokens per second", "token_accuracy": "Token accuracy",
    "reward": "Reward", "learning_rate": "Learning rate", "grad_norm": "Gradient norm",
}
FROM_ZERO = {"loss", "token_accuracy"}
POINTS = MOST_POINTS - 4  # the store keeps the last point beside the thinned ones
REMEMBERED = 32  # jobs
PATIENCE = 20  # drawing live curves takes at most one twentieth of the time


@dataclass(frozen=True)
class Drawing:
    """Curves as they were drawn: from which offset of the job's events, when, and how long that took."""

    html: Html
    offset: int
    state: str
    at: float
    seconds: float

    def still_good(self, job: Job) -> bool:
        """Nothing new has been read in; or something has, and drawing so often would cost more than it shows."""
        if self.state != job.state:
            return False
        return self.offset == job.events_offset or time.monotonic() - self.at < PATIENCE * self.seconds


@dataclass
class Drawn:
    """The drawings of one web process, the latest of each job. Nothing here is a record."""

    _known: OrderedDict[tuple[object, ...], Drawing] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def get(self, session: Session, job: Job, arm: str, marks: Sequence[int]) -> Html:
        """A job's offset in its events moves with every point that is read in, also when points are taken back."""
        key = (job.uid, job.attempt, arm, tuple(marks))
        known = self._known.get(key)
        if known is None or not known.still_good(job):
            started = time.monotonic()
            html = draw(session, job, arm, marks)
            known = Drawing(html, job.events_offset, job.state, time.monotonic(), time.monotonic() - started)
        with self._lock:
            self._known[key] = known
            self._known.move_to_end(key)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return known.html


def draw(session: Session, job: Job, arm: str, marks: Sequence[int]) -> Html:
    """One plot a metric that has a title, those people look at first on top. `marks`: steps at which it went on."""
    assert job.id is not None
    names = metric_names(session, job.id)
    plots = [
        curve_plot([Series(name, metrics(session, job.id, name, POINTS), arm)], title, from_zero=name in FROM_ZERO,
                   marks=marks)
        for name, title in TITLES.items() if name in names
    ]
    drawn = [plot for plot in plots if plot]
    if not drawn:
        return note("Curves appear here when the job reports its first steps." if job.state in ("queued", "starting",
                    "running") else "This job reported no curves.")
    return tag("div", *drawn, _legend(marks), cls="curves")


def _legend(marks: Sequence[int]) -> Html | None:
    if not marks:
        return None
    steps = join((tag("b", step) for step in marks), ", ")
    return tag("p", "Dotted: a later attempt went on from step ", steps, ".", cls="note")
