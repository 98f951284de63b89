"""What a job of reinforcement learning is: the settings that PPO, GRPO and RLOO share, and those of PPO alone."""

from __future__ import annotations

from math import ceil
from typing import ClassVar

from pydantic import Field, field_validator

from lab.bases.cards import base_label, bases
from lab.bases.resolving import check_base_name
from lab.core.errors import Fault
from lab.data.resolving import check_dataset_name, label
from lab.training.rewards import Scheme
from lab.training.settings import Adapting, Beginning, Stepping
from lab.training.specs import check_form, check_start


class RlSettings(Stepping, Adapting, Beginning):
    """Learning from a verifier's reward on sampled answers. A row is a completion: one sampled answer."""

    name: str = Field("", max_length=80, description="Name of the variant; empty: made of method, start and dataset.")
    dataset: str = Field(description="Verifiable questions: a dataset's name or a path. Traces are not read.")
    max_rows: int = Field(0, ge=0, description="Use only the first questions of the dataset; 0: all.")
    n_episodes: int = Field(4800, ge=1, le=10_000_000, description="Completions sampled in the whole run.")
    learning_rate: float = Field(1e-4, gt=0, lt=1, description="Peak learning rate of AdamW.")
    batch_size: int = Field(96, ge=1, le=4096, description="Completions sampled and learned from in one step.")
    micro_batch_size: int = Field(96, ge=1, le=4096, description="Rows per forward pass; divides batch_size.")
    samples_per_prompt: int = Field(1, ge=1, le=256, description="Completions of each question in a step.")
    temperature: float = Field(1.0, gt=0, le=2, description="Of sampling; logits are divided by it in every pass.")
    max_prompt_tokens: int = Field(160, ge=8, description="Longest prompt in tokens; longer questions are dropped.")
    max_new_tokens: int = Field(96, ge=4, description="Longest completion in tokens; one that is cut is malformed.")
    kl_coefficient: float = Field(0.03, ge=0, le=10, description="Weight of the KL to the starting model (beta).")
    max_kl: float = Field(
        100.0, ge=0, description="End the run when the mean KL of a step's completions passes this, in nats; 0: never."
    )
    reward_correct: float = Field(1.0, ge=-10, le=10, description="Reward of a right, well-formed answer.")
    reward_wrong: float = Field(0.1, ge=-10, le=10, description="Reward of a wrong, well-formed answer.")
    reward_malformed: float = Field(0.0, ge=-10, le=10, description="Reward of a malformed or cut answer.")
    thinking: bool = Field(
        True, description="Well formed is an answer after thinking; False: an answer without, for a start that was "
        "taught answers alone."
    )
    eval_every_steps: int = Field(10, ge=0, description="Steps between greedy checks on held-out questions; 0: only at "
                                  "the start and the end.")
    n_eval_prompts: int = Field(
        200, ge=0, le=10_000, description="Questions held out of training for the check, at most a tenth of all."
    )
    health_probes: int = Field(
        16, ge=0, le=256, description="Questions asked after training to see whether the model still answers; 0: none."
    )

    @property
    def max_length(self) -> int:
        """Longest row in tokens: what memory is estimated for."""
        return self.max_prompt_tokens + self.max_new_tokens

    def scheme(self) -> Scheme:
        return Scheme(self.reward_correct, self.reward_wrong, self.reward_malformed, self.thinking)

    def n_steps(self) -> int:
        """Steps of the run: each samples `batch_size` completions and learns from them."""
        return ceil(self.n_episodes / self.batch_size)

    def n_prompts(self) -> int:
        """Questions of one step."""
        return self.batch_size // self.samples_per_prompt

    def dataset_label(self) -> str:
        """The dataset's name, or its file's name without folder and ending."""
        return label(self.dataset)

    def variant_name(self) -> str:
        """The given name, or one made of what it began from, what it asked, and how."""
        begun = self.start.partition(":")[2] or base_label(self.base)
        return self.name or f"{begun}_{self.kind}_{self.dataset_label()}_s{self.seed}"

    def check_names(self) -> list[Fault]:
        faults = check_base_name("base", self.base) + check_dataset_name("dataset", self.dataset)
        faults += check_start(self.start) + check_form(self)
        return faults + self._context_faults() + self._reward_faults()

    @field_validator("samples_per_prompt")
    @classmethod
    def _fills_a_batch(cls, value: int, info: object) -> int:
        batch = getattr(info, "data", {}).get("batch_size")
        if batch and batch % value:
            raise ValueError(f"should divide batch_size {batch}")
        return value

    def _context_faults(self) -> list[Fault]:
        """A row may not be longer than what the base can read. An unknown base is somebody else's fault."""
        limit = bases()[self.base].context_tokens if self.base in bases() else None
        if limit is None or self.max_length <= limit:
            return []
        text = f"with max_prompt_tokens should be at most {limit}, the context of base '{self.base}'"
        return [Fault("max_new_tokens", text, self.max_new_tokens)]

    def _reward_faults(self) -> list[Fault]:
        """A reward that pays for being wrong teaches it."""
        if self.reward_correct > self.reward_wrong >= self.reward_malformed:
            return []
        text = "should be below reward_correct and not below reward_malformed"
        return [Fault("reward_wrong", text, self.reward_wrong)]


