"""How much a round can show: what difference its questions and raters find, and how many questions another one
needs."""

from __future__ import annotations

from dataclasses import dataclass

from lab.rating.design import RoundSpec
from lab.ui.components.html import note
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.table import Column, table
from lab.ui.ratings.figures import plural

RHOS = (0.1, 0.3, 0.5)
COLUMNS = [Column("With 80 % power", wide=True),
           *(Column(f"rho {rho}", number=True, hint="how alike ratings of one question are") for rho in RHOS)]


@dataclass(frozen=True)
class Wanted:
    """A difference somebody hopes to find."""

    percent: float = 10  # of the win rate, away from 50 %
    points: float = 0.3  # of the scale of five
    sd: float = 1.0  # of one rater's difference on one question


def sample_size_html(prompts: int, spec: RoundSpec, wanted: Wanted) -> Html:
    """What these questions can show, then how many the wanted difference needs."""
    faults = _faults(wanted)
    if faults:
        return tag("div", tag("ul", *(tag("li", words) for words in faults)), cls="caution")
    rows = [*(_preference(prompts, spec.quota, wanted) if spec.asks_preference else []),
            *(_fluency(prompts, spec.quota, wanted) if spec.asks_fluency else [])]
    about = note(f"{plural(prompts, 'question')}, {plural(spec.quota, 'rating')} each. More questions beat more "
                 "raters; ratings of one question agree with each other by rho, seldom below 0.1 or above 0.5.")
    several = note("With several models each pair has these numbers, before the correction for several comparisons.") \
        if len(spec.models) > 2 else None
    return join([about, table(COLUMNS, rows, caption="Sample size"), several])


def _faults(wanted: Wanted) -> list[str]:
    rules = (("Win rate away from 50 %", wanted.percent, 50.0), ("Points of fluency", wanted.points, 4.0),
             ("Spread of a difference", wanted.sd, 4.0))
    return [f"{name}: should be above 0 and at most {most:g} (got {value:g})" for name, value, most in rules
            if not 0 < value <= most]


def _preference(prompts: int, raters: int, wanted: Wanted) -> list[list[object]]:
    from lab.rating.sample_size import detectable_win_rate, prompts_for_win_rate

    shown = [100 * detectable_win_rate(prompts, raters, rho) for rho in RHOS]
    needed = [prompts_for_win_rate(wanted.percent / 100, raters, rho) for rho in RHOS]
    return [["A win rate this far from 50 % is found", *(_far(points) for points in shown)],
            [f"Questions for {50 + wanted.percent:g} against {50 - wanted.percent:g} %",
             *(_enough(n, prompts) for n in needed)]]


def _fluency(prompts: int, raters: int, wanted: Wanted) -> list[list[object]]:
    from lab.rating.sample_size import detectable_fluency, prompts_for_fluency

    shown = [detectable_fluency(prompts, wanted.sd, raters, rho) for rho in RHOS]
    needed = [prompts_for_fluency(wanted.points, wanted.sd, raters, rho) for rho in RHOS]
    return [["A difference of so many points of five is found", *(f"{points:.2f}" for points in shown)],
            [f"Questions for {wanted.points:g} points", *(_enough(n, prompts) for n in needed)]]


def _far(points: float) -> str:
    return f"± {points:.1f}\u202f%" if points <= 50 else "none"


def _enough(needed: int, here: int) -> Html:
    sign = "✓" if needed <= here else "⚠"
    return tag("span", tag("i", sign, role="img", aria_label="enough" if needed <= here else "not enough"),
               f" {needed:,}"
               .replace(",", "\u202f"), cls="enough" if needed <= here else "too-few")
