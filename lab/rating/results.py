"""What a closed round says, all of it in one value.

Three views of the same ratings stand side by side: of all raters (the primary one), without flagged raters, and with
the ratings that came after their place was taken. Nothing is dropped silently: each view says who is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from math import isfinite
from typing import Any

import numpy as np

from lab.rating.blinding_results import FaceBlinding, Guess, blinding
from lab.rating.consistency import AgreementResults, agreement
from lab.rating.contrasts import Contrast, contrasts, preferences
from lab.rating.fluency import bars, question_scores
from lab.rating.judge_results import JudgeAgreement, Vote, judge_agreement, judge_measures
from lab.rating.measures_correlation import Measure, MeasureCorrelation, correlations
from lab.rating.quality import QualityResults, round_quality
from lab.rating.rows import RatingRow, main_rows, scores
from lab.stats.bootstrap import Bootstrap, mean_interval
from lab.stats.bradley_terry import Ranking, Verdict, rank_models

ALL, WITHOUT_FLAGGED, WITH_SURPLUS = "all", "without flagged", "with surplus"


@dataclass(frozen=True)
class Counts:
    """`n_items`, `n_units`, `n_ratings` and `n_raters` are of the main ratings without surplus ones."""

    n_items: int
    n_units: int
    n_ratings: int
    n_raters: int
    n_surplus: int
    n_gold: int
    n_repeats: int


@dataclass(frozen=True)
class ModelScores:
    """Fluency of one model: mean over questions of each question's mean, and every score it got."""

    model: str
    n: int
    n_items: int
    mean: Bootstrap | None
    bars: dict[int, int]


@dataclass(frozen=True)
class View:
    """One choice of ratings. `same_as` "all": it holds the same ratings, and so the same figures."""

    name: str
    left_out: tuple[str, ...]  # raters
    n_ratings: int
    same_as: str
    contrasts: tuple[Contrast, ...]
    ranking: Ranking | None  # from three models on, where preferences were asked


@dataclass(frozen=True)
class RoundResults:
    """Everything; `views[0]` is the primary analysis."""

    models: tuple[str, ...]
    seed: int
    counts: Counts
    scores: tuple[ModelScores, ...]
    views: tuple[View, ...]
    agreement: AgreementResults
    quality: QualityResults
    blinding: tuple[FaceBlinding, ...]
    judges: tuple[JudgeAgreement, ...]
    measures: tuple[MeasureCorrelation, ...]

    @property
    def contrasts(self) -> tuple[Contrast, ...]:
        return self.views[0].contrasts

    @property
    def primary(self) -> Contrast | None:
        """The first pair of models, over all raters; None where nothing can be compared yet."""
        return self.contrasts[0] if self.contrasts else None

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON: lists, plain numbers, None for what is no number, names as keys."""
        return _plain(self)


def round_results(
    rows: Sequence[RatingRow], models: Sequence[str], guesses: Sequence[Guess | tuple[str, str]] = (),
    votes: Sequence[Vote] = (), measures: Sequence[Measure] = (), seed: int = 0,
) -> RoundResults:
    """`rows`: all of the round, golds, repeats and surplus ones too, the last version of each; `models`: its faces, the
    first being what others are measured against."""
    main, quality = main_rows(rows), round_quality(rows)
    return RoundResults(
        tuple(models), seed, _counts(rows, main), tuple(model_scores(main, model, seed) for model in models),
        _views(rows, models, quality.flagged, seed), agreement(rows, seed), quality, blinding(guesses, models),
        judge_agreement(rows, votes, models, seed),
        correlations(rows, (*measures, *judge_measures(votes)), models, seed),
    )


def _views(rows: Sequence[RatingRow], models: Sequence[str], flagged: tuple[str, ...], seed: int) -> tuple[View, ...]:
    main, late = main_rows(rows), main_rows(rows, with_surplus=True)
    kept = [row for row in main if row.rater not in flagged]
    first = _view(ALL, (), main, models, seed)
    views = [first]
    for name, left_out, chosen in ((WITHOUT_FLAGGED, flagged, kept), (WITH_SURPLUS, (), late)):
        same = len(chosen) == len(main)
        views.append(View(name, left_out, first.n_ratings, ALL, first.contrasts, first.ranking) if same else
                     _view(name, left_out, chosen, models, seed))
    return tuple(views)


def _view(name: str, left_out: tuple[str, ...], rows: Sequence[RatingRow], models: Sequence[str], seed: int) -> View:
    asked = preferences(rows)
    ranking = None
    if len(models) > 2 and asked:
        ranking = rank_models([verdict_by_side(row) for row in asked], models)
    return View(name, left_out, len(rows), "", contrasts(rows, models, seed), ranking)


def verdict_by_side(row: RatingRow) -> Verdict:
    """A preference as the ranking reads it: what stood left, what right."""
    left, right = (row.model_a, row.model_b) if row.a_left else (row.model_b, row.model_a)
    return Verdict(left, right, row.preference, row.item_id)


def _counts(rows: Sequence[RatingRow], main: Sequence[RatingRow]) -> Counts:
    real = [row for row in rows if row.kind != "trial"]
    return Counts(
        len({row.item_id for row in main}), len({row.unit for row in main}), len(main),
        len({row.rater for row in main}),
        sum(row.surplus for row in real if row.role == "main"), sum(row.role == "gold" for row in real),
        sum(row.role == "repeat" for row in real),
    )


def model_scores(rows: Sequence[RatingRow], model: str, seed: int) -> ModelScores:
    given = scores(rows)
    means = np.array(list(question_scores(given, model).values()))
    mean = mean_interval(means, seed=seed) if len(means) else None
    counts = bars(given, model)
    return ModelScores(model, sum(counts.values()), len(means), mean, counts)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not isfinite(value) else value
