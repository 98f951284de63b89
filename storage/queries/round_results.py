"""What the rows of a round become for the analysis: ratings, guesses, the judge's votes, automatic measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from lab.rating.judge_results import Vote
from lab.rating.measures_correlation import Measure
from lab.rating.round_texts import text_key
from lab.rating.rows import RatingRow
from lab.rating.text_measures import text_measures
from storage.queries.guessing import guesses_of
from storage.queries.ratings import current, get_round, rating_rows_of, require_results
from storage.tables.ratings import Assignment, JudgeVote, Rater, Rating, Round, TextMeasure, Unit

if TYPE_CHECKING:
    from lab.rating.quality import QualityResults
    from lab.rating.results import RoundResults
    from lab.stats.bootstrap import Bootstrap

Stored = tuple[Rating, Assignment, Unit, Rater]


def round_results(session: Session, round_id: int) -> RoundResults:
    """The whole analysis; LabError while the round is open and nobody has unblinded it."""
    from lab.rating.results import round_results as analyse

    the_round = get_round(session, round_id)
    require_results(the_round)
    return analyse(rating_rows(session, round_id), the_round.models, guesses_of(session, round_id),
                   judge_votes(session, round_id), measures_of(session, round_id),
                   seed=the_round.design.get("seed", 0))


@dataclass(frozen=True)
class Levels:
    """The short form of a round's results, for reports that join many things."""

    means: dict[str, Bootstrap]  # face → mean fluency, where it was asked
    rates: dict[tuple[str, str], Bootstrap]  # (a, b) → share that prefers b, a tie counting half


def round_levels(session: Session, the_round: Round) -> Levels:
    """Of a round whose results may be seen; without the models and the checks, which take seconds."""
    from lab.rating.contrasts import preferences
    from lab.rating.results import main_rows, model_scores
    from lab.stats.win_rate import win_rate

    require_results(the_round)
    rows, seed = main_rows(rating_rows(session, the_round.id)), the_round.design.get("seed", 0)
    scores = {face: model_scores(rows, face, seed).mean for face in the_round.models}
    asked: dict[tuple[str, str], list[RatingRow]] = {}
    for row in preferences(rows):
        asked.setdefault((row.model_a, row.model_b), []).append(row)
    rates = {pair: win_rate([row.preferred for row in own], [row.item_id for row in own], seed).rate
             for pair, own in asked.items()}
    return Levels({face: mean for face, mean in scores.items() if mean is not None}, rates)


def round_quality(session: Session, round_id: int) -> QualityResults:
    """Signs of how the raters work, which name no model and may be seen while the round is open."""
    from lab.rating.quality import round_quality as look

    return look(rating_rows(session, round_id))


def rating_rows(session: Session, round_id: int) -> list[RatingRow]:
    """The last version of every rating; raters on trial left out."""
    return [analysis_row(*row) for row in current(rating_rows_of(session, round_id)) if row[3].kind != "trial"]


def analysis_row(rating: Rating, assignment: Assignment, unit: Unit, rater: Rater) -> RatingRow:
    """One stored rating as the analysis reads it."""
    return RatingRow(
        unit=unit.uid, item_id=unit.item_id, rater=rater.code, role=assignment.role, ordinal=assignment.ordinal,
        a_left=assignment.a_left, model_a=unit.model_a, model_b=unit.model_b, fluency_left=rating.fluency_left,
        fluency_right=rating.fluency_right, preference=rating.preference,
        criteria={name: (scores[0], scores[1]) for name, scores in rating.criteria.items()},
        visible_ms=rating.visible_ms, total_ms=rating.total_ms, n_changes=rating.n_changes,
        surplus=assignment.surplus, kind=rater.kind, words_a=len(unit.text_a.split()), words_b=len(unit.text_b.split()),
        expected=unit.expected or None,
    )


def judge_votes(session: Session, round_id: int) -> list[Vote]:
    """Every verdict of a language model on the round's units."""
    rows = session.exec(select(JudgeVote, Unit).join(Unit, JudgeVote.unit_id == Unit.id).where(
        JudgeVote.round_id == round_id).order_by(col(JudgeVote.id))).all()
    return [Vote(unit.uid, unit.item_id, unit.model_a, unit.model_b, vote.judge, vote.a_first, vote.verdict,
                 vote.fluency_a, vote.fluency_b) for vote, unit in rows]


def measures_of(session: Session, round_id: int) -> list[Measure]:
    """Automatic figures of the texts that were rated: those that jobs have left, and the plain ones, counted here."""
    design = get_round(session, round_id).design
    units = session.exec(select(Unit).where(Unit.round_id == round_id, Unit.role == "main")).all()
    shown = {(unit.item_id, model): (text, unit.question) for unit in units
             for model, text in ((unit.model_a, unit.text_a), (unit.model_b, unit.text_b)) if model}
    keys = {place: (text_key(text), text_key(text, question)) for place, (text, question) in shown.items()}
    stored = _stored(session, {key for pair in keys.values() for key in pair})
    found: list[Measure] = []
    for (item, model), (text, _) in shown.items():
        values = dict(text_measures(text, design.get("language", "en")))
        for key in keys[item, model]:
            values |= stored.get(key, {})
        found += [Measure(item, model, name, value) for name, value in values.items() if value is not None]
    return found


def _stored(session: Session, wanted: set[str]) -> dict[str, dict[str, float | None]]:
    found: dict[str, dict[str, float | None]] = {}
    for row in session.exec(select(TextMeasure).order_by(col(TextMeasure.id))):
        if row.text_sha in wanted:
            found.setdefault(row.text_sha, {})[row.name] = row.value
    return found
