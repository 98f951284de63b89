"""Two models against each other: fluency, preference, the models of both, and the further scales. Second minus
first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lab.reports.verdict import p_text
from lab.ui.arms import arm_of
from lab.ui.components.folds import fold
from lab.ui.components.html import card, chip, note, number
from lab.ui.components.interval_plot import Mark, interval_plot
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.table import Column, table
from lab.ui.ratings.figures import coefficient, p_of, plural, points, share, signed

if TYPE_CHECKING:
    from lab.rating.contrasts import Contrast
    from lab.rating.fluency import FluencyDifference
    from lab.stats.bootstrap import Bootstrap
    from lab.stats.ordinal import Coefficient
    from lab.stats.win_rate import WinRate
    from lab.ui.ratings.reading import Found

MODELS = [Column("What"), Column("Estimate", number=True), Column("p", number=True), Column("n", number=True),
          Column("Unit and model", wide=True)]
CRITERIA = [Column("Scale", wide=True), Column("First", number=True), Column("Second", number=True),
            Column("Difference", number=True), Column("p", number=True), Column("Holm p", number=True)]


def contrast_html(one: Contrast, found: Found, opened: bool | None = None) -> Html:
    """`opened`: folded under its title, open or shut; None: as it is, for a round of two models."""
    cards = [_fluency(one, found), _preference(one, found)]
    body = join([tag("div", *filter(None, cards), cls="lab-cards"), _models(one), _criteria(one)])
    if opened is None:
        return tag("div", body, cls="contrast")
    title = tag("span", _chip(found, one.b), " against ", _chip(found, one.a), tag("small", _short(one)))
    return tag("div", fold(f"pair-{one.a}-{one.b}", title, body, opened), cls="contrast")


def _short(one: Contrast) -> str:
    words = []
    if one.fluency:
        d = one.fluency.difference
        words.append(f"fluency {signed(d.estimate)} ({signed(d.low)} to {signed(d.high)})")
    if one.win:
        words.append(f"wins {100 * one.win.rate.estimate:.0f} %")
    return f" {', '.join(words)} · n {one.n_items}"


def _fluency(one: Contrast, found: Found) -> Html | None:
    if one.fluency is None:
        return None
    f = one.fluency
    means = {scores.model: scores.mean for scores in found.results.scores}
    levels = [_mark(_chip(found, model), means[model], _arm(found, model)) for model in (one.a, one.b)
              if means.get(model) is not None]
    difference = [_mark("second − first", f.difference, _arm(found, one.b))]
    tests = [f"p {p_text(f.p_value)} (sign flip over questions{', exact' if f.p_exact else ''})"]
    if one.fluency_p_holm is not None and len(found.results.contrasts) > 1:
        tests.append(f"Holm p {p_text(one.fluency_p_holm)}")
    if f.wilcoxon_p is not None:
        tests.append(f"Wilcoxon p {p_text(f.wilcoxon_p)}")
    return card("Fluency", join([
        interval_plot(levels, "of 5", "Mean fluency of each model", reach=(1, 5)), tag("h3", "Difference"),
        interval_plot(difference, "points", "Difference in fluency", signed=True),
        note("; ".join(tests) + "."), _unpaired(f),
    ]))


def _unpaired(f: FluencyDifference) -> Html | None:
    words = []
    if f.n_unpaired:
        words.append(f"On {plural(f.n_unpaired, 'question')} no rater scored both answers: the difference of the two "
                     "means stands in.")
    if f.n_incomplete:
        words.append(f"{plural(f.n_incomplete, 'question')} left out, of which only one answer was scored.")
    return note(" ".join(words)) if words else None


def _preference(one: Contrast, found: Found) -> Html | None:
    if one.win is None:
        return None
    win = one.win
    mark = Mark(tag("span", "prefers ", _chip(found, one.b)), 100 * win.rate.low, 100 * win.rate.estimate,
                100 * win.rate.high, _arm(found, one.b), f"n {win.rate.n_clusters}")
    rows = [[_chip(found, one.a), _counted(win.n_a, win)], ["No difference", _counted(win.n_tie, win)]]
    rows += [["Both are bad", _counted(win.n_both_bad, win)]] if win.n_both_bad else []
    rows += [[_chip(found, one.b), _counted(win.n_b, win)]]
    tests = [f"p {p_text(win.p_value)} against one half (sign flip over questions)"]
    if one.win_p_holm is not None and len(found.results.contrasts) > 1:
        tests.append(f"Holm p {p_text(one.win_p_holm)}")
    return card("Which reads better", join([
        interval_plot([mark], "%", "Share of preferences", reach=(0, 100)),
        note(f"A tie counts half for each; 50 % is no preference. {'; '.join(tests)}."),
        table([Column("Preferred", wide=True), Column("Ratings", number=True)], rows, caption="Preferences"),
        _decided(win),
    ]))


def _counted(count: int, win: WinRate) -> Html:
    return tag("span", number(count), tag("small", f"{100 * count / win.n:.0f}\u202f%"))


def _decided(win: WinRate) -> Html:
    if win.decided is None:
        return note(f"Without ties: {win.why}.")
    return tag("p", "Without ties: ", share(win.decided), cls="note inline-figure")


def _models(one: Contrast) -> Html:
    """The statistical models in one table, each with why it has no figure where it has none."""
    c, equal, s, o, t = one.choice, one.length_controlled, one.score_model, one.order, one.two_way
    rows: list[list[object]] = []
    if one.win is not None:
        rows += [
            _line("Second model preferred", c.effect, c.n, c.why or f"log odds, {c.method}, position taken out"),
            _line("Position: the right side is favoured", c.position, c.n, c.why or "log odds, whatever stands there"),
            _line("The same at equal length", equal.effect, equal.n, _left_out(equal.why or "log odds",
                                                                      equal.n_left_out)),
            _line("One sd more relative length", equal.length, equal.n, equal.why or "log odds"),
        ]
    if one.fluency is not None:
        rows += [
            _line("Second model scores higher", s.effect, s.n, _left_out(
                s.why or "log odds, ordinal model with a constant for each rater", s.n_left_out)),
            _line("Drift over a session", o.slope, o.n, o.why or "points of fluency for 100 units"),
        ]
    rows += _sensitivity(t.rate, "Wins, raters drawn as well", share) + \
        _sensitivity(t.difference, "Fluency, raters drawn as well", points)
    if t.why:
        rows.append([_name("Raters drawn as well as questions"), number(None), "", number(t.n_raters), t.why])
    body = table(MODELS, rows, caption="Models of the ratings")
    return tag("section", tag("h2", "Models, side, length and time"), body, cls="lab-card")


def _line(what: str, value: Coefficient | None, n: int, words: str) -> list[object]:
    return [_name(what), coefficient(value), p_of(value), number(n), tag("small", words)]


def _name(words: str) -> Html:
    """A first column that keeps its width beside a wide last one."""
    return tag("span", words, cls="cell-name")


def _left_out(words: str, n: int) -> str:
    return f"{words}; {n} left out of raters who never varied" if n else words


def _sensitivity(value: Bootstrap | None, what: str, shown: Callable[[Bootstrap], Html]) -> list[list[object]]:
    if value is None:
        return []
    return [[_name(what), shown(value), "", number(value.n), tag("small",
                                                                 "questions and raters both drawn: a wider interval")]]


def _criteria(one: Contrast) -> Html | None:
    if not one.criteria:
        return None
    rows = [[line.name, number(line.mean_a, 2), number(line.mean_b, 2), points(line.difference), p_text(line.p_value),
             p_text(line.p_holm)] for line in one.criteria]
    about = note(f"Exploratory: {plural(len(rows), 'scale')} beside the main question. Holm p is corrected over them. "
                 f"First is {one.a}, second {one.b}.")
    return tag("section", tag("h2", "Further scales"), about, table(CRITERIA, rows, caption="Further scales"),
               cls="lab-card")


def _mark(label: object, value: Bootstrap, arm: str) -> Mark:
    return Mark(label, value.low, value.estimate, value.high, arm, f"n {value.n_clusters}", digits=2)


def _arm(found: Found, model: str) -> str:
    return arm_of(found.models[model].arm if model in found.models else "")


def _chip(found: Found, model: str) -> Html:
    return chip(model, _arm(found, model))
