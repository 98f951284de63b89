"""What a job of preference training is, and what one is that samples the preferences from a model's own answers."""

from __future__ import annotations

from math import ceil
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from lab.bases.cards import base_label
from lab.bases.resolving import check_base_name
from lab.core.errors import Fault
from lab.core.spec import Spec
from lab.data.pairs import check_pairs_name
from lab.data.resolving import check_dataset_name
from lab.training.settings import Adapting, Beginning, Stepping
from lab.training.specs import check_context, check_form, check_start

NO_DROPOUT = "compares probabilities of two passes, which dropout would make differ: set 0"


class DpoSpec(Stepping, Adapting, Beginning):
    """Direct preference optimisation (Rafailov et al. 2023): the chosen one of two replies gets likelier.

    A row is a pair of replies. HuatuoGPT-o1's variant: beta 1, learning rate 1e-6, batch 128, on pairs of its own.
    """

    kind: ClassVar[str] = "dpo"
    name: str = Field("", max_length=80, description="Name of the variant; empty: made of start, pairs and seed.")
    pairs: str = Field(description="Pairs of replies: a pair set's name, a file, or job:UID of a pairs job.")
    max_rows: int = Field(0, ge=0, description="Use only the first pairs; 0: all.")
    epochs: float = Field(1, gt=0, le=100, description="Passes over the pairs.")
    max_steps: int = Field(0, ge=0, description="Stop after this many optimiser steps; 0 means by epochs.")
    max_length: int = Field(256, ge=16, description="Longest prompt + reply in tokens; longer pairs are dropped.")
    learning_rate: float = Field(1e-4, gt=0, lt=1, description="Peak learning rate of AdamW.")
    batch_size: int = Field(32, ge=1, le=4096, description="Pairs per optimiser step.")
    micro_batch_size: int = Field(32, ge=1, le=4096, description="Pairs per forward pass; divides batch_size.")
    beta: float = Field(0.1, gt=0, le=100, description="How strongly the start holds; the reward is beta x log ratio.")
    loss_type: Literal["sigmoid", "ipo", "hinge", "robust", "apo_zero"] = Field(
        "sigmoid", description="DPO as published, IPO, SLiC's hinge, DPO for noisy labels, or APO-zero."
    )
    label_smoothing: float = Field(
        0.0, ge=0, lt=0.5, description="Share of pairs believed to be the wrong way round; for sigmoid and robust."
    )
    precompute_ref: bool = Field(
        False, description="Score all pairs with the start once, before the first step: no second model in memory with "
        "method full, and quicker over several epochs."
    )
    health_probes: int = Field(
        16, ge=0, le=256, description="Questions asked after training to see whether the model still answers; 0: none."
    )

    def n_steps(self, n_rows: int) -> int:
        """Optimiser steps of a run over `n_rows` pairs. The last batch of a pass may be smaller."""
        return self.max_steps or max(1, ceil(self.epochs * ceil(n_rows / self.batch_size)))

    def pairs_label(self) -> str:
        """The set's name, its file's name without folder and ending, or the job it comes from."""
        return self.pairs.rsplit("/", 1)[-1].removesuffix(".jsonl").replace("job:", "pairs-")

    def variant_name(self) -> str:
        """The given name, or one made of what it began from and what it preferred."""
        begun = self.start.partition(":")[2] or base_label(self.base)
        return self.name or f"{begun}_dpo_{self.pairs_label()}_s{self.seed}"

    def check_names(self) -> list[Fault]:
        faults = check_base_name("base", self.base) + check_start(self.start) + check_context(self, [self.base])
        faults += check_form(self)
        if not self.pairs.startswith("job:"):
            faults += check_pairs_name("pairs", self.pairs)
        if self.lora_dropout > 0:
            faults.append(Fault("lora_dropout", f"DPO {NO_DROPOUT}", self.lora_dropout))
        return faults

    @field_validator("label_smoothing")
    @classmethod
    def _is_read(cls, value: float, info: object) -> float:
        loss = getattr(info, "data", {}).get("loss_type")
        if value and loss not in ("sigmoid", "robust", None):
            raise ValueError(f"means nothing to loss_type {loss}: set 0, or use sigmoid or robust")
        return value


class PairsSpec(Spec):
    """Preferences from a model's own answers: a right one is preferred to a wrong one (HuatuoGPT-o1, DPO variant)."""

    kind: ClassVar[str] = "pairs"
    name: str = Field("", max_length=80, description="Name of the pairs; empty: made of model and dataset.")
    model: str = Field(description="Who answers: a base, 'variant:NAME' or 'job:UID'. The start of DPO, as a rule.")
    dataset: str = Field(description="Verifiable questions: a dataset's name or a path. Traces are not read.")
    max_rows: int = Field(0, ge=0, description="Ask only the first questions of the dataset; 0: all.")
    n_samples: int = Field(5, ge=2, le=64, description="Answers sampled for each question.")
    most_pairs_per_question: int = Field(1, ge=1, le=64, description="Pairs made of one question's answers, at most.")
    temperature: float = Field(1.0, gt=0, le=2, description="Of sampling.")
    top_p: float = Field(1.0, gt=0, le=1, description="Sample among the likeliest tokens that hold this probability.")
    max_new_tokens: int = Field(96, ge=4, description="Longest answer in tokens; one that is cut is in no pair.")
    questions_at_once: int = Field(64, ge=1, le=4096, description="Questions answered in one batch.")
    thinking: bool = Field(
        True, description="Keep answers that think and then answer; False: those without thinking, for a model that "
        "was taught answers alone."
    )
    checkpoint_every_s: int = Field(300, ge=0, le=86_400, description="Seconds between saves; 0: only when stopped.")
    seed: int = Field(0, ge=0, description="Seed of sampling.")

    def variant_name(self) -> str:
        """What lists show for the job."""
        dataset = self.dataset.rsplit("/", 1)[-1].removesuffix(".jsonl")
        return self.name or f"pairs of {self.model.partition(':')[2] or self.model} on {dataset} s{self.seed}"

    def check_names(self) -> list[Fault]:
        faults = check_dataset_name("dataset", self.dataset)
        return faults if self.model.startswith(("variant:", "job:")) else faults + check_base_name("model", self.model)
