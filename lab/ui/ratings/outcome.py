"""What a closed round says, as the page shows it: the difference in words, the levels, and how far to trust them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.ui.components.html import card, chip, note, number
from lab.ui.components.interval_plot import Mark, interval_plot
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.table import Column, table

if TYPE_CHECKING:
    from lab.rating.results import RoundResults
    from lab.stats.bootstrap import Bootstrap
    from storage.queries.ratings import BankModel

FEW_QUESTIONS = 10  # below this a percentile bootstrap is too narrow to be taken at its word


def outcome(found: RoundResults, models: tuple[BankModel, BankModel]) -> Html:
    """All results of one round."""
    if not found.n_ratings:
        return card("Results", note("The round was closed before anything was rated."))
    a, b = models
    cards = tag(
        "div",
        card("Fluency", _fluency(found, a, b)),
        card("Which reads better", _preference(found, a, b)),
        cls="lab-cards",
    )
    trust = tag(
        "div", card("Agreement and bias", _trust(found)), card("Scores given", _scores(found, a, b)), cls="lab-cards"
    )
    words = tag("p", sentence(found, a.label, b.label), cls="round-verdict")
    return tag("div", tag("div", words, note(_basis(found)), _few(found)), cards, trust, cls="round-results")


def sentence(found: RoundResults, a: str, b: str) -> str:
    """The difference in one honest sentence."""
    if found.difference.low > 0:
        return f"{b} reads more fluently than {a}."
    if found.difference.high < 0:
        return f"{b} reads less fluently than {a}."
    return f"No difference in fluency beyond noise between {a} and {b}."


def _basis(found: RoundResults) -> str:
    """What the sentence rests on."""
    d, counts = found.difference, ((found.n_ratings, "rating"), (found.n_items, "question"), (found.n_raters, "rater"))
    ratings, questions, raters = (_plural(count, word) for count, word in counts)
    return (
        f"Difference {_signed(d.estimate)} points on the scale of 1 to 5, 95 % interval {_signed(d.low)} to "
        f"{_signed(d.high)} (bootstrap over questions); {ratings} of {questions} by {raters}."
    )


def _few(found: RoundResults) -> Html:
    if found.n_items >= FEW_QUESTIONS:
        return Html("")
    counted = _plural(found.n_items, "question")
    text = f"Rated on {counted} only: with fewer than {FEW_QUESTIONS} the intervals are too narrow."
    return tag("div", text, cls="caution")


def _fluency(found: RoundResults, a: BankModel, b: BankModel) -> Html:
    levels = [_mark(chip(m.label, m.arm), value, m.arm) for m, value in ((a, found.fluency_a), (b, found.fluency_b))]
    difference = [_mark(f"{b.label} − {a.label}", found.difference, b.arm)]
    return join(
        [
            interval_plot(levels, "of 5", "Mean fluency of each model", reach=(1, 5)),
            tag("h3", "Difference within each rating"),
            interval_plot(difference, "points", "Difference in fluency", signed=True),
        ]
    )


def _preference(found: RoundResults, a: BankModel, b: BankModel) -> Html:
    share, counts = found.preference_b, found.preferences
    mark = Mark(
        tag("span", "prefers ", chip(b.label, b.arm)),
        100 * share.low,
        100 * share.estimate,
        100 * share.high,
        b.arm,
        f"n {share.n}",
    )
    rows = [[chip(a.label, a.arm), counts["a"]], ["No difference", counts["tie"]], [chip(b.label, b.arm), counts["b"]]]
    return join(
        [
            interval_plot([mark], "%", "Share of preferences", reach=(0, 100)),
            note("A tie counts half for each; 50 % is no preference."),
            table([Column("Preferred", wide=True), Column("Ratings", number=True)], rows, caption="Preferences"),
        ]
    )


def _trust(found: RoundResults) -> Html:
    agreement, position = found.agreement, found.position
    if agreement.alpha is None:
        alpha = f"Agreement cannot be computed: {agreement.why}."
    else:
        alpha = (
            f"Krippendorff's alpha (ordinal) {agreement.alpha:.2f} over {agreement.n_units} answers that two or more "
            "raters scored. 1 is perfect agreement, 0 is chance; 0.67 and 0.80 are usual marks."
        )
    side = (
        "Nobody preferred a side."
        if position.share is None
        else (
            f"The left answer was preferred in {position.n_left} of {position.n} preferences "
            f"(p = {position.p_value:.2g} against an even split)."
        )
    )
    time = "" if found.seconds is None else f"A pair took {found.seconds:.0f} s (median, tab visible)."
    return join([tag("p", alpha), tag("p", side), tag("p", time) if time else None, _flags(found)])


def _flags(found: RoundResults) -> Html:
    if not found.flags:
        return note("No rater is flagged (one-sided, far too fast, or the same verdict many times in a row).")
    rows = (tag("li", tag("b", flag.rater), " ", flag.text) for flag in found.flags)
    return tag("div", tag("b", "Flagged, and still counted:"), tag("ul", *rows), cls="caution")


def _scores(found: RoundResults, a: BankModel, b: BankModel) -> Html:
    columns = [Column("Model", wide=True), *(Column(str(score), number=True) for score in range(1, 6))]
    rows: Sequence[Sequence[object]] = [
        [chip(m.label, m.arm), *(number(scores[score]) for score in range(1, 6))]
        for m, scores in ((a, found.scores_a), (b, found.scores_b))
    ]
    return table(columns, rows, caption="How often each score was given")


def _mark(label: object, value: Bootstrap, arm: str) -> Mark:
    return Mark(label, value.low, value.estimate, value.high, arm, f"n {value.n}", digits=2)


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