class PpoSpec(RlSettings):
    """Proximal policy optimisation as HuatuoGPT-o1 does it (arXiv 2412.18925, stage 2)."""

    kind: ClassVar[str] = "ppo"
    learning_rate: float = Field(1e-4, gt=0, lt=1, description="Peak learning rate of AdamW.")
    batch_size: int = Field(64, ge=1, le=4096, description="Completions sampled and learned from in one step.")
    micro_batch_size: int = Field(16, ge=1, le=4096, description="Rows per forward pass; divides batch_size.")
    ppo_epochs: int = Field(3, ge=1, le=32, description="Passes over the completions of a step.")
    n_minibatches: int = Field(1, ge=1, le=256, description="Optimiser steps per pass; divides batch_size.")
    gamma: float = Field(1.0, ge=0, le=1, description="Discount of a later token's reward.")
    lam: float = Field(0.95, ge=0, le=1, description="Lambda of generalised advantage estimation.")
    clip: float = Field(0.2, gt=0, lt=1, description="How far the probability ratio may pull, from 1.")
    value_clip: float = Field(0.2, gt=0, le=100, description="How far a value may move from what it was when sampled.")
    value_coefficient: float = Field(1.0, ge=0, le=100, description="Weight of the value loss.")
    value_learning_rate: float = Field(
        0.0, ge=0, lt=1, description="Peak learning rate of the value head; 0: as learning_rate. An optimiser step "
        "moves a value by up to this times the hidden size."
    )
    value_warmup_steps: int = Field(
        0, ge=0, le=10_000, description="First steps in which the value head alone learns: until it knows what to "
        "expect, advantages are noise."
    )
    value_trains_backbone: bool = Field(
        False, description="Let the value loss change the policy's weights; else it trains its own head alone."
    )
    missing_eos_penalty: float = Field(0.0, ge=0, le=10, description="Taken off the reward of a cut completion.")
    whiten_advantages: bool = Field(True, description="Shift and scale a step's advantages to mean 0, variance 1.")

    def check_names(self) -> list[Fault]:
        faults = super().check_names()
        if self.gpus > 1:
            faults.append(Fault("gpus", "PPO runs in one process: set 1, or use grpo or rloo on several", self.gpus))
        if self.lora_dropout > 0:
            faults.append(Fault("lora_dropout", "PPO compares probabilities of two passes, which dropout would make "
                                "differ: set 0", self.lora_dropout))
        return faults

    @field_validator("n_minibatches")
    @classmethod
    def _divides_a_batch(cls, value: int, info: object) -> int:
        batch = getattr(info, "data", {}).get("batch_size")
        if batch and batch % value:
            raise ValueError(f"should divide batch_size {batch}")
        return value
