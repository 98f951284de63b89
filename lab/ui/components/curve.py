"""Curves over steps as inline SVG: several series, each labelled at its end, thinned without losing its peaks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lab.ui.components.axis import Axis, nice_axis
from lab.ui.components.markup import Html, tag

MOST_POINTS = 400
Point = tuple[float, float]


@dataclass(frozen=True)
class Series:
    """One curve. A value that is not a number is a gap, not a zero."""

    label: str
    points: Sequence[Point]
    arm: str = "base"


def curve_plot(
    series: Sequence[Series], y_title: str, x_title: str = "step", from_zero: bool = False, marks: Sequence[float] = ()
) -> Html:
    """A labelled plot, or nothing when no series has two points. `marks` are x values with a dotted line."""
    drawn = [s for s in series if sum(math.isfinite(y) for _, y in s.points) >= 2]
    if not drawn:
        return Html("")
    values = [y for s in drawn for _, y in s.points if math.isfinite(y)]
    steps = [x for s in drawn for x, _ in s.points]
    down = nice_axis(0.0 if from_zero else min(values), max(values), 4)
    first, last = min(steps), max(steps)
    across = Axis(first, last, ()) if first < last else nice_axis(first, last)
    lines = [_lines(s, across, down) for s in drawn]
    grid = [tag("line", x1=0, x2=1000, y1=_down(down, t), y2=_down(down, t), cls="grid") for t in down.ticks]
    dotted = [_mark(across.place(x) * 10) for x in marks if first <= x <= last]
    look = {"viewBox": "0 0 1000 1000", "preserveAspectRatio": "none", "aria_hidden": "true"}
    picture = tag("svg", *grid, *dotted, *lines, **look)
    ticks = (tag("span", down.label(t), style=f"top:{_down(down, t) / 10}%") for t in down.ticks)
    left = tag("div", *ticks, cls="left")
    ends = tag("div", *_end_labels(drawn, down), cls="ends several" if len(drawn) > 1 else "ends")
    below = tag("div", tag("span", _step(across.low)), tag("em", x_title), tag("span", _step(across.high)), cls="below")
    return tag(
        "figure", tag("figcaption", y_title), left, picture, ends, below,
        cls="curve", role="img", aria_label=_description(drawn, y_title),
    )


def _lines(series: Series, across: Axis, down: Axis) -> Html:
    """A polyline for every run of finite values, so that a NaN is seen as a gap."""
    runs: list[list[str]] = [[]]
    for x, y in thin(series.points):
        if math.isfinite(y):
            runs[-1].append(f"{across.place(x) * 10:.1f},{_down(down, y):.1f}")
        elif runs[-1]:
            runs.append([])
    look = {"vector_effect": "non-scaling-stroke", "cls": "series"}
    lines = (tag("polyline", points=" ".join(run), **look) for run in runs if run)
    return tag("g", *lines, cls=f"arm-{series.arm}")


def _mark(x: float) -> Html:
    return tag("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=0, y2=1000, cls="mark", vector_effect="non-scaling-stroke")


def _down(axis: Axis, value: float) -> float:
    return 1000 - axis.place(value) * 10


def _end_labels(series: Sequence[Series], down: Axis) -> list[Html]:
    """Name and last value at the height where each curve ends, pushed apart so that no two overlap."""
    ends = sorted(((_down(down, _last(s)) / 10, s) for s in series), key=lambda end: end[0])
    places: list[float] = []
    for place, _ in ends:
        places.append(max(place, places[-1] + 9) if places else place)
    several = len(series) > 1  # the title names a single one
    return [
        tag("span", f"{s.label} " if several else None, tag("b", figure(_last(s))), style=f"top:{place:.1f}%",
            cls=f"arm-{s.arm}")
        for place, (_, s) in zip(places, ends, strict=True)
    ]


def figure(value: float) -> str:
    """Three significant digits, without powers of ten for everyday sizes."""
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        digits = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
        return f"{value:,.{digits}f}".replace(",", "\u202f")
    return f"{value:.2e}"


def _last(series: Series) -> float:
    return next(y for _, y in reversed(series.points) if math.isfinite(y))


def _step(value: float) -> str:
    return f"{value:,.0f}".replace(",", "\u202f")


def _description(series: Sequence[Series], y_title: str) -> str:
    ends = "; ".join(f"{s.label} ends at {figure(_last(s))} after step {_step(s.points[-1][0])}" for s in series)
    return f"{y_title}: {ends}"


def thin(points: Sequence[Point], most: int = MOST_POINTS) -> list[Point]:
    """At most `most` points: of every bucket its lowest and highest, in order, so that spikes stay visible."""
    if len(points) <= most:
        return list(points)
    size = math.ceil(2 * len(points) / most)
    kept: list[Point] = []
    for start in range(0, len(points), size):
        bucket = points[start:start + size]
        finite = [p for p in bucket if math.isfinite(p[1])] or bucket[:1]
        kept += sorted({min(finite, key=lambda p: p[1]), max(finite, key=lambda p: p[1])})
    return kept
