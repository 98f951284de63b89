"""Every formula of PPO against three tokens worked by hand, and against something this project did not write.

B: completions. T: tokens. V: vocabulary.
"""

from __future__ import annotations

from math import exp, log, sqrt

import pytest
import torch
from torch.distributions import Categorical, kl_divergence

from lab.training.rl_math import (
    advantages_and_returns,
    kl_k1,
    kl_k3,
    last_tokens,
    masked_mean,
    masked_sum,
    masked_variance,
    masked_whiten,
    policy_losses,
    token_entropies,
    token_logprobs,
    token_rewards,
    value_losses,
)

NAN = float("nan")


def row(*values: float) -> torch.Tensor:
    """(1, T)."""
    return torch.tensor([values], dtype=torch.float32)


def close(found: torch.Tensor, *expected: float) -> None:
    torch.testing.assert_close(found, row(*expected), rtol=1e-5, atol=1e-6)


ALL = torch.tensor([[True, True, True]])
TWO = torch.tensor([[True, True, False]])


def test_log_probability_of_the_taken_tokens():
    # Weights 1, 2, 5 of 8 at each of three tokens; taken are the third, the first, the second.
    logits = torch.tensor([[[log(1), log(2), log(5)]] * 3])  # (1, 3, 3)
    taken = torch.tensor([[2, 0, 1]])
    close(token_logprobs(logits, taken, 1.0), log(5 / 8), log(1 / 8), log(2 / 8))
    # Temperature 0.5 squares the weights: 1, 4, 25 of 30.
    close(token_logprobs(logits, taken, 0.5), log(25 / 30), log(1 / 30), log(4 / 30))


def test_log_probabilities_and_entropies_are_those_of_torch_distributions():
    torch.manual_seed(0)
    logits, taken = torch.randn(4, 6, 11) * 3, torch.randint(0, 11, (4, 6))
    for temperature in (0.5, 1.0, 1.7):
        theirs = Categorical(logits=logits / temperature)
        torch.testing.assert_close(token_logprobs(logits, taken, temperature), theirs.log_prob(taken))
        torch.testing.assert_close(token_entropies(logits, temperature), theirs.entropy())


def test_entropy():
    # 1/4, 1/4, 1/2: 2 (1/4) ln 4 + (1/2) ln 2 = 1.5 ln 2; a certain token: 0; three alike: ln 3.
    logits = torch.tensor([[[0.0, 0.0, log(2)], [0.0, 1e4, 0.0], [7.0, 7.0, 7.0]]])
    close(token_entropies(logits, 1.0), 1.5 * log(2), 0.0, log(3))


def test_mean_and_variance_pass_over_padding_whatever_stands_there():
    # 1, 2, 6: mean 3, squares of what is left 4 + 1 + 9 = 14, over n - 1 = 2 is 7.
    values = row(1, 2, 6)
    assert masked_mean(values, ALL).item() == 3.0
    assert masked_variance(values, ALL).item() == 7.0
    # Without the last one: mean 1.5, (0.25 + 0.25) / 1.
    for padding in (6.0, NAN, float("inf")):
        some = row(1, 2, padding)
        assert masked_sum(some, TWO).item() == 3.0
        assert masked_mean(some, TWO).item() == 1.5
        assert masked_variance(some, TWO).item() == 0.5


def test_whitening():
    # (1 - 3, 2 - 3, 6 - 3) / sqrt 7.
    close(masked_whiten(row(1, 2, 6), ALL), -2 / sqrt(7), -1 / sqrt(7), 3 / sqrt(7))
    # (1 - 1.5, 2 - 1.5) / sqrt 0.5, and nothing at the padding.
    close(masked_whiten(row(1, 2, NAN), TWO), -0.5 / sqrt(0.5), 0.5 / sqrt(0.5), 0.0)
    # All alike: nothing to learn from, and no division by zero. One token alone: no variance to divide by.
    close(masked_whiten(row(5, 5, 5), ALL), 0.0, 0.0, 0.0)
    close(masked_whiten(row(5, 1, 1), torch.tensor([[True, False, False]])), 0.0, 0.0, 0.0)


