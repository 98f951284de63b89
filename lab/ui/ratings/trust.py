"""How far a result can be trusted: agreement, blinding, a judge beside the raters, and what automatic measures say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.ui.components.folds import fold
from lab.ui.components.html import card, chip, note, number
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.table import Column, table
from lab.ui.ratings.figures import plural, reach, share, signed
from lab.ui.ratings.quality import same_again

if TYPE_CHECKING:
    from lab.rating.consistency import AgreementResults, PairKappa, Raw
    from lab.rating.judge_results import JudgeAgreement
    from lab.rating.measures_correlation import MeasureCorrelation
    from lab.stats.agreement import AlphaInterval
    from lab.stats.fleiss import Fleiss
    from lab.ui.ratings.reading import Found

KAPPAS = [Column("Raters", wide=True), Column("n", number=True, hint="units both rated"), Column("Kappa", number=True),
          ""]
BLIND = [Column("Model", wide=True), Column("n", number=True), Column("Right", number=True),
         Column("Wrong", number=True),
         Column("Not sure", number=True), Column("Index", number=True,
                                                 hint="1: all knew, 0: chance, −1: all were misled")]
JUDGES = [Column("Judge", wide=True), Column("Units", number=True), Column("Says what raters say", number=True),
          Column("Kappa", number=True), Column("Same in both orders", number=True),
          Column("Prefers the first text", number=True), Column("Second wins: judge", number=True),
          Column("Second wins: raters", number=True), Column("Unread", number=True)]
MARKS = "1 is perfect agreement, 0 is chance; 0.67 and 0.80 are usual marks."
MOST_KAPPAS = 200


def trust_html(found: Found) -> Html:
    results = found.results
    cards = tag("div", card("Agreement of raters", _agreement(results.agreement)),
                card("Same rater, same unit again", _repeats(found)), cls="lab-cards")
    return join([cards, _blinding(found), _judges(results.judges), _measures(results.measures, found)])


def _agreement(found: AgreementResults) -> Html:
    parts = [_alpha("Scores", found.scores, found.raw_scores, found.fleiss_scores),
             _alpha("Preferences", found.choices, found.raw_choices, found.fleiss_choices),
             _kappas("scores", "Weighted kappa of scores, two raters at a time", found.kappas_scores),
             _kappas("choices", "Kappa of preferences, two raters at a time", found.kappas_choices),
             _few(found.few_scores or found.few_choices)]
    return join([*parts, note(MARKS)])


def _few(n: int) -> Html | None:
    if not n:
        return None
    who = "pair of raters shares" if n == 1 else "pairs of raters share"
    return note(f"{n} {who} too few units for a kappa: it takes 20.")


def _alpha(what: str, alpha: AlphaInterval | None, raw: Raw | None, fleiss: Fleiss | None) -> Html | None:
    if alpha is None:
        return None
    if alpha.alpha is None:
        return tag("p", f"{what}: alpha cannot be worked out, because {alpha.why}.")
    told = None not in (alpha.low, alpha.high)
    interval = f"95 % interval {_kappa(alpha.low)} to {_kappa(alpha.high)}" if told else \
        f"no interval: {alpha.why or 'too few units'}"
    words = [tag("b", f"{what}: "), f"Krippendorff's alpha ({alpha.level}) ", tag("b", _kappa(alpha.alpha)),
             f", {interval}; {plural(alpha.n_ratings, 'rating')} of {plural(alpha.n_units, 'unit')}."]
    if raw is not None:
        words.append(f" Two raters say the same in {100 * raw.share:.0f} % of {plural(raw.n_pairs, 'pair')}.")
    if fleiss is not None:
        words.append(f" Fleiss' kappa {_kappa(fleiss.kappa)} ({fleiss.n_units} units, {fleiss.n_raters} raters each)."
                     if fleiss.kappa is not None else f" No Fleiss' kappa: {fleiss.why}.")
    return tag("p", *words)


def _kappas(name: str, title: str, pairs: Sequence[PairKappa]) -> Html | None:
    if not pairs:
        return None
    shown = sorted(pairs, key=lambda pair: -pair.n)[:MOST_KAPPAS]
    rows = [[f"{pair.first} and {pair.second}", number(pair.n), _kappa(pair.kappa), tag("small", pair.why)]
            for pair in shown]
    more = len(pairs) - len(shown)
    rest = note(f"{more} more pairs, with fewer units each, are not listed.") if more else None
    return fold(f"kappas-{name}", f"{title} ({len(pairs)})", join([table(KAPPAS, rows, caption=title), rest]))


def _repeats(found: Found) -> Html:
    repeats = found.results.quality.repeats
    if not repeats.n:
        return note("No unit was repeated.")
    apart = repeats.mean_score_gap
    gap = f" Scores differ by {apart:.2f} points on average." if apart is not None else ""
    side = f" With the sides swapped, {repeats.n_same_side} of {repeats.n_both_decided} chose the same side again." \
        if repeats.n_both_decided else ""
    return tag("p", "The same verdict again in ", same_again(repeats), f".{gap}{side}")


def _blinding(found: Found) -> Html | None:
    rows = [[_chip(found, one.face), number(one.n), number(one.n_right), number(one.n_wrong), number(one.n_unsure),
             tag("span", tag("b", signed(one.index)), tag("small", reach(one.low, one.high)), cls="figure")]
            for one in found.results.blinding]
    if not rows:
        return card("Blinding", note("Nobody was asked to guess, or nobody has yet."))
    words = "Bang's index of what raters guessed at the end. Well above 0: they could tell, and may have rated what " \
            "they think of a model instead of what they read."
    return tag("section", tag("h2", "Blinding"), note(words), table(BLIND, rows, caption="Blinding"), cls="lab-card")


def _judges(judges: Sequence[JudgeAgreement]) -> Html | None:
    if not judges:
        return None
    rows = [_judge(one) for one in judges]
    words = "A language model read the same texts in both orders. It stands beside the raters, in no figure above."
    return tag("section", tag("h2", "A model as judge"), note(words), table(JUDGES, rows, caption="Judges"),
               cls="lab-card")


def _judge(one: JudgeAgreement) -> list[object]:
    name = tag("span", one.judge, tag("small", f"{one.b} − {one.a}"), tag("small", one.why) if one.why else None)
    low = tag("small", f"{_kappa(one.kappa_low)} to {_kappa(one.kappa_high)}") if one.kappa_low is not None else None
    return [name, number(one.n_units), _interval(one.raw), tag("span", _kappa(one.kappa), low), tag(
        "span", _interval(one.consistency), tag("small", f"{one.n_consistent} of {one.n_both_orders}")),
        _interval(one.first_share), share(one.judge_rate) if one.judge_rate else number(None),
        share(one.human_rate) if one.human_rate else number(None), f"{one.n_unread} of {one.n_votes}"]


def _kappa(value: float | None) -> Html:
    return number(None) if value is None else Html(f"{value:.2f}".replace("-", "−"))


def _interval(value: object) -> Html:
    """A share with its interval, as `lab.stats.intervals` has it."""
    if value is None:
        return number(None)
    words = f"{100 * value.low:.0f} to {100 * value.high:.0f}"  # type: ignore[attr-defined]
    return tag("span", f"{100 * value.estimate:.0f}\u202f%", tag("small", words))  # type: ignore[attr-defined]


def _measures(found: Sequence[MeasureCorrelation], whole: Found) -> Html | None:
    """A row for each measure: over all models, then within each."""
    if not found:
        return None
    models = [name for name in whole.results.models if any(one.model == name for one in found)]
    by_name: dict[str, dict[str, MeasureCorrelation]] = {}
    for one in found:
        by_name.setdefault(one.name, {})[one.model] = one
    columns = [Column("Measure"), Column("All models", number=True),
               *(Column(_chip(whole, model), number=True) for model in models)]
    rows = [[name, *(_rho(lines.get(model)) for model in ("", *models))] for name, lines in by_name.items()]
    words = ("Spearman's rank correlation of each automatic measure with the mean score of an answer. A measure that "
             "follows the raters over all models and not within one tells the models apart, not the answers.")
    body = join([note(words), table(columns, rows, caption="Automatic measures against human scores")])
    return tag("section", tag("h2", "Automatic measures against the raters"), body, cls="lab-card")


def _rho(one: MeasureCorrelation | None) -> Html:
    if one is None or one.rho is None:
        return tag("span", "–", cls="missing", title=one.why if one else "not measured")
    words = f"{reach(one.low, one.high)} · n {one.n}"
    return tag("span", tag("b", signed(one.rho)), tag("small", words), cls="figure")


def _chip(found: Found, model: str) -> Html:
    return chip(model, found.models[model].arm if model in found.models else "")
