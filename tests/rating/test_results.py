"""A whole round in one value: figures by hand, the three views side by side, and what a reader of JSON gets."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from lab.rating.measures_correlation import Measure
from lab.rating.results import round_results
from lab.rating.rows import RatingRow
from tests.rating.made_rows import row
from tests.rating.simulated_raters import Panel, simulate

MODELS = ("base", "trace")
ROWS = [
    row("q1", "R1", 3, 5, "b"), row("q1", "R2", 3, 4, "b", a_left=False),
    row("q2", "R1", 4, 4, "tie"), row("q2", "R2", 5, 4, "a", a_left=False),
]


def one_sided(rows: list[RatingRow]) -> list[RatingRow]:
    """A rater more, who always takes the left answer and always says the same."""
    return [replace(one, rater="R9", preference="left", fluency_left=5, fluency_right=3) for one in rows
            if one.rater == "R00"]


def test_means_difference_and_preference_by_hand():
    found = round_results(ROWS, MODELS)
    assert (found.counts.n_items, found.counts.n_units, found.counts.n_ratings, found.counts.n_raters) == (2, 2, 4, 2)
    base, trace = found.scores
    assert base.mean.estimate == (3 + 4.5) / 2 and trace.mean.estimate == (4.5 + 4) / 2
    assert (base.n, base.n_items, base.mean.n) == (4, 2, 2)
    assert trace.bars == {1: 0, 2: 0, 3: 0, 4: 3, 5: 1}
    assert found.primary.fluency.difference.estimate == pytest.approx((1.5 - 0.5) / 2)
    assert found.primary.win.rate.estimate == pytest.approx((1 + 0.25) / 2)
    assert (found.quality.position.n, found.quality.position.n_left) == (3, 1)


def test_the_interval_draws_questions_not_ratings():
    found = round_results(ROWS, MODELS).primary.fluency.difference
    assert (found.n_clusters, found.low, found.high) == (2, -0.5, 1.5)  # the two questions' own means


def test_a_round_without_ratings_has_counts_and_no_figure():
    found = round_results([], MODELS)
    assert found.counts.n_ratings == 0 and found.primary is None and found.agreement.scores is None
    assert [view.name for view in found.views] == ["all", "without flagged", "with surplus"]
    json.dumps(found.as_dict(), allow_nan=False)


def test_flagged_raters_stay_in_the_primary_view_and_are_missing_in_the_one_beside_it():
    honest = simulate(Panel(questions=40), 0)
    found = round_results(honest + one_sided(honest), MODELS)
    everybody, without, late = found.views
    assert found.quality.flagged == ("R9",) and everybody.left_out == () and without.left_out == ("R9",)
    assert (everybody.n_ratings, without.n_ratings) == (160, 120)
    assert without.same_as == "" and without.contrasts == round_results(honest, MODELS).contrasts
    assert without.contrasts != everybody.contrasts and (late.same_as, late.contrasts) == ("all", everybody.contrasts)


def test_late_ratings_are_counted_and_stand_in_a_view_of_their_own():
    rows = simulate(Panel(questions=40), 0)
    late = [replace(one, rater="R8", surplus=True) for one in rows if one.rater == "R01"]
    found, plain = round_results(rows + late, MODELS), round_results(rows, MODELS)
    assert found.contrasts == plain.contrasts and found.counts.n_surplus == 40 and found.counts.n_ratings == 120
    assert found.views[2].n_ratings == 160 and found.views[2].contrasts != found.contrasts
    assert found.views[1].same_as == "all"


def test_golds_repeats_and_trial_raters_change_no_figure_but_are_counted():
    rows = simulate(Panel(questions=20), 0)
    more = [row("g1", "R00", 5, 1, "a", role="gold", model_a="", model_b="", expected={"preference": "a"}),
            replace(rows[0], role="repeat"), *(replace(one, rater="T", kind="trial") for one in rows)]
    found = round_results(rows + more, MODELS)
    assert found.contrasts == round_results(rows, MODELS).contrasts
    assert (found.counts.n_gold, found.counts.n_repeats, found.quality.gold_share) == (1, 1, 1.0)


def test_three_models_are_ranked_and_two_are_not():
    panel = Panel(models=("x", "y", "z"), effects=(0.0, 0.0, 1.5), questions=60)
    found = round_results(simulate(panel, 1), panel.models)
    ranks = {one.model: (one.first, one.last) for one in found.views[0].ranking.strengths}
    assert ranks == {"x": (2, 3), "y": (2, 3), "z": (1, 1)} and len(found.contrasts) == 3
    assert round_results(simulate(Panel(questions=20), 1), MODELS).views[0].ranking is None


def test_the_same_seed_gives_the_same_results_and_another_seed_nearly_the_same():
    rows = simulate(Panel(questions=30), 0)
    one, other = (round_results(rows, MODELS, seed=seed).primary.win.rate for seed in (0, 1))
    assert round_results(rows, MODELS, seed=3) == round_results(rows, MODELS, seed=3)
    assert one.estimate == other.estimate and one.low == pytest.approx(other.low, abs=0.02)


def test_results_can_be_written_as_json():
    found = round_results(simulate(Panel(questions=20, raters=10), 0), MODELS, guesses=[("base", "trace")] * 3,
                          measures=[Measure(f"q{i:03}", "base", "fog", float(i)) for i in range(20)])
    told = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert told["views"][0]["contrasts"][0]["win"]["rate"]["estimate"] == found.primary.win.rate.estimate
    assert told["blinding"][0]["face"] == "trace" and told["measures"][0]["name"] == "fog"
    assert set(told["scores"][0]["bars"]) == set("12345")


def test_a_round_of_a_hundred_questions_and_three_raters_takes_less_than_three_seconds():
    rows = simulate(Panel(), 0)
    started = time.perf_counter()
    round_results(rows, MODELS)
    assert time.perf_counter() - started < 3


def test_the_page_loads_no_statistics_library_with_it():
    code = ("import sys, lab.rating.results, lab.rating.sample_size\n"
            "print([name for name in ('scipy.stats', 'statsmodels', 'pandas', 'torch') if name in sys.modules])")
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
