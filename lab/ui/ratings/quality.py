"""How the raters work, while the round runs: known answers, repeats, time, sides. No model is named anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.reports.verdict import p_text
from lab.ui.components.html import card, empty, fact_list, note, number, percent
from lab.ui.components.markup import Html, tag
from lab.ui.components.sorting import sortable
from lab.ui.components.table import table

if TYPE_CHECKING:
    from lab.rating.quality import QualityResults, RaterQuality
    from lab.rating.repeats import Repeats

SIGNS = {"gold": "known answers", "fast": "too fast", "side": "one side", "same": "all the same",
         "repeats": "contradicts itself", "alone": "against the others"}
COLUMNS = [
    sortable("Rater", wide=True), sortable("Rated", True),
    sortable("Known answers", True, hint="units with a known answer that were answered as expected"),
    sortable("Same again", True, hint="repeated units that got the same verdict"),
    sortable("Left chosen", True, hint="share of the preferences, ties apart"),
    sortable("Seconds", True, hint="median of a unit, tab visible"),
    sortable("Longest run", True, hint="identical ratings in a row"),
    sortable("With others", True, hint="kappa against everybody else: 1 is agreement, 0 is chance"),
    sortable("Flags", wide=True),
]
NOBODY = empty("No rating yet", "Known answers, repeats, time and sides of each rater show here as ratings come in.")


def quality_html(found: QualityResults) -> Html:
    """The whole round first, then rater by rater."""
    if not found.raters:
        return NOBODY
    n = sum(rater.n for rater in found.raters)
    about = note(f"From {n} ratings by {len(found.raters)} raters. A flag is shown and drops nothing: results are "
                 "told with and without flagged raters. Its limits were fixed before any rating.")
    return tag("div", about, tag("div", _whole(found), _flags(found), cls="lab-cards"), _table(found),
               cls="round-quality")


def _whole(found: QualityResults) -> Html:
    side = found.position
    left = f"{side.n_left} of {side.n} preferences (p {p_text(side.p_value)} against one half)" if side.n else "–"
    seconds = f"{found.seconds:.0f} s (median, tab visible)" if found.seconds is not None else "–"
    golds = tag("span", percent(found.gold_share, 0), f" of {found.n_gold}") if found.n_gold else "none yet"
    return card("All raters", fact_list([
        ("Known answers as expected", golds), ("Same verdict again", same_again(found.repeats)),
        ("Same side again", _same_side(found.repeats)), ("Left side chosen", left), ("A unit takes", seconds),
    ]))


def same_again(repeats: Repeats) -> Html | str:
    """Repeated units with the same verdict, with Wilson's interval."""
    if not repeats.n or repeats.share is None:
        return "none repeated yet"
    reach = f", 95 % interval {100 * repeats.low:.0f} to {100 * repeats.high:.0f}" \
        if None not in (repeats.low, repeats.high) else ""
    return tag("span", percent(repeats.share, 0), f" of {repeats.n}{reach}")


def _same_side(repeats: Repeats) -> str:
    """Sides are swapped when a unit comes again: whoever chooses the same side chooses the other answer."""
    return f"{repeats.n_same_side} of {repeats.n_both_decided} swapped units" if repeats.n_both_decided else "–"


def _flags(found: QualityResults) -> Html:
    if not found.flags:
        return card("Flags", note("No rater is flagged."))
    rows = [tag("li", tag("b", flag.rater), f" {flag.text} ", tag("small", f"({SIGNS.get(flag.sign, flag.sign)})"))
            for flag in found.flags]
    n = len(found.flagged)
    return card(f"Flags: {n} rater{'' if n == 1 else 's'}", tag("ul", *rows, cls="cautions flag-list"))


def _table(found: QualityResults) -> Html:
    return table(COLUMNS, [_row(rater) for rater in found.raters], caption="Quality by rater")


def _row(rater: RaterQuality) -> list[object]:
    side = rater.position
    golds = f"{rater.gold_right} of {rater.n_gold}" if rater.n_gold else "–"
    again = f"{rater.repeats.n_same} of {rater.repeats.n}" if rater.repeats.n else "–"
    left = f"{side.n_left} of {side.n}" if side.n else "–"
    others = tag("span", number(rater.with_others, 2), tag("small", f"n {rater.n_with_others}"))
    flags = ", ".join(SIGNS.get(sign, sign) for sign in rater.flags)
    return [rater.rater, rater.n, golds, again, left, number(rater.seconds, 0), rater.longest_run, others,
            tag("span", f"⚠ {flags}", cls="think-mark") if flags else ""]