def test_the_two_kl_estimators():
    # log p = -1, -2, -0.5 and log q = -1.5, -1.5, -0.5: log p/q = 0.5, -0.5, 0.
    logprobs, reference = row(-1, -2, -0.5), row(-1.5, -1.5, -0.5)
    close(kl_k1(logprobs, reference), 0.5, -0.5, 0.0)
    # q/p - 1 - log q/p = e^-0.5 - 1 + 0.5, e^0.5 - 1 - 0.5, 0.
    close(kl_k3(logprobs, reference), exp(-0.5) - 0.5, exp(0.5) - 1.5, 0.0)


def test_both_kl_estimators_are_unbiased():
    torch.manual_seed(1)
    p, q = torch.randn(9).log_softmax(-1), torch.randn(9).log_softmax(-1)  # (V,)
    truth = kl_divergence(Categorical(logits=p), Categorical(logits=q))
    for estimator in (kl_k1, kl_k3):
        torch.testing.assert_close((p.exp() * estimator(p, q)).sum(), truth)
    assert bool((kl_k3(p, q) >= 0).all()) and bool((kl_k1(p, q) < 0).any())


def test_the_penalty_is_at_every_token_and_the_score_at_the_last_real_one():
    logprobs = torch.tensor([[-1.0, -2.0, -0.5], [-1.0, -2.0, NAN]])
    reference = torch.tensor([[-1.5, -1.5, -0.5], [-1.5, -1.5, 0.0]])
    mask = torch.cat([ALL, TWO])
    rewards = token_rewards(logprobs, reference, torch.tensor([1.0, 0.1]), mask, beta=0.1)
    # -0.1 (0.5, -0.5, 0) and 1 at the third token; -0.1 (0.5, -0.5) and 0.1 at the second, nothing at the padding.
    expected = torch.tensor([[-0.05, 0.05, 1.0], [-0.05, 0.15, 0.0]])
    torch.testing.assert_close(rewards, expected)
    assert last_tokens(mask).tolist() == [2, 1]
    # The reward of a whole completion: its score less beta times its log-ratio.
    torch.testing.assert_close(rewards.sum(1), torch.tensor([1.0 - 0.1 * 0.0, 0.1 - 0.1 * 0.0]))


def test_advantages_and_returns():
    rewards, values = row(-0.05, 0.05, 1.0), row(0.2, 0.4, 0.6)
    # gamma 1: deltas 1 - 0.6 = 0.4; 0.05 + 0.6 - 0.4 = 0.25; -0.05 + 0.4 - 0.2 = 0.15.
    # lambda 0.5: 0.4; 0.25 + 0.5 (0.4) = 0.45; 0.15 + 0.5 (0.45) = 0.375. Returns: advantages + values.
    advantages, returns = advantages_and_returns(rewards, values, ALL, gamma=1.0, lam=0.5)
    close(advantages, 0.375, 0.45, 0.4)
    close(returns, 0.575, 0.85, 1.0)
    # gamma 0.9: deltas 0.4; 0.05 + 0.54 - 0.4 = 0.19; -0.05 + 0.36 - 0.2 = 0.11; factor 0.45.
    # 0.4; 0.19 + 0.18 = 0.37; 0.11 + 0.1665 = 0.2765.
    close(advantages_and_returns(rewards, values, ALL, gamma=0.9, lam=0.5)[0], 0.2765, 0.37, 0.4)
    # lambda 1, gamma 1: what is still to come, less the value. lambda 0: the deltas.
    close(advantages_and_returns(rewards, values, ALL, gamma=1.0, lam=1.0)[0], 1.0 - 0.2, 1.05 - 0.4, 1.0 - 0.6)
    close(advantages_and_returns(rewards, values, ALL, gamma=1.0, lam=0.0)[0], 0.15, 0.25, 0.4)


