"""What a training job is: every setting of it, declared once."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from lab.bases.cards import bases
from lab.core.errors import Fault
from lab.core.spec import Spec, known_name
from lab.data.jsonl import check_dataset_name

TrainedTarget = Literal["trace", "answer"]


class TrainingSettings(Spec):
    """Hyperparameters shared by every arm of a study."""

    method: Literal["lora", "full"] = Field("lora", description="Train a LoRA adapter, or all weights.")
    epochs: float = Field(3, gt=0, le=100, description="Passes over the training rows.")
    max_steps: int = Field(0, ge=0, description="Stop after this many optimiser steps; 0 means by epochs.")
    max_rows: int = Field(0, ge=0, description="Use only the first rows of the dataset; 0 means all.")
    learning_rate: float = Field(2e-3, gt=0, lt=1, description="Peak learning rate of AdamW.")
    batch_size: int = Field(24, ge=1, le=4096, description="Rows per optimiser step.")
    micro_batch_size: int = Field(24, ge=1, le=4096, description="Rows per forward pass; divides batch_size.")
    max_length: int = Field(256, ge=16, description="Longest row in tokens, trace included; longer ones are dropped.")
    warmup_frac: float = Field(0.05, ge=0, lt=1, description="Share of the steps spent warming up.")
    scheduler: Literal["cosine", "linear", "constant"] = Field("cosine", description="Learning-rate schedule.")
    weight_decay: float = Field(0.0, ge=0, le=1, description="AdamW weight decay.")
    lora_r: int = Field(32, ge=1, le=512, description="LoRA rank.")
    lora_alpha: int = Field(64, ge=1, le=2048, description="LoRA scale numerator (scale = alpha / r).")
    lora_dropout: float = Field(0.0, ge=0, lt=1, description="Dropout on the LoRA input.")
    checkpoint_every_s: int = Field(
        300, ge=0, le=86_400, description="Seconds between checkpoints; 0: only when told to stop."
    )
    gpus: int = Field(1, ge=1, le=64, description="Processes, one per GPU (CPU slots where there is none).")
    sharding: Literal["ddp", "fsdp"] = Field(
        "ddp", description="Several processes: each holds all weights (ddp), or a share of them (fsdp)."
    )

    def n_steps(self, n_rows: int) -> int:
        """Optimiser steps of a run over `n_rows` rows. The last batch of a pass may be smaller."""
        return self.max_steps or max(1, ceil(self.epochs * ceil(n_rows / self.batch_size)))

    @field_validator("micro_batch_size")
    @classmethod
    def _divides(cls, value: int, info: object) -> int:
        batch = getattr(info, "data", {}).get("batch_size")
        if batch and (value > batch or batch % value):
            raise ValueError(f"should divide batch_size {batch}")
        return value

    @field_validator("gpus")
    @classmethod
    def _shares(cls, value: int, info: object) -> int:
        values = getattr(info, "data", {})
        batch, micro = values.get("batch_size"), values.get("micro_batch_size")
        if batch and micro and batch % (micro * value):
            raise ValueError(f"times micro_batch_size {micro} should divide batch_size {batch}")
        return value

    @field_validator("sharding")
    @classmethod
    def _has_something_to_share(cls, value: str, info: object) -> str:
        if value == "fsdp" and getattr(info, "data", {}).get("gpus") == 1:
            raise ValueError("fsdp shares the weights between processes: it needs gpus of at least 2")
        return value


class SftSpec(TrainingSettings):
    """Supervised fine-tuning of one variant: base + dataset + target + seed + hyperparameters."""

    kind: ClassVar[str] = "sft"
    name: str = Field("", max_length=80, description="Name of the variant; empty: base_dataset_target_seed.")
    base: str = Field(description="Name of a base card.")
    dataset: str = Field(description="Name of a dataset, or a path to a .jsonl file.")
    target: TrainedTarget = Field(description="What an example teaches: thinking + answer, or the answer alone.")
    seed: int = Field(0, ge=0, description="Seed of data order and initialisation.")

    def dataset_label(self) -> str:
        """The dataset's name, or its file's name without folder and ending."""
        return self.dataset.rsplit("/", 1)[-1].removesuffix(".jsonl")

    def variant_name(self) -> str:
        """The given name, or one made of what the arms differ in."""
        return self.name or f"{self.base}_{self.dataset_label()}_{self.target}_s{self.seed}"

    def check_names(self) -> list[Fault]:
        faults = known_name("base", "base", self.base, bases()) + check_dataset_name("dataset", self.dataset)
        return faults + check_context(self, [self.base])


def check_context(settings: TrainingSettings, names: Iterable[str]) -> list[Fault]:
    """A fault where a row could be longer than what a base can read. Unknown bases are somebody else's fault."""
    most = {name: bases()[name].context_tokens for name in names if name in bases()}
    return [
        Fault("max_length", f"should be at most {limit}, the context of base '{name}'", settings.max_length)
        for name, limit in most.items() if settings.max_length > limit
    ]
