"""Ordered outcomes explained by columns: the cumulative-link model with logit link, and clustered standard errors.

P(y ≤ j) = σ(t_j − xβ) (P. McCullagh, J. R. Stat. Soc. B 42 (1980) 109-142). With outcomes left < tie < right and x = ±1
it is Bradley and Terry's model with Rao and Kupper's ties. With two outcomes it is the logit. The likelihood is concave
(J. W. Pratt, J. Am. Stat. Assoc. 76 (1981) 103-106), so Newton's method with analytic derivatives finds the one
maximum. The covariance is the sandwich over clusters with the usual correction C/(C−1) · (n−1)/(n−k); intervals are
Student's with C − 1 degrees of freedom. Figures equal statsmodels' OrderedModel and Logit, which take numeric
derivatives: with a column for each of ten raters a hundred times as long.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import expit, logit, stdtr, stdtrit

FEWEST_CLUSTERS = 10  # below it a sandwich is far too narrow
MOST_STEPS, CLOSE = 100, 1e-9
DIVERGED = 20.0  # log odds; an outcome that certain is separation, not an estimate
SEPARATED = "some column foretells the outcome without exception, so its effect has no upper bound"


@dataclass(frozen=True)
class Coefficient:
    """One figure of a fitted model with its interval; the p value is two-sided against 0."""

    estimate: float
    low: float
    high: float
    se: float
    p_value: float


@dataclass(frozen=True)
class Refusal:
    """Why a model was not fitted. It rests on n outcomes in so many clusters."""

    why: str
    n: int
    n_clusters: int


@dataclass(frozen=True)
class OrdinalFit:
    """A fitted model. `parameters` are the J − 1 thresholds (named t1, t2, …) and then the columns."""

    method: str  # cumulative logit | logit
    names: tuple[Hashable, ...]
    parameters: np.ndarray  # (P,)
    covariance: np.ndarray  # (P, P)
    n: int
    n_clusters: int
    level: float = 0.95

    def coefficient(self, weights: str | Mapping[Hashable, float]) -> Coefficient:
        """One parameter by name, or a weighted sum of some."""
        chosen = {weights: 1.0} if isinstance(weights, str) else weights
        vector = np.zeros(len(self.names))
        for name, weight in chosen.items():
            vector[self.names.index(name)] += weight
        estimate, se = float(vector @ self.parameters), sqrt(max(0.0, float(vector @ self.covariance @ vector)))
        free = self.n_clusters - 1
        half = float(stdtrit(free, (1 + self.level) / 2)) * se
        p_value = 2 * float(stdtr(free, -abs(estimate) / se)) if se else 1.0
        return Coefficient(estimate, estimate - half, estimate + half, se, p_value)


def fit_ordinal(
    outcomes: np.ndarray, columns: Mapping[Hashable, np.ndarray], clusters: Sequence[Hashable], level: float = 0.95
) -> OrdinalFit | Refusal:
    """`outcomes` (n,) are numbers of which only the order counts; `columns` (n,) each; `clusters` name n clusters.

    Refused, with the reason: too few clusters, one outcome only, columns that cannot be told apart, separation.
    """
    values, y = np.unique(np.asarray(outcomes), return_inverse=True)
    groups, index = np.unique(np.asarray(clusters), return_inverse=True)
    n, x = len(y), np.column_stack([np.zeros((len(y), 0)), *columns.values()]).astype(float)  # (n, K)
    if len(index) != n or len(x) != n or not np.isfinite(x).all():
        raise ValueError(f"{n} outcomes need as many clusters and as many finite rows of columns")
    if why := _unfit(len(values), len(groups), x):
        return Refusal(why, n, len(groups))
    found = _newton(y, x, len(values) - 1)
    if found is None:
        return Refusal(SEPARATED, n, len(groups))
    parameters, scores, hessian = found
    bread = np.linalg.inv(-hessian)
    sums = np.zeros((len(groups), len(parameters)))
    np.add.at(sums, index, scores)
    scale = len(groups) / (len(groups) - 1) * (n - 1) / (n - len(parameters))
    covariance = scale * bread @ (sums.T @ sums) @ bread
    names = (*(f"t{j + 1}" for j in range(len(values) - 1)), *columns)
    method = "logit" if len(values) == 2 else "cumulative logit"
    return OrdinalFit(method, names, parameters, covariance, n, len(groups), level)


def _unfit(n_values: int, n_clusters: int, x: np.ndarray) -> str:
    if n_clusters < FEWEST_CLUSTERS:
        return f"needs at least {FEWEST_CLUSTERS} questions, and there are {n_clusters}"
    if n_values < 2:
        return "every outcome is the same"
    if len(x) <= x.shape[1] + n_values:
        return f"{len(x)} outcomes are too few for {x.shape[1] + n_values - 1} figures"
    whole = np.column_stack([np.ones(len(x)), x])
    if np.linalg.matrix_rank(whole) < whole.shape[1]:
        return "two columns say the same, or one never changes, so their effects cannot be told apart"
    return ""


def _newton(y: np.ndarray, x: np.ndarray, n_thresholds: int) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """(parameters, each outcome's score, Hessian) at the maximum; None where the likelihood has none."""
    reached = np.array([(y <= j).mean() for j in range(n_thresholds)])
    theta = np.concatenate([logit(reached), np.zeros(x.shape[1])])
    reach = np.concatenate([np.zeros(n_thresholds), np.ptp(x, axis=0)])
    at, scores, hessian = _derivatives(theta, y, x, n_thresholds)
    for _ in range(MOST_STEPS):
        gradient = scores.sum(axis=0)
        try:
            step = np.linalg.solve(-hessian, gradient)
        except np.linalg.LinAlgError:
            return None
        if gradient @ step < CLOSE**2 * len(y):
            return theta, scores, hessian
        for _ in range(40):  # halve until it rises
            tried = theta + step
            if (np.diff(tried[:n_thresholds]) > 0).all():
                new = _derivatives(tried, y, x, n_thresholds)
                if new[0] >= at - 1e-12 * abs(at):
                    break
            step = step / 2
        else:
            return None
        theta, (at, scores, hessian) = tried, new
        if (np.abs(theta) * reach > DIVERGED).any():
            return None
    return None


def _derivatives(theta: np.ndarray, y: np.ndarray, x: np.ndarray, n_thresholds: int
                 ) -> tuple[float, np.ndarray, np.ndarray]:
    """(log likelihood, scores (n, P), Hessian (P, P))."""
    n, ends = len(y), np.concatenate([[-np.inf], theta[:n_thresholds], [np.inf]])
    shift = x @ theta[n_thresholds:]
    upper, lower = ends[y + 1] - shift, ends[y] - shift  # (n,) each
    high, low = expit(upper), expit(lower)
    chance = np.maximum(np.where(lower > 0, expit(-lower) - expit(-upper), high - low), 1e-300)
    by_upper, by_lower = np.zeros((n, len(theta))), np.zeros((n, len(theta)))
    rows = np.arange(n)
    by_upper[rows[y < n_thresholds], y[y < n_thresholds]] = 1
    by_lower[rows[y > 0], y[y > 0] - 1] = 1
    by_upper[:, n_thresholds:] = by_lower[:, n_thresholds:] = -x
    f_upper, f_lower = high * (1 - high), low * (1 - low)
    scores = ((f_upper / chance)[:, None] * by_upper) - ((f_lower / chance)[:, None] * by_lower)
    bend_upper, bend_lower = f_upper * (1 - 2 * high) / chance, f_lower * (1 - 2 * low) / chance
    hessian = by_upper.T @ (bend_upper[:, None] * by_upper) - by_lower.T @ (bend_lower[:, None] * by_lower)
    return float(np.log(chance).sum()), scores, hessian - scores.T @ scores
