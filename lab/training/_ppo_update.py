"""One step's learning: what the sampled completions were worth, and the clipped updates from them.

B: rows. T: tokens of the longest completion.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import cos, isfinite, pi
from typing import Any

import torch
from torch import Tensor

from lab.core.errors import LabError
from lab.training._ppo_policy import Policy
from lab.training._rollouts import Rollouts
from lab.training.rl_math import (
    advantages_and_returns,
    kl_k1,
    kl_k3,
    masked_mean,
    masked_sum,
    masked_whiten,
    policy_losses,
    token_rewards,
    value_losses,
)
from lab.training.rl_specs import PpoSpec


@dataclass(frozen=True)
class Scored:
    """What sampling left: each (B, T), 0 at padding."""

    logprobs: Tensor  # of the policy that sampled
    reference: Tensor  # of the model the run began with
    values: Tensor
    entropies: Tensor


@dataclass(frozen=True)
class Targets:
    """What is learned from: each (B, T)."""

    logprobs: Tensor
    values: Tensor
    advantages: Tensor
    returns: Tensor

    def of(self, rows: Tensor, width: int) -> Targets:
        return Targets(*(getattr(self, name)[rows][:, :width] for name in self.__dataclass_fields__))


@torch.no_grad()
def score(policy: Policy, rollouts: Rollouts, micro: int) -> Scored:
    """Policy, reference and value passes over all rows, `micro` at a time."""
    shape = rollouts.tokens.shape
    parts = {name: rollouts.mask.new_zeros(shape, dtype=torch.float32) for name in Scored.__dataclass_fields__}
    for rows in torch.arange(len(rollouts)).split(micro):
        some = rollouts.of(rows)
        width = some.tokens.shape[1]
        passed = policy(some)
        values = {**vars(passed), "reference": policy.reference_logprobs(some)}
        for name, value in values.items():
            parts[name][rows, :width] = value.masked_fill(~some.mask, 0.0)
    return Scored(**parts)


def targets(scored: Scored, rewards: Sequence[float], rollouts: Rollouts, spec: PpoSpec) -> Targets:
    """Advantages and returns of the completions, from their rewards (B) and the KL penalty at each token."""
    scores = scored.logprobs.new_tensor([
        value - (0.0 if ended else spec.missing_eos_penalty)
        for value, ended in zip(rewards, rollouts.ended, strict=True)
    ])
    per_token = token_rewards(scored.logprobs, scored.reference, scores, rollouts.mask, spec.kl_coefficient)
    advantages, returns = advantages_and_returns(per_token, scored.values, rollouts.mask, spec.gamma, spec.lam)
    if spec.whiten_advantages:
        advantages = masked_whiten(advantages, rollouts.mask)
    return Targets(scored.logprobs, scored.values, advantages, returns)


def step_figures(scored: Scored, mask: Tensor) -> dict[str, float]:
    """KL of a completion to the start (mean of its tokens' sum, nats) by two estimators, and entropy of a token."""
    n = mask.shape[0]
    return {
        "kl": float(masked_sum(kl_k1(scored.logprobs, scored.reference), mask) / n),
        "kl_k3": float(masked_sum(kl_k3(scored.logprobs, scored.reference), mask) / n),
        "entropy": float(masked_mean(scored.entropies, mask)),
    }


def check_kl(kl: float, step: int, spec: PpoSpec) -> None:
    """LabError once the policy has left the model it began with."""
    if not isfinite(kl) or (spec.max_kl and kl > spec.max_kl):
        raise LabError(
            f"at step {step} the policy is {kl:.3g} nats a completion away from the model it began with; max_kl allows "
            f"{spec.max_kl:g}. Lower learning_rate (it is {spec.learning_rate:g}) or ppo_epochs, or raise "
            "kl_coefficient", "spec",
        )


class Updates:
    """The optimiser and the clipped updates it makes. The value head is clipped by itself: its gradients, large while
    it knows nothing, would else shrink the policy's."""

    def __init__(self, policy: Policy, spec: PpoSpec, micro: int):
        self.policy, self.spec, self.micro = policy, spec, micro
        self.weights = [list(policy.trained.values()), list(policy.head.parameters())]
        rates = (spec.learning_rate, spec.value_learning_rate or spec.learning_rate)
        decays = (spec.weight_decay, 0.0)
        self.optimiser = torch.optim.AdamW([
            {"params": weights, "lr": rate, "peak": rate, "weight_decay": decay}
            for weights, rate, decay in zip(self.weights, rates, decays, strict=True)
        ], betas=(0.9, spec.adam_beta2))

    def learn(self, rollouts: Rollouts, wanted: Targets, step: int) -> list[dict[str, float]]:
        """All passes over the completions of one step (from 1); the figures of each optimiser step, in order."""
        factor = rate_factor(step, self.spec)
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * factor
        self.policy.model.train(self.spec.activation_checkpointing)  # recomputing works in training mode alone
        try:
            return [self._minibatch(rollouts, wanted, rows, step) for rows in self._minibatches(len(rollouts), step)]
        finally:
            self.policy.model.eval()

    def accumulate(self, rollouts: Rollouts, wanted: Targets, rows: Tensor) -> dict[str, float]:
        """Add the gradient of one minibatch. Each token weighs the same, however the rows are cut into passes."""
        n_tokens = rollouts.mask[rows].sum()
        sums: dict[str, Tensor] = {}
        for some in rows.split(self.micro):
            loss, parts = self._losses(rollouts.of(some), wanted, some)
            (loss / n_tokens).backward()
            sums = {name: value + sums.get(name, 0.0) for name, value in parts.items()}
        return {name: float(value / n_tokens) for name, value in sums.items()}

    def _losses(self, rollouts: Rollouts, wanted: Targets, rows: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Sums over the tokens of one forward pass: what is minimised, and the figures."""
        mask = rollouts.mask
        aim = wanted.of(rows, mask.shape[1])
        now = self.policy(rollouts)
        policy, is_clipped = policy_losses(now.logprobs, aim.logprobs, aim.advantages, self.spec.clip)
        value, is_held = value_losses(now.values, aim.values, aim.returns, self.spec.value_clip)
        figures = {
            "policy_loss": policy, "value_loss": value, "clip_fraction": is_clipped.float(),
            "value_clip_fraction": is_held.float(), "ratio": (now.logprobs - aim.logprobs).exp(),
            "update_kl": kl_k3(aim.logprobs, now.logprobs),  # what sampled comes first
        }
        sums = {name: masked_sum(value, mask) for name, value in figures.items()}
        loss = sums["policy_loss"] + self.spec.value_coefficient * sums["value_loss"]
        return loss, {name: value.detach() for name, value in sums.items()}

    def _minibatch(self, rollouts: Rollouts, wanted: Targets, rows: Tensor, step: int) -> dict[str, float]:
        self.optimiser.zero_grad(set_to_none=True)
        figures = self.accumulate(rollouts, wanted, rows)
        limit = self.spec.max_grad_norm or float("inf")
        norms = [float(torch.nn.utils.clip_grad_norm_(weights, limit)) for weights in self.weights]
        if step <= self.spec.value_warmup_steps:
            for weight in self.weights[0]:
                weight.grad = None  # the optimiser passes over it
        if not all(isfinite(value) for value in (*figures.values(), *norms)):
            raise LabError(
                f"the loss or its gradient is not a number at step {step}: training has diverged. Lower learning_rate "
                f"(it is {self.spec.learning_rate:g}) or ppo_epochs, or raise warmup_frac", "spec",
            )
        self.optimiser.step()
        return {**figures, "grad_norm": norms[0]}

    def _minibatches(self, n: int, step: int) -> Iterator[Tensor]:
        """Places of the rows of each optimiser step; the order follows from the seed and the step."""
        generator = torch.Generator().manual_seed(self.spec.seed * 1_000_003 + step)
        for _ in range(self.spec.ppo_epochs):
            yield from torch.randperm(n, generator=generator).split(n // self.spec.n_minibatches)

    def state(self) -> dict[str, Any]:
        return self.optimiser.state_dict()

    def restore(self, state: dict[str, Any]) -> None:
        self.optimiser.load_state_dict(state)


def rate_factor(step: int, spec: PpoSpec) -> float:
    """Share of the peak learning rate at a step, from 1. No step is wasted at 0: the first one already moves."""
    n_steps = spec.n_steps()
    warm = round(spec.warmup_frac * n_steps)
    if step <= warm:
        return step / (warm + 1)
    done = (step - 1 - warm) / max(1, n_steps - warm)
    return {"constant": 1.0, "linear": 1 - done, "cosine": 0.5 * (1 + cos(pi * done))}[spec.scheduler]


def mean_figures(steps: Sequence[dict[str, float]]) -> dict[str, float]:
    """Mean over the optimiser steps of a rollout."""
    return {name: sum(step[name] for step in steps) / len(steps) for name in steps[0]}
