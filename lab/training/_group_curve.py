"""The curve of GRPO and RLOO: TRL's figures by the names PPO gives them, and the end of a run that has gone astray."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from lab.core.context import Context
from lab.core.errors import LabError
from lab.training._callbacks import Live, named
from lab.training.grpo_specs import GroupSettings

FIGURES = {  # TRL's name -> the one PPO reports
    "reward": "reward", "accuracy": "accuracy", "well_formed": "well_formed", "entropy": "entropy",
    "completions/mean_length": "mean_tokens", "completions/clipped_ratio": "cut", "loss": "policy_loss",
    "clip_ratio/region_mean": "clip_fraction", "frac_reward_zero_std": "same_reward",
}


class GroupLive(Live):
    """The curve of GRPO and RLOO. KL is that of a whole completion to the start in nats, as PPO reports it: TRL's mean
    over tokens times the completions' mean length. GRPO estimates it by k3, RLOO by the log ratio (k1)."""

    def __init__(self, context: Context, spec: GroupSettings):
        super().__init__(context)
        self.spec = spec

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(state)
        self.tokens_before = 0  # these trainers keep their own count over a restart

    def means(self, logs: Mapping[str, float]) -> dict[str, float]:
        found = named(logs, FIGURES)
        if logs.get("kl") is not None and "mean_tokens" in found:
            found["kl"] = logs["kl"] * found["mean_tokens"]
            check_kl(found["kl"], self.spec)
        return found

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """A line of figures that the trainer does not log."""
        line = {"step": step, "seconds": round(self.seconds, 2), **values}
        self.lines.append(line)
        self._write("a", [line])
        self.context.metric(step, **values)

    def values(self, name: str) -> list[float]:
        """Every reported value of one figure, in order."""
        return [line[name] for line in self.lines if name in line]

    def _text(self, state: Any) -> str:
        rewards, right = self.values("reward"), self.values("accuracy")
        if not rewards:
            return f"step {state.global_step} of {state.max_steps}"
        return f"reward {rewards[-1]:.3f}, accuracy {right[-1]:.0%}, {self.tokens_per_s:,.0f} tokens/s"


def check_kl(kl: float, spec: GroupSettings) -> None:
    """LabError once the policy has left the model it began with."""
    if not isfinite(kl) or (spec.max_kl and kl > spec.max_kl):
        raise diverged(spec, f"the policy is {kl:.3g} nats a completion away from the model it began with, and max_kl "
                              f"allows {spec.max_kl:g}")


def diverged(spec: GroupSettings, what: str) -> LabError:
    return LabError(f"{what}: training has diverged. Lower learning_rate (it is {spec.learning_rate:g}) or passes, or "
                    "raise kl_coefficient", "spec")
