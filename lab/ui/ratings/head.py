"""The chosen round at a glance: how far it is, what it is, what was left out, what raters reported. Counts only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.core.spec import to_yaml
from lab.rating.design import RoundSpec
from lab.rating.wording import wording
from lab.ui.components.folds import fold
from lab.ui.components.health import Healths, named
from lab.ui.components.html import ago, fact_list, progress_bar, state_badge
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.table import Column, table
from lab.ui.ratings.warnings import excluded_words, risk_words, warning_words

if TYPE_CHECKING:
    from storage.queries.ratings import BankModel, RoundProgress
    from storage.tables import Round

TASKS = {"both": "two answers: fluency of each, and which reads better",
         "preference": "two answers: which reads better",
         "fluency": "one answer: its fluency"}
SHOWN_REPORTS = 50


def head_html(counts: RoundProgress, models: dict[str, BankModel], healths: Healths) -> Html:
    """The card of one round; its folds are named, so that they stay as they were left."""
    the_round = counts.round
    title = tag("div", tag("h2", the_round.name), state_badge(the_round.state), cls="round-title")
    bar = progress_bar(counts.n_ratings, counts.n_needed, f"{counts.n_ratings} of {counts.n_needed} ratings") \
        if counts.n_needed else tag("p", "Nobody rates yet.", cls="note")
    people = [rater for rater in counts.raters if rater.kind != "trial"]
    facts = fact_list([
        ("Models", tag("span", *(named(m.label, m.arm, healths) for m in models.values()), cls="lab-chips")),
        ("Units complete", f"{counts.n_complete} of {counts.n_units}"),
        ("Raters", f"{sum(rater.n_done > 0 for rater in people)} have rated, of {len(people)}"),
        ("Skipped", _skipped(counts)),
        ("Surplus", f"{counts.n_surplus} (kept, not in the main figures)" if counts.n_surplus else 0),
        ("Made", ago(the_round.created_at)),
        *([("Closed", ago(the_round.closed_at))] if the_round.closed_at else []),
    ])
    parts = [title, unblinded_words(the_round), bar, facts, _reports(counts),
             fold("round-left-out", _left_out_title(the_round), _left_out(the_round)),
             fold("round-blindness", _blindness_title(the_round), _blindness(the_round)),
             fold("round-design", "Design", design_html(counts))]
    return tag("section", *parts, cls="lab-card round-head")


def unblinded_words(the_round: Round) -> Html | None:
    """Said wherever a round is shown whose results somebody saw before it was closed."""
    if the_round.unblinded_at is None:
        return None
    who = the_round.unblinded_by or "somebody (no log-in)"
    words = [tag("b", "Unblinded early. "), f"{who} opened the results ", ago(the_round.unblinded_at),
             ", while ratings were still to come. ",
             "Decisions made since may have been made knowing them; say so where the results are reported."]
    return tag("div", *words, cls="caution")


def _skipped(counts: RoundProgress) -> str:
    if not counts.n_skipped:
        return "0"
    reasons = wording("en").skip_reasons
    told = (f"{n} × {reasons.get(name, name)}" for name, n in counts.skip_reasons.items())
    return f"{counts.n_skipped}: {'; '.join(told)}"


def _reports(counts: RoundProgress) -> Html | None:
    """What raters wrote with the flag button; it names no model."""
    if not counts.flags:
        return None
    rows = [[code, question, text] for code, question, text in counts.flags[:SHOWN_REPORTS]]
    more = len(counts.flags) - len(rows)
    body = join([table([Column("Rater"), Column("Question", wide=True), Column("Reported", wide=True)], rows,
                       "Reports"),
                 tag("p", f"{more} more are in events.jsonl.", cls="note") if more > 0 else None])
    n = len(counts.flags)
    return fold("round-reports", f"{n} report{'' if n == 1 else 's'} by raters", body, cls="reported")


def _left_out_title(the_round: Round) -> str:
    n = the_round.n_excluded
    return f"{n} question{'' if n == 1 else 's'} left out" if n else "No question left out"


def _left_out(the_round: Round) -> Html:
    excluded = the_round.excluded or {}
    return excluded_words(excluded.get("pairs", {}), excluded.get("by_model", {}))


def _blindness_title(the_round: Round) -> str:
    n = len(the_round.warnings)
    return f"⚠ {n} thing{'' if n == 1 else 's'} may give a model away" if n else "Blindness: nothing found"


def _blindness(the_round: Round) -> Html:
    return join([warning_words(the_round.warnings), risk_words(the_round.risk)])


def design_html(counts: RoundProgress) -> Html:
    """Every decision that was made before the first rating, and the recipe to make such a round again."""
    design, the_round = counts.design, counts.round
    facts = fact_list([("Answer bank", _bank(counts)), ("Seed", design.seed), *design_facts(design),
                       ("Design", tag("code", the_round.design_sha))])
    recipe = tag("pre", to_yaml("round", changed(design)), cls="log", tabindex=0)
    words = tag("dl", *(tag("div", tag("dt", name), tag("dd", text, cls="pre")) for name, text in _texts(design)),
                cls="round-texts")
    return tag("div", facts, fold("round-wording", "What raters read", words),
               fold("round-recipe", "As a recipe", recipe))


def design_facts(design: RoundSpec) -> list[tuple[str, object]]:
    rest = " or ".join(filter(None, (f"{design.rest_after_units} units" if design.rest_after_units else "",
                                     f"{design.rest_after_min} min" if design.rest_after_min else "")))
    return [
        ("On the screen", TASKS[design.task]), ("Ratings of each unit", design.quota),
        ("Questions for everybody", f"{100 * design.shared_share:.0f}\u202f%"),
        ("Most units a rater", design.most_units or "no limit"),
        ("Known answers", f"one in {design.gold_every}" if design.gold_every else "none"),
        ("Asked again", f"{100 * design.repeat_share:.0f}\u202f%"),
        ("Practice", f"yes, {100 * design.practice_pass:.0f}\u202f% right to go on" if design.practice else "no"),
        ("Further scales", ", ".join(design.criteria) or "none"), ("Language", wording(design.language).native_name),
        ("Not before", f"{design.min_seconds:g} s"), ("Pause after", rest or "never"),
        ("Guesses at the end", f"{design.guesses}, of {design.guess_target}" if design.guesses else "none"),
        ("Consent", f"version {design.consent_version}" if design.consent_version else "the lab's text"),
    ]


def _bank(counts: RoundProgress) -> str:
    if counts.round.origin:
        return "in another lab"
    return f"{counts.bank_name} (no. {counts.round.bank_id})" if counts.bank_name else "not in this lab"


def changed(design: RoundSpec) -> dict[str, object]:
    """What differs from the declaration, and what it requires: a recipe that reads like one."""
    values = design.as_dict()
    fields = RoundSpec.model_fields
    kept = {}
    for name, value in values.items():
        default = fields[name].get_default(call_default_factory=True)
        if fields[name].is_required() or value != (list(default) if isinstance(default, tuple) else default):
            kept[name] = value
    return kept


def _texts(design: RoundSpec) -> list[tuple[str, str]]:
    anchors = "\n".join(f"{score}: {text}" for score, text in enumerate(design.anchors, start=1))
    found = [("Definition", design.definition), ("Scale", anchors), ("Preference", design.preference_question),
             ("Guess", design.guess_question), ("Consent", design.consent)]
    return [(name, text) for name, text in found if text]
