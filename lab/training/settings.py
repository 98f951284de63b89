"""Groups of hyperparameters that training methods share, each declared once: what is adapted, and how it is stepped."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from lab.core.spec import Spec


class Adapting(Spec):
    """Which weights are trained, and in what form the others are held."""

    method: Literal["lora", "full"] = Field("lora", description="Train a LoRA adapter, or all weights.")
    quantisation: Literal["none", "4bit"] = Field(
        "none", description="Hold the frozen base in 4-bit NF4 (QLoRA, bitsandbytes); needs method lora."
    )
    lora_variant: Literal["plain", "rslora", "dora"] = Field(
        "plain", description="LoRA as published, rank-stabilised (scale = alpha / sqrt r), or weight-decomposed."
    )
    lora_r: int = Field(32, ge=1, le=512, description="LoRA rank.")
    lora_alpha: int = Field(64, ge=1, le=2048, description="LoRA scale numerator (scale = alpha / r).")
    lora_dropout: float = Field(0.0, ge=0, lt=1, description="Dropout on the LoRA input.")
    activation_checkpointing: bool = Field(
        False, description="Recompute activations in the backward pass: less memory, about a third more time."
    )

    @field_validator("quantisation")
    @classmethod
    def _trains_an_adapter(cls, value: str, info: object) -> str:
        if value == "4bit" and getattr(info, "data", {}).get("method") == "full":
            raise ValueError("4bit weights cannot be trained: use method lora, or quantisation none")
        return value

    @field_validator("lora_variant")
    @classmethod
    def _is_no_dora_in_4bit(cls, value: str, info: object) -> str:
        if value == "dora" and getattr(info, "data", {}).get("quantisation") == "4bit":
            raise ValueError("dora on a 4bit base is not supported here: use plain or rslora")
        return value


class Stepping(Spec):
    """How the optimiser steps, when a run saves, and over how many processes it is spread."""

    learning_rate: float = Field(2e-3, gt=0, lt=1, description="Peak learning rate of AdamW.")
    batch_size: int = Field(24, ge=1, le=4096, description="Rows per optimiser step.")
    micro_batch_size: int = Field(24, ge=1, le=4096, description="Rows per forward pass; divides batch_size.")
    warmup_frac: float = Field(0.05, ge=0, lt=1, description="Share of the steps spent warming up.")
    scheduler: Literal["cosine", "linear", "constant"] = Field("cosine", description="Learning-rate schedule.")
    weight_decay: float = Field(0.0, ge=0, le=1, description="AdamW weight decay.")
    adam_beta2: float = Field(0.999, gt=0, lt=1, description="AdamW decay of the squared gradient (beta 2).")
    max_grad_norm: float = Field(1.0, ge=0, le=1000, description="Gradients are scaled down to this norm; 0: never.")
    checkpoint_every_s: int = Field(
        300, ge=0, le=86_400, description="Seconds between checkpoints; 0: only when told to stop."
    )
    gpus: int = Field(1, ge=1, le=64, description="Processes, one per GPU (CPU slots where there is none).")
    sharding: Literal["ddp", "fsdp"] = Field(
        "ddp", description="Several processes: each holds all weights (ddp), or a share of them (fsdp)."
    )

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


class Speaking(Spec):
    """How a model is taught to mark its thinking."""

    thinking_style: Literal["auto", "tags", "headings", "s1", "finemed"] = Field(
        "auto", description="How thinking is marked; auto: as the start marks it, else as the base's card says."
    )


class Beginning(Speaking):
    """Where training begins: a base as it is, or a variant of it."""

    base: str = Field(description="A base card's name, a local folder, or a hub id.")
    start: str = Field("", description="Go on from this model, 'variant:NAME' or 'job:UID'; empty: from the base.")
    seed: int = Field(0, ge=0, description="Seed of data order, sampling and initialisation.")
