"""The arithmetic of PPO, each formula once: pure functions of tensors, no state, no model.

B: completions. T: tokens of the longest completion. V: vocabulary. A mask is True at the tokens that were sampled, the
end-of-sequence token included, and False at the padding after them; what stands at padding never counts.

Sources: PPO (Schulman et al. 2017, arXiv 1707.06347, equation 7), GAE (Schulman et al. 2015, arXiv 1506.02438, equation
16), the per-token KL penalty (Ouyang et al. 2022, arXiv 2203.02155, equation 2), the KL estimators (Schulman 2020,
"Approximating KL divergence"), and the way HuatuoGPT-o1 puts them together (arXiv 2412.18925, RL_stage2.py).
"""

from __future__ import annotations

import torch
from torch import Tensor


def token_logprobs(logits: Tensor, tokens: Tensor, temperature: float) -> Tensor:
    """Log-probability of each taken token under the sampled distribution. (B, T, V), (B, T) -> (B, T).

    Sampling divides the logits by the temperature, so every pass that compares probabilities must too.
    """
    scaled = logits.float() / temperature
    taken = scaled.gather(-1, tokens.unsqueeze(-1)).squeeze(-1)
    return taken - scaled.logsumexp(-1)


def token_entropies(logits: Tensor, temperature: float) -> Tensor:
    """Entropy of each token's distribution, in nats. (B, T, V) -> (B, T)."""
    logprobs = (logits.float() / temperature).log_softmax(-1)
    return -(logprobs.exp() * logprobs).sum(-1)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean over the tokens that count. (B, T), (B, T) -> ()."""
    return masked_sum(values, mask) / mask.sum()


def masked_sum(values: Tensor, mask: Tensor) -> Tensor:
    """Sum over the tokens that count, whatever stands at the others, a NaN too. (B, T), (B, T) -> ()."""
    return values.masked_fill(~mask, 0.0).sum()


def masked_variance(values: Tensor, mask: Tensor) -> Tensor:
    """Unbiased variance (n - 1) over the tokens that count; needs two of them. (B, T), (B, T) -> ()."""
    return masked_sum((values - masked_mean(values, mask)) ** 2, mask) / (mask.sum() - 1)


def masked_whiten(values: Tensor, mask: Tensor) -> Tensor:
    """Mean 0 and variance 1 over the tokens that count, 0 at the others. (B, T), (B, T) -> (B, T).

    A single token has no variance and is only shifted, to 0.
    """
    scale = (masked_variance(values, mask) + 1e-8).rsqrt() if mask.sum() > 1 else 1.0
    return ((values - masked_mean(values, mask)) * scale).masked_fill(~mask, 0.0)


def kl_k1(logprobs: Tensor, reference: Tensor) -> Tensor:
    """log(p / q) at tokens sampled from p: unbiased for KL(p || q), negative at some. (B, T) x 2 -> (B, T)."""
    return logprobs - reference


def kl_k3(logprobs: Tensor, reference: Tensor) -> Tensor:
    """q / p - 1 - log(q / p) at tokens sampled from p: unbiased too, never negative. (B, T) x 2 -> (B, T)."""
    difference = reference - logprobs
    return difference.exp() - 1 - difference


def last_tokens(mask: Tensor) -> Tensor:
    """Place of each completion's last token that counts. (B, T) -> (B,)."""
    return mask.sum(1) - 1


def token_rewards(logprobs: Tensor, reference: Tensor, scores: Tensor, mask: Tensor, beta: float) -> Tensor:
    """-beta (log p - log p_ref) at each token, and the score at the last one. (B, T) x 2, (B,), (B, T) -> (B, T).

    The last token is the end-of-sequence token where one was sampled. TRL 0.13, which HuatuoGPT-o1 ran, put the score
    one place later, on the padding, where there was room; every token then saw it through one more factor lambda.
    """
    rewards = (-beta * kl_k1(logprobs, reference)).masked_fill(~mask, 0.0)
    at = last_tokens(mask).unsqueeze(1)  # (B, 1)
    return rewards.scatter_add(1, at, scores.to(rewards.dtype).unsqueeze(1))


def advantages_and_returns(
    rewards: Tensor, values: Tensor, mask: Tensor, gamma: float, lam: float
) -> tuple[Tensor, Tensor]:
    """Generalised advantage estimation and the value's target. (B, T) x 3 -> (B, T), (B, T); both 0 at padding.

    delta_t = r_t + gamma V_t+1 - V_t;  A_t = delta_t + gamma lam A_t+1;  return_t = A_t + V_t, the lambda-return. After
    the last token both V and A are 0: the text has ended, or is taken to have ended where it was cut.
    """
    rewards, values = rewards.masked_fill(~mask, 0.0), values.masked_fill(~mask, 0.0)
    advantages = torch.zeros_like(rewards)
    following = rewards.new_zeros(rewards.shape[0])  # (B,), the advantage one token later
    for t in reversed(range(rewards.shape[1])):
        next_values = values[:, t + 1] if t + 1 < values.shape[1] else torch.zeros_like(following)
        delta = rewards[:, t] + gamma * next_values - values[:, t]
        following = delta + gamma * lam * following
        advantages[:, t] = following
    return advantages.masked_fill(~mask, 0.0), (advantages + values).masked_fill(~mask, 0.0)


def policy_losses(logprobs: Tensor, sampled: Tensor, advantages: Tensor, clip: float) -> tuple[Tensor, Tensor]:
    """Each token's clipped loss, and whether clipping decided it. (B, T) x 3 -> (B, T), (B, T).

    max(-A rho, -A clamp(rho, 1 - clip, 1 + clip)) with rho = p / p_sampled.
    """
    ratio = (logprobs - sampled).exp()
    free, clipped = -advantages * ratio, -advantages * ratio.clamp(1 - clip, 1 + clip)
    return torch.maximum(free, clipped), clipped > free


def value_losses(values: Tensor, sampled: Tensor, returns: Tensor, clip: float) -> tuple[Tensor, Tensor]:
    """Each token's clipped loss, and whether clipping decided it. (B, T) x 3 -> (B, T), (B, T).

    0.5 max((V - R)^2, (V_clipped - R)^2), where V_clipped moves at most `clip` from the value at sampling.
    """
    clipped = values.clamp(sampled - clip, sampled + clip)
    free, held = (values - returns) ** 2, (clipped - returns) ** 2
    return 0.5 * torch.maximum(free, held), held > free
