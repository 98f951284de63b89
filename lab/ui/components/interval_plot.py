"""Dot + interval plot as inline SVG: one row a model or a difference, labelled in place, in its arm's colour and shape.

Positions are per cent of the width, so text keeps its size in a narrow window; colours are the style sheet's variables,
so light and dark need no second drawing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lab.ui.arms import ARMS, arm_of
from lab.ui.components.axis import Axis, nice_axis
from lab.ui.components.markup import Html, tag

HEIGHT = 22
SHAPES = {
    name: tag("polygon", points=arm.polygon) if arm.points else tag("circle", r=5.5) for name, arm in ARMS.items()
}


@dataclass(frozen=True)
class Mark:
    """One row: `label` may be Html (a chip); `note` stands after the figures, for example 'n 300'."""

    label: object
    low: float
    estimate: float
    high: float
    arm: str = "base"
    note: str = ""
    digits: int = 1


def interval_plot(
    marks: Sequence[Mark], unit: str, title: str, reach: tuple[float, float] | None = None, signed: bool = False
) -> Html:
    """`reach` fixes the axis (for example 0 to 100 per cent); without it the axis holds all intervals, and 0 if signed.

    `signed` is for differences: a line at zero, figures with their sign.
    """
    if not marks:
        return Html("")
    axis = _axis(marks, reach, signed)
    rows = [_row(mark, axis, unit, signed) for mark in marks]
    return tag("figure", *rows, _scale(axis, unit), cls="plot", role="group", aria_label=title)


def _axis(marks: Sequence[Mark], reach: tuple[float, float] | None, signed: bool) -> Axis:
    if reach:
        return nice_axis(*reach)
    zero = [0.0] if signed else []
    return nice_axis(min([m.low for m in marks] + zero), max([m.high for m in marks] + zero))


def _row(mark: Mark, axis: Axis, unit: str, signed: bool) -> Html:
    estimate, low, high = (_figure(value, signed, mark.digits) for value in (mark.estimate, mark.low, mark.high))
    figures, reach = f"{estimate} {unit}", f"{low} to {high}"
    beside = " · ".join(filter(None, (reach, mark.note)))
    words = tag(
        "div", tag("span", mark.label, cls="plot-label"),
        tag("span", tag("b", figures), " ", tag("small", beside), cls="plot-figure"), cls="plot-words",
    )
    return tag("div", words, _track(mark, axis, f"{figures}, interval {reach}"), cls="plot-row")


def _track(mark: Mark, axis: Axis, description: str) -> Html:
    middle = HEIGHT / 2
    arm = arm_of(mark.arm)
    return tag(
        "svg", *(_line(axis.place(tick), "zero" if tick == 0 and axis.low < 0 else "grid") for tick in axis.ticks),
        tag("line", x1=f"{axis.place(mark.low)}%", x2=f"{axis.place(mark.high)}%", y1=middle, y2=middle, cls="reach"),
        tag("svg", SHAPES[arm], x=f"{axis.place(mark.estimate)}%", y=middle, overflow="visible", cls="mark"),
        width="100%", height=HEIGHT, role="img", aria_label=description, cls=f"arm-{arm}",
    )


def _line(place: float, name: str) -> Html:
    return tag("line", x1=f"{place}%", x2=f"{place}%", y1=0, y2=HEIGHT, cls=name)


def _scale(axis: Axis, unit: str) -> Html:
    ticks = [
        tag("span", axis.label(tick), style=f"left:{axis.place(tick)}%", cls=_edge(index, len(axis.ticks)))
        for index, tick in enumerate(axis.ticks)
    ]
    below = tag("div", *ticks, tag("em", unit), cls="plot-scale")
    return tag("div", tag("div", cls="plot-words"), below, cls="plot-row")


def _edge(index: int, count: int) -> str | None:
    """The outer tick labels stay inside the plot."""
    return "first" if index == 0 else "last" if index == count - 1 else None


def _figure(value: float, signed: bool, digits: int) -> str:
    text = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
    return text.replace("-", "−")
