"""What a round says: one sentence first, then every pair of models, then how far all of it can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.ui.arms import arm_of
from lab.ui.components.html import card, chip, note, number
from lab.ui.components.interval_plot import Mark, interval_plot
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.table import Column, table
from lab.ui.ratings.contrast import contrast_html
from lab.ui.ratings.figures import coefficient, plural, signed
from lab.ui.ratings.head import unblinded_words
from lab.ui.ratings.trust import trust_html
from lab.ui.ratings.views import views_html

if TYPE_CHECKING:
    from lab.rating.contrasts import Contrast
    from lab.rating.results import RoundResults
    from lab.stats.bradley_terry import Ranking
    from lab.ui.ratings.reading import Found

FEW_QUESTIONS = 10  # below this a percentile bootstrap is too narrow to be taken at its word
RANKS = [Column("Rank"), Column("Model", wide=True), Column("Strength", number=True, hint="log odds; they sum to zero")]


def outcome_html(found: Found) -> Html:
    """All results of one round, in reading order."""
    results = found.results
    caution = unblinded_words(found.round)
    if not results.counts.n_ratings:
        return join([caution, card("Results", note("Nothing has been rated that counts."))])
    several = len(results.contrasts) > 1
    pairs = [contrast_html(one, found, opened=place == 0) if several else contrast_html(one, found)
             for place, one in enumerate(results.contrasts)]
    top = tag("div", tag("p", sentence(results.primary), cls="round-verdict"), note(basis(results)), _few(results))
    parts = [caution, _open_words(found), top, _ranking(found), *pairs, _distribution(found), views_html(results),
             trust_html(found)]
    return tag("div", *parts, cls="round-results")


def sentence(primary: Contrast | None) -> str:
    """The first comparison in one honest sentence; 'within noise' where the interval holds no difference."""
    if primary is None:
        return "There is nothing to compare yet: no question has ratings of two models."
    a, b = primary.a, primary.b
    if primary.fluency is None:
        return _preferred(primary, f"{b} and {a}") if primary.win else f"{a} and {b} were not compared."
    difference = primary.fluency.difference
    told = f"by {signed(difference.estimate)} points of five ({signed(difference.low)} to {signed(difference.high)})"
    if difference.low > 0:
        words = f"{b} reads more fluently than {a}, {told}"
    elif difference.high < 0:
        words = f"{b} reads less fluently than {a}, {told}"
    else:
        words = (f"No difference in fluency beyond noise between {a} and {b}: {signed(difference.estimate)} points of "
                 f"five ({signed(difference.low)} to {signed(difference.high)})")
    return f"{words}. {_preferred(primary, 'the two')}" if primary.win else f"{words}."


def _preferred(one: Contrast, both: str) -> str:
    rate = one.win.rate
    share = f"{100 * rate.estimate:.0f} % ({100 * rate.low:.0f} to {100 * rate.high:.0f})"
    if rate.low > 0.5:
        return f"{one.b} is preferred, in {share} of the comparisons with {one.a}."
    if rate.high < 0.5:
        return f"{one.a} is preferred: {one.b} wins {share} of their comparisons."
    return f"Which of {both} is preferred is within noise: {one.b} wins {share}."


def basis(found: RoundResults) -> str:
    """What the sentence rests on."""
    c = found.counts
    late = f"; {plural(c.n_surplus, 'surplus rating')} kept apart" if c.n_surplus else ""
    return (f"{plural(c.n_ratings, 'rating')} of {plural(c.n_items, 'question')} ({plural(c.n_units, 'unit')}) by "
            f"{plural(c.n_raters, 'rater')}{late}. 95 % intervals by a bootstrap over questions, because ratings of "
            "one question hang together. The second model minus the first throughout.")


def _open_words(found: Found) -> Html | None:
    if found.round.state != "open":
        return None
    return note("The round still takes ratings: these figures are of the ratings so far, and will change.")


def _few(found: RoundResults) -> Html | None:
    if found.counts.n_items >= FEW_QUESTIONS:
        return None
    counted = plural(found.counts.n_items, "question")
    text = f"Rated on {counted} only: with fewer than {FEW_QUESTIONS} the intervals are too narrow."
    return tag("div", text, cls="caution")


def _ranking(found: Found) -> Html | None:
    """From three models on: one scale for all of them (Bradley and Terry's model, with ties)."""
    ranking = found.results.views[0].ranking
    if ranking is None:
        return None
    if not ranking.strengths:
        return card("All models on one scale", note(f"Not worked out: {ranking.why}."))
    order = sorted(ranking.strengths, key=lambda one: -one.strength.estimate)
    marks = [Mark(_chip(found, one.model), one.strength.low, one.strength.estimate, one.strength.high,
                  _arm(found, one.model), "", digits=2) for one in order]
    rows = [[f"{one.first}–{one.last}" if one.first != one.last else one.first, _chip(found, one.model),
             coefficient(one.strength)] for one in order]
    return card("All models on one scale", join([
        interval_plot(marks, "log odds", "Strength of each model", signed=True), table(RANKS, rows, "Ranking"),
        note(f"From {plural(ranking.n, 'preference')} on {plural(ranking.n_clusters, 'question')}; a rank is a range "
             f"where models are within noise of each other. {_position(ranking)}"),
    ]))


def _position(ranking: Ranking) -> str:
    if ranking.position is None:
        return ""
    side = "right" if ranking.position.estimate > 0 else "left"
    return f"Favour for the {side} side, taken out: {signed(abs(ranking.position.estimate))} log odds."


def _distribution(found: Found) -> Html | None:
    """How often each score was given, as bars beside each other."""
    scored = [one for one in found.results.scores if one.n]
    if not scored:
        return None
    most = max(max(one.bars.values()) / one.n for one in scored)
    blocks = [tag("div", tag("p", _chip(found, one.model), tag("small", f" n {one.n}")),
                  *(_bar(score, one.bars.get(score, 0), one.n, most) for score in range(5, 0, -1)),
                  cls=f"score-bars arm-{_arm(found, one.model)}") for one in scored]
    return card("Scores given", tag("div", *blocks, cls="score-grid"))


def _bar(score: int, count: int, n: int, most: float) -> Html:
    width = 100 * count / n / most if most else 0
    return tag("div", tag("span", score), tag("span", tag("i", style=f"width:{width:.1f}%"), cls="score-track"),
               tag("span", number(count), tag("small", f" {100 * count / n:.0f}\u202f%"), cls="score-count"),
               cls="score-row", role="img", aria_label=f"score {score}: {count} of {n}")


def _arm(found: Found, model: str) -> str:
    return arm_of(found.models[model].arm if model in found.models else "")


def _chip(found: Found, model: str) -> Html:
    return chip(model, _arm(found, model))


def locked_html() -> Html:
    """Where results will stand."""
    return card("Results", note(
        "Locked while the round is open: results that can be watched are results that can be waited for. Close the "
        "round to see them and to download the ratings; or unblind it now, which is logged and said wherever they are "
        "shown."))