def test_nothing_flows_back_from_padding():
    rewards, values = row(-0.05, 1.05, 99.0), row(0.2, 0.4, NAN)
    # The second token is the last: delta 1.05 - 0.4 = 0.65; then -0.05 + 0.4 - 0.2 = 0.15, + 0.5 (0.65) = 0.475.
    advantages, returns = advantages_and_returns(rewards, values, TWO, gamma=1.0, lam=0.5)
    close(advantages, 0.475, 0.65, 0.0)
    close(returns, 0.675, 1.05, 0.0)


@pytest.mark.parametrize(("gamma", "lam"), [(1.0, 0.95), (0.97, 0.9), (1.0, 1.0), (0.9, 0.0)])
def test_advantages_are_the_discounted_sum_of_deltas_that_the_paper_defines(gamma, lam):
    torch.manual_seed(2)
    lengths = [7, 1, 4]
    mask = torch.arange(7)[None] < torch.tensor(lengths)[:, None]
    rewards, values = torch.randn(3, 7, dtype=torch.float64), torch.randn(3, 7, dtype=torch.float64)
    found, returns = advantages_and_returns(rewards, values, mask, gamma, lam)
    for b, n in enumerate(lengths):
        following = [*values[b, 1:n].tolist(), 0.0]
        deltas = [rewards[b, t] + gamma * following[t] - values[b, t] for t in range(n)]
        for t in range(n):
            expected = sum((gamma * lam) ** (k - t) * deltas[k] for k in range(t, n))
            assert found[b, t].item() == pytest.approx(expected.item(), rel=1e-12)
            assert returns[b, t].item() == pytest.approx((expected + values[b, t]).item(), rel=1e-12)
        assert found[b, n:].abs().sum() == 0


def test_clipped_policy_loss():
    # Ratios 1.5, 0.5, 1.1 with clip 0.2.
    sampled = row(log(0.5), log(0.4), log(0.1))
    now = row(log(0.75), log(0.2), log(0.11))
    # A = 1: -1.5 or -1.2, the larger is -1.2, clipped. A = -2: 1.0 or 2 (0.8) = 1.6, clipped. A = -1: 1.1 both ways.
    losses, clipped = policy_losses(now, sampled, row(1, -2, -1), clip=0.2)
    close(losses, -1.2, 1.6, 1.1)
    assert clipped.tolist() == [[True, True, False]]
    # The other signs: a step in the wrong direction is never cut off. -1 (-1.5) = 1.5; -2 (0.5) = -1; -1 (1.1).
    losses, clipped = policy_losses(now, sampled, row(-1, 2, 1), clip=0.2)
    close(losses, 1.5, -1.0, -1.1)
    assert clipped.tolist() == [[False, False, False]]


def test_a_clipped_token_gives_no_gradient_and_an_unmoved_one_gives_minus_its_advantage():
    now = row(log(0.75), log(0.4), log(0.1)).requires_grad_()
    losses, _ = policy_losses(now, row(log(0.5), log(0.4), log(0.1)), row(1, 3, -2), clip=0.2)
    losses.sum().backward()
    close(now.grad, 0.0, -3.0, 2.0)  # d/dlogp of -A rho is -A rho, and rho is 1 at the second and third


def test_clipped_value_loss():
    # Values 1, 0.5, 0.2 that were 0.5 when sampled may be 0.7, 0.5, 0.3 with clip 0.2; the targets are 1, 0, 0.6.
    # Squares: 0 or 0.09; 0.25 both; 0.16 or 0.09. Half of the larger: 0.045, 0.125, 0.08.
    losses, clipped = value_losses(row(1, 0.5, 0.2), row(0.5, 0.5, 0.5), row(1, 0, 0.6), clip=0.2)
    close(losses, 0.045, 0.125, 0.08)
    assert clipped.tolist() == [[True, False, False]]


def test_fractions_are_means_over_real_tokens():
    _, clipped = policy_losses(row(log(0.75), log(0.2), log(0.9)), row(log(0.5), log(0.4), log(0.1)), row(1, 2, 1), 0.2)
    assert clipped.tolist() == [[True, False, True]]
    assert masked_mean(clipped.float(), TWO).item() == 0.5
