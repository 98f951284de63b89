"""What jobs of GRPO and RLOO are: the cheap alternatives to PPO, without a value model, on the same rewards."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from lab.core.errors import Fault
from lab.core.task import Needs
from lab.training import reference_memory
from lab.training.preference_specs import NO_DROPOUT
from lab.training.rl_specs import RlSettings


class GroupSettings(RlSettings):
    """What GRPO and RLOO share: a completion is judged against the others of its own question."""

    samples_per_prompt: int = Field(8, ge=2, le=256, description="Completions of each question in a step.")
    passes: int = Field(1, ge=1, le=32, description="Optimiser steps on the completions of a step.")
    clip: float = Field(0.2, gt=0, lt=1, description="How far the probability ratio may pull, from 1.")
    skip_cut: bool = Field(False, description="Learn nothing from a completion that was cut by the token budget.")

    def check_names(self) -> list[Fault]:
        faults = super().check_names()
        if self.lora_dropout > 0:
            faults.append(Fault("lora_dropout", f"{self.kind.upper()} {NO_DROPOUT}", self.lora_dropout))
        if self.sharding == "fsdp":
            faults.append(Fault("sharding", "completions are sampled from whole weights: use ddp", self.sharding))
        return faults


class GrpoSpec(GroupSettings):
    """Group relative policy optimisation (Shao et al. 2024), in the form of Dr. GRPO (Liu et al. 2025) by default."""

    kind: ClassVar[str] = "grpo"
    loss_type: Literal["dr_grpo", "grpo", "dapo"] = Field(
        "dr_grpo", description="Over what a completion's token losses are averaged: max_new_tokens, its own length, or "
        "all tokens of the step."
    )
    scale_rewards: Literal["group", "batch", "none"] = Field(
        "batch", description="Divide advantages by the deviation of rewards within the question, the step, or not."
    )
    clip_high: float = Field(0.0, ge=0, lt=10, description="How far up the ratio may pull; 0: as clip.")


class RlooSpec(GroupSettings):
    """REINFORCE leave-one-out (Ahmadian et al. 2024): the others' mean reward is the baseline. HuatuoGPT-o1: 2 samples.

    The KL to the start is taken off the reward, as in PPO; in GRPO it is a term of the loss.
    """

    kind: ClassVar[str] = "rloo"
    normalise_advantages: bool = Field(False, description="Shift and scale a step's advantages to mean 0, variance 1.")


def needs(spec: GroupSettings) -> Needs:
    """As other training; without a KL there is no reference."""
    reads_again = spec.method == "full" and spec.kl_coefficient > 0
    return reference_memory.needs(spec, spec.micro_batch_size, reads_again)
