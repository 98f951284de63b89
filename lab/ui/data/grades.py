"""What the rows are like as a whole: histograms of grades and lengths, departments, how the answers were found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lab.reports.rows import csv_text
from lab.ui.components.bars import Bar, lying_bars, upright_bars
from lab.ui.components.folds import fold
from lab.ui.components.html import empty
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.table import Column, table
from lab.ui.data.look import PROVENANCE_WORDS

if TYPE_CHECKING:
    from lab.data.histograms import Branch, Histogram, Profile

GRADES = {"quality": ("Quality", "grade, 1 to 10"), "complexity": ("Complexity", "grade, 1 to 10"),
          "relevance": ("Relevance to medicine", "grade, 1 to 6")}
LENGTHS = {"trace_words": ("Length of the thinking", "words"), "answer_words": ("Length of the answer", "words"),
           "question_words": ("Length of the question", "words")}
NAMES = {"provenance": "Where the thinking comes from", "depth": "Rethinks until it was found",
         "strategies": "Strategies of the rethinks", "style": "Style"}
UNGRADED = empty("No grades in these rows", "Instructions made from texts are graded by their teacher; exam problems "
                                            "are not.", "/data?view=make&kind=instructions", "Make graded instructions")
MOST_LINES = 40


def grades_html(profile: Profile) -> Html:
    grades = [_histogram(getattr(profile, name), *words) for name, words in GRADES.items()]
    grades = [plot for plot in grades if plot]
    lengths = [plot for name, words in LENGTHS.items() if (plot := _histogram(getattr(profile, name), *words))]
    names = [plot for name, words in NAMES.items() if (plot := _names(name, getattr(profile, name), words))]
    places = _departments(profile) or _names("subject", profile.subject, "Subjects")
    first = join([_grid(grades)]) if grades else UNGRADED
    return join([first, _grid(lengths), _grid([plot for plot in (places, *names) if plot], "data-lists")])


def _grid(plots: list[Html], cls: str = "data-plots") -> Html | None:
    return tag("div", *(tag("section", plot, cls="lab-card") for plot in plots), cls=cls) if plots else None


def _histogram(found: Histogram, title: str, unit: str) -> Html | None:
    if not found.n:
        return None
    bars = [Bar(_range(one.low, one.high), one.n, f"{_range(one.low, one.high)} {unit.split(',')[0]}: {one.n} rows")
            for one in found.bins]
    middle = f"mean {found.mean:.1f}, median {found.median:g}" if found.mean is not None else ""
    without = f"{found.n_without} rows without" if found.n_without else ""
    about = " · ".join(filter(None, (f"n {found.n}", middle, without)))
    rows = [[bar.label, bar.n] for bar in bars]
    return join([upright_bars(bars, title, unit), tag("p", about, cls="note"),
                 fold(f"table-{title}", "As a table", table([Column(unit), Column("Rows", number=True)], rows, title))])


def _range(low: float, high: float) -> str:
    return f"{low:g}" if low == high else f"{low:g}–{high:g}"


def _names(name: str, counts: Mapping[str, int], title: str) -> Html | None:
    if not any(value != "none" for value in counts):
        return None
    shown = list(counts.items())[:MOST_LINES]
    bars = [Bar(_word(name, value), n) for value, n in shown]
    more = len(counts) - len(shown)
    return join([lying_bars(bars, title), tag("p", f"and {more} more", cls="note") if more > 0 else None])


def _word(name: str, value: str) -> str:
    if name == "provenance":
        return "not said" if value == "none" else PROVENANCE_WORDS.get(value, value)
    return "not said" if value == "none" else value.replace("_", " ")


def _departments(profile: Profile) -> Html | None:
    """Six, and those within each in a fold."""
    if not any(branch.name != "none" for branch in profile.departments):
        return None
    bars = [Bar(_word("", branch.name), branch.n) for branch in profile.departments]
    return join([lying_bars(bars, "Departments"), *(_within(branch) for branch in profile.departments)])


def _within(branch: Branch) -> Html | None:
    inner = [Bar(_word("", child.name), child.n) for child in branch.children]
    if not inner:
        return None
    return fold(f"within-{branch.name}", f"Within {branch.name}", lying_bars(inner, f"Within {branch.name}"))


def grades_csv(profile: Profile) -> str:
    """Every figure of the plots, one line a bar."""
    rows: list[dict[str, object]] = []
    for name in (*GRADES, *LENGTHS):
        found: Histogram = getattr(profile, name)
        rows += [{"figure": name, "from": one.low, "to": one.high, "name": "", "rows": one.n} for one in found.bins]
    for name in (*NAMES, "subject"):
        rows += [{"figure": name, "from": "", "to": "", "name": value, "rows": n}
                 for value, n in getattr(profile, name).items()]
    for branch in profile.departments:
        rows.append({"figure": "department", "from": "", "to": "", "name": branch.name, "rows": branch.n})
        rows += [{"figure": f"within {branch.name}", "from": "", "to": "", "name": child.name, "rows": child.n}
                 for child in branch.children]
    return csv_text(rows)
