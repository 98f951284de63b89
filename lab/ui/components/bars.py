"""Counts as bars: upright ones over an axis of values or ranges, lying ones for names. The figures stand with the bars.

Positions are per cent of the width and labels are text of the page, so that a narrow window keeps their size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lab.ui.components.axis import nice_axis
from lab.ui.components.markup import Html, tag

MOST_LABELS = 12  # upright bars that still have room for their own figures
ROOM, SIGN = 300, 8  # pixels below the bars in a narrow window, and those of a sign


@dataclass(frozen=True)
class Bar:
    """`label`: its value, range or name; `hint` says it in full."""

    label: str
    n: int
    hint: str = ""

    @property
    def words(self) -> str:
        return self.hint or f"{self.label}: {self.n}"


def upright_bars(bars: Sequence[Bar], title: str, x_title: str, y_title: str = "rows") -> Html:
    """A histogram; nothing without bars."""
    if not bars:
        return Html("")
    axis = nice_axis(0, max(1, *(bar.n for bar in bars)), 3)
    few = len(bars) <= MOST_LABELS
    grid = [tag("line", x1=0, x2=1000, y1=_down(axis.place(t)), y2=_down(axis.place(t)), cls="grid")
            for t in axis.ticks]
    width = 1000 / len(bars)
    drawn = [_bar(bar, place * width + width * 0.08, width * 0.84, axis.place(bar.n)) for place, bar in enumerate(bars)]
    picture = tag("svg", *grid, *drawn, viewBox="0 0 1000 1000", preserveAspectRatio="none", aria_hidden="true")
    figures = [tag("span", bar.n, style=f"left:{(place + 0.5) * 100 / len(bars):.2f}%;bottom:{axis.place(bar.n)}%")
               for place, bar in enumerate(bars) if bar.n] if few else []
    left = tag("div", *(tag("span", axis.label(t), style=f"bottom:{axis.place(t)}%") for t in axis.ticks), cls="left")
    below = tag("div", *_labels(bars), tag("em", x_title), cls="below")
    about = f"{title}: " + "; ".join(bar.words for bar in bars if bar.n)
    return tag("figure", tag("figcaption", title, tag("small", y_title)), left,
               tag("div", picture, *figures, cls="field"), below, cls="bars", role="img", aria_label=about)


def _down(place: float) -> str:
    return f"{1000 - 10 * place:.1f}"


def _bar(bar: Bar, x: float, width: float, height: float) -> Html:
    """A bar that stands for something is never too low to be seen."""
    height = max(height, 0.8) if bar.n else 0
    return tag("rect", tag("title", bar.words), x=f"{x:.1f}", y=_down(height), width=f"{width:.1f}",
               height=f"{10 * height:.1f}")


def _labels(bars: Sequence[Bar]) -> list[Html]:
    """Under every bar where there is room, else under some of them, at equal distances."""
    longest = SIGN * (1 + max(len(bar.label) for bar in bars))
    shown = range(0, len(bars), max(1, -(-len(bars) * longest // ROOM)))
    return [tag("span", bars[place].label, style=f"left:{(place + 0.5) * 100 / len(bars):.2f}%") for place in shown]


def lying_bars(bars: Sequence[Bar], title: str) -> Html:
    """One line a name, with its figure and share of all."""
    if not bars:
        return Html("")
    most, total = max(1, *(bar.n for bar in bars)), sum(bar.n for bar in bars) or 1
    lines = [tag("div", tag("span", bar.label, cls="name"),
                 tag("span", tag("i", style=f"width:{100 * bar.n / most:.2f}%"), cls="track"),
                 tag("span", tag("b", bar.n), tag("small", f" {100 * bar.n / total:.0f}\u202f%"), cls="count"),
                 cls="line", title=bar.words) for bar in bars]
    return tag("figure", tag("figcaption", title), *lines, cls="lying-bars", role="group", aria_label=title)
