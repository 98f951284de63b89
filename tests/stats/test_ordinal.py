"""The cumulative-link model gives statsmodels' figures, and refuses where there is nothing honest to give."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.miscmodels.ordinal_model import OrderedModel

from lab.stats.ordinal import FEWEST_CLUSTERS, OrdinalFit, Refusal, fit_ordinal


def data(n_values: int, n: int = 300, seed: int = 0):
    """(outcomes, columns, clusters) with an effect of .6 and one without."""
    rng = np.random.default_rng(seed)
    side, other = rng.choice([-1.0, 1.0], n), rng.normal(size=n)
    latent = 0.6 * side + 0.25 + rng.logistic(size=n) + np.repeat(rng.normal(0, 0.7, n // 3), 3)
    outcomes = np.digitize(latent, np.linspace(-1, 1, n_values - 1))
    return outcomes, {"side": side, "other": other}, np.repeat(np.arange(n // 3), 3)


@pytest.mark.parametrize("n_values", [3, 5])
def test_it_equals_the_ordered_model_of_statsmodels_with_its_clustered_errors(n_values):
    outcomes, columns, clusters = data(n_values)
    model = OrderedModel(outcomes, np.column_stack(list(columns.values())), distr="logit")
    theirs = model.fit(method="bfgs", gtol=1e-9, maxiter=500, disp=0, cov_type="cluster",
                       cov_kwds={"groups": clusters})
    ours = fit_ordinal(outcomes, columns, clusters)
    assert ours.method == "cumulative logit" and (ours.n, ours.n_clusters) == (300, 100)
    for place, name in enumerate(columns):
        found = ours.coefficient(name)
        assert found.estimate == pytest.approx(theirs.params[place], abs=1e-5)
        assert found.se == pytest.approx(theirs.bse[place], rel=1e-3)  # their derivatives are numeric
    thresholds = model.transform_threshold_params(theirs.params)[1:-1]
    assert ours.parameters[:n_values - 1] == pytest.approx(thresholds, abs=1e-5)


def test_two_outcomes_are_the_logit_of_statsmodels():
    outcomes, columns, clusters = data(2)
    table = sm.add_constant(np.column_stack(list(columns.values())))
    theirs = sm.Logit(outcomes, table).fit(disp=0, cov_type="cluster", cov_kwds={"groups": clusters})
    ours = fit_ordinal(outcomes, columns, clusters)
    assert ours.method == "logit"
    assert [-ours.parameters[0], *ours.parameters[1:]] == pytest.approx(list(theirs.params), abs=1e-8)
    assert np.sqrt(np.diag(ours.covariance)) == pytest.approx(theirs.bse, rel=1e-8)


def test_a_weighted_sum_of_parameters_has_the_error_of_a_contrast():
    outcomes, columns, clusters = data(3)
    fit = fit_ordinal(outcomes, columns, clusters)
    both = fit.coefficient({"side": 1.0, "other": -1.0})
    variance = fit.covariance[2, 2] + fit.covariance[3, 3] - 2 * fit.covariance[2, 3]
    assert both.estimate == pytest.approx(fit.parameters[2] - fit.parameters[3])
    assert both.se == pytest.approx(variance**0.5) and both.low < both.estimate < both.high
    assert (both.p_value < 0.05) == (both.low > 0 or both.high < 0)


def test_only_the_order_of_the_outcomes_counts():
    outcomes, columns, clusters = data(3)
    one, other = fit_ordinal(outcomes, columns, clusters), fit_ordinal(10 * outcomes**3 - 4, columns, clusters)
    assert one.parameters == pytest.approx(other.parameters)


def test_turning_the_outcomes_round_turns_the_effect_round():
    outcomes, columns, clusters = data(3)
    one, other = fit_ordinal(outcomes, columns, clusters), fit_ordinal(-outcomes, columns, clusters)
    assert one.coefficient("side").estimate == pytest.approx(-other.coefficient("side").estimate, abs=1e-8)
    assert one.coefficient("t1").estimate == pytest.approx(-other.coefficient("t2").estimate, abs=1e-8)


def test_an_outcome_that_a_column_foretells_is_refused_not_given_as_a_huge_effect():
    rng = np.random.default_rng(0)
    side, clusters = rng.choice([-1.0, 1.0], 300), np.repeat(np.arange(100), 3)
    whole = fit_ordinal(np.where(side > 0, 2, 0), {"side": side}, clusters)
    nearly = fit_ordinal(np.where(side > 0, rng.integers(1, 3, 300), rng.integers(0, 2, 300)), {"side": side}, clusters)
    for found in (whole, nearly):
        assert isinstance(found, Refusal) and "without exception" in found.why and found.n == 300
    held_back = np.where(side > 0, rng.integers(0, 3, 300), rng.integers(0, 2, 300))  # one exception each way is enough
    assert isinstance(fit_ordinal(held_back, {"side": side}, clusters), OrdinalFit)


@pytest.mark.parametrize("outcomes, columns, n_clusters, says", [
    (np.ones(60), {"x": np.arange(60) % 2}, 20, "same"),
    (np.arange(60) % 3, {"x": np.arange(60) % 2}, FEWEST_CLUSTERS - 1, "at least 10 questions"),
    (np.arange(60) % 3, {"x": np.arange(60) % 2, "y": 1 - np.arange(60) % 2}, 20, "cannot be told apart"),
    (np.arange(60) % 3, {"x": np.ones(60)}, 20, "cannot be told apart"),
    (np.arange(12) % 3, {i: np.arange(12) == i for i in range(9)}, 12, "too few"),
])
def test_it_is_refused_with_a_reason(outcomes, columns, n_clusters, says):
    found = fit_ordinal(outcomes, columns, np.arange(len(outcomes)) % n_clusters)
    assert isinstance(found, Refusal) and says in found.why


def test_lengths_that_do_not_fit_and_values_that_are_no_numbers_are_faults():
    with pytest.raises(ValueError):
        fit_ordinal([0, 1, 2], {"x": [1.0, 0.0, 1.0]}, ["q"])
    with pytest.raises(ValueError):
        fit_ordinal([0, 1], {"x": [1.0, np.nan]}, ["q", "r"])
