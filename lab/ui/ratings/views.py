"""The same ratings told three times, side by side: all raters, without flagged ones, and with surplus ratings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.ui.components.html import note, number
from lab.ui.components.markup import Html, tag
from lab.ui.components.table import Column, table
from lab.ui.ratings.figures import points, share

if TYPE_CHECKING:
    from lab.rating.contrasts import Contrast
    from lab.rating.results import RoundResults, View

TITLES = {"all": "All raters (the main analysis)", "without flagged": "Without flagged raters",
          "with surplus": "With surplus ratings"}
COLUMNS = [Column("Ratings of", wide=True), Column("Ratings", number=True), Column("Fluency", number=True),
           Column("Preferred", number=True)]
MOST_NAMES = 8


def views_html(found: RoundResults) -> Html:
    several = len(found.contrasts) > 1
    columns = [Column("Ratings of"), Column("Models", wide=True), *COLUMNS[1:]] if several else COLUMNS
    rows = [row for view in found.views for row in _rows(view, several)]
    return tag("section", tag("h2", "The same with other ratings"), table(columns, rows, caption="Three views"),
               note("A difference that stands only in one of them is not a finding."), cls="lab-card")


def _rows(view: View, several: bool) -> list[list[object]]:
    name = tag("span", TITLES.get(view.name, view.name), tag("small", _about(view)), cls="cell-name")
    if not view.contrasts:
        return [[name, *([""] if several else []), number(view.n_ratings), number(None), number(None)]]
    return [[name if place == 0 else "", *([f"{one.b} − {one.a}"] if several else []),
             number(view.n_ratings) if place == 0 else "", *_figures(one)] for place, one in enumerate(view.contrasts)]


def _figures(one: Contrast) -> tuple[Html, Html]:
    return (points(one.fluency.difference) if one.fluency else number(None),
            share(one.win.rate) if one.win else number(None))


def _about(view: View) -> str:
    if view.left_out:
        names = ", ".join(view.left_out[:MOST_NAMES])
        more = len(view.left_out) - MOST_NAMES
        return f"left out: {names}{f' and {more} more' if more > 0 else ''}"
    if view.name == "without flagged":
        return "nobody is flagged: the same figures"
    return "there are none: the same figures" if view.same_as else ""
