"""The curves of a job, thinned in the store. What has been drawn is drawn again only when there are new points."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from lab.ui.components.curve import MOST_POINTS, Series, curve_plot
from lab.ui.components.folds import fold
from lab.ui.components.html import note
from lab.ui.components.markup import Html, join, tag
from storage.database import Session
from storage.queries.jobs import metric_names, metrics

if TYPE_CHECKING:
    from storage.tables import Job

POINTS = MOST_POINTS - 4  # the store keeps the last point beside the thinned ones
FEW_POINTS = POINTS // 2  # of each curve where there are many plots, which are then half as wide
MANY = 3  # plots
REMEMBERED = 32  # jobs
PATIENCE = 20  # drawing live curves takes at most one twentieth of the time


@dataclass(frozen=True)
class Plot:
    """Curves that share an axis: metric → what tells it from the others. The first is drawn in the job's colour."""

    title: str
    curves: Mapping[str, str]
    from_zero: bool = False


BOTH = ("sampled", "held out")  # in training, and in the check on questions that are never trained on
PLOTS = (  # in this order; a metric that is in none of them stands under 'More curves'
    Plot("Loss", {"loss": ""}, True),
    Plot("Reward of a completion", dict(zip(("reward", "eval_reward"), BOTH, strict=True))),
    Plot("Right answers, share", dict(zip(("accuracy", "eval_accuracy"), BOTH, strict=True)), True),
    Plot("KL to the starting model, nats a completion", {"kl": ""}, True),
    Plot("Well-formed answers, share", dict(zip(("well_formed", "eval_well_formed"), BOTH, strict=True))),
    Plot("Tokens of a completion, mean", dict(zip(("mean_tokens", "eval_mean_tokens"), BOTH, strict=True))),
    Plot("Lead of the chosen reply, reward", {"margin": ""}),
    Plot("Rewards of the replies", {"chosen_reward": "chosen", "rejected_reward": "rejected"}),
    Plot("Usable answers, share", {"usable": ""}, True),
    Plot("Entropy, nats a token", {"entropy": ""}, True),
    Plot("Clipped tokens, share", {"clip_fraction": ""}, True),
    Plot("Token accuracy, share", {"token_accuracy": ""}, True),
    Plot("Training speed, tokens per second", {"tokens_per_s": ""}),
    Plot("Learning rate", {"learning_rate": ""}, True),
    Plot("Gradient norm", {"grad_norm": ""}, True),
)


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
    """Every metric the job reported, those people look at first on top. `marks`: steps at which it went on."""
    assert job.id is not None
    names = metric_names(session, job.id)
    placed = [plot for plot in PLOTS if any(name in names for name in plot.curves)]
    known = {name for plot in PLOTS for name in plot.curves}
    others = [Plot(name.replace("_", " ").capitalize(), {name: ""}) for name in names if name not in known]
    most = POINTS if len(placed) <= MANY else FEW_POINTS
    drawn, more = ([html for plot in plots if (html := _plot(session, job, plot, (names, arm, marks, most)))]
                   for plots in (placed, others))
    if not drawn and not more:
        return note("Curves appear here when the job reports its first steps." if job.state in ("queued", "starting",
                    "running") else "This job reported no curves.")
    rest = fold("more-curves", f"More curves ({len(more)})", _grid(more)) if more else None
    return join([_grid(drawn), rest, _legend(marks)])


def _plot(
    session: Session, job: Job, plot: Plot, drawing: tuple[Sequence[str], str, Sequence[int], int]
) -> Html:
    names, arm, marks, most = drawing
    assert job.id is not None
    series = [
        Series(label or name, metrics(session, job.id, name, most), arm if index == 0 else "base")
        for index, (name, label) in enumerate(plot.curves.items()) if name in names
    ]
    return curve_plot(series, plot.title, from_zero=plot.from_zero, marks=marks)


def _grid(plots: Sequence[Html]) -> Html:
    return tag("div", *plots, cls="curves many" if len(plots) > MANY else "curves")


def _legend(marks: Sequence[int]) -> Html | None:
    if not marks:
        return None
    steps = join((tag("b", step) for step in marks), ", ")
    return tag("p", "Dotted: a later attempt went on from step ", steps, ".", cls="note")
