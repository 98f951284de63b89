"""What a supervised training job is: every setting of it, declared once."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from lab.bases.cards import base_label, bases
from lab.bases.resolving import check_base_name
from lab.core.errors import Fault
from lab.core.spec import Spec
from lab.core.types import Target
from lab.data.resolving import check_dataset_name, label
from lab.training.settings import Adapting, Beginning, Speaking, Stepping


class TrainingSettings(Stepping, Adapting, Speaking):
    """Hyperparameters shared by every arm of a study."""

    epochs: float = Field(3, gt=0, le=100, description="Passes over the training rows.")
    max_steps: int = Field(0, ge=0, description="Stop after this many optimiser steps; 0 means by epochs.")
    max_rows: int = Field(0, ge=0, description="Use only the first rows of the dataset; 0 means all.")
    max_length: int = Field(256, ge=16, description="Longest row in tokens, trace included; longer ones are dropped.")
    match: Literal["rows", "tokens", "steps"] = Field(
        "rows", description="What arms share besides their rows. rows: the passes; tokens: shorter targets pass more "
        "often, until as many tokens are read as with the trace; steps: max_steps optimiser steps, whatever the rows."
    )
    packing: bool = Field(
        False, description="Lay a step's rows end to end in sequences of max_length instead of padding each; attention "
        "is kept apart, and what is learned does not change."
    )
    neftune_alpha: float = Field(0.0, ge=0, le=100, description="NEFTune noise on the embeddings; 0: none.")
    health_probes: int = Field(
        16, ge=0, le=256, description="Questions asked after training to see whether the model still answers; 0: none."
    )

    def n_steps(self, n_rows: int, passes: float = 1.0) -> int:
        """Optimiser steps of a run over `n_rows` rows. The last batch of a pass may be smaller.

        `passes`: how many times as often an arm reads its rows to match another one's tokens.
        """
        return self.max_steps or max(1, ceil(self.epochs * passes * ceil(n_rows / self.batch_size)))

    @field_validator("neftune_alpha")
    @classmethod
    def _knows_its_rows(cls, value: float, info: object) -> float:
        if value and getattr(info, "data", {}).get("packing"):
            raise ValueError("the noise is scaled by a sequence's length, which packing changes: use one of the two")
        return value

    @field_validator("match")
    @classmethod
    def _has_a_number_of_steps(cls, value: str, info: object) -> str:
        if value == "steps" and not getattr(info, "data", {}).get("max_steps"):
            raise ValueError("steps needs max_steps: how many optimiser steps every arm makes")
        return value


class SftSpec(TrainingSettings, Beginning):
    """Supervised fine-tuning of one variant: base + dataset + target + seed + hyperparameters."""

    kind: ClassVar[str] = "sft"
    name: str = Field("", max_length=80, description="Name of the variant; empty: base_dataset_target_seed.")
    dataset: str = Field(description="Name of a dataset, a path to a file, or a mixture: a[:1000] + b.")
    target: Target = Field(description="What an example teaches: thinking + answer, the answer alone, or a control.")

    def dataset_label(self) -> str:
        """The dataset's name, or its file's name without folder and ending."""
        return label(self.dataset)

    def variant_name(self) -> str:
        """The given name, or one made of what the arms differ in."""
        return self.name or f"{base_label(self.base)}_{self.dataset_label()}_{self.target}_s{self.seed}"

    def check_names(self) -> list[Fault]:
        faults = check_base_name("base", self.base) + check_dataset_name("dataset", self.dataset)
        return faults + check_start(self.start) + check_context(self, [self.base]) + check_form(self)


def check_start(start: str) -> list[Fault]:
    """A fault where a start is no reference to a variant. Whether that variant exists is known to the store alone."""
    if not start or start.startswith(("variant:", "job:")):
        return []
    return [Fault("start", f"'{start}' is no variant: write variant:NAME, or leave it empty to begin from the base",
                  start)]


def check_form(settings: Stepping) -> list[Fault]:
    """A fault where the frozen weights have a form that cannot be shared out between processes."""
    if getattr(settings, "quantisation", "none") == "4bit" and settings.sharding == "fsdp":
        return [Fault("sharding", "fsdp shares out weights of one dtype, and a 4bit base has several: use ddp, or "
                      "quantisation none", settings.sharding)]
    return []


def check_context(settings: Spec, names: Iterable[str]) -> list[Fault]:
    """A fault where a row could be longer than what a base can read. Unknown bases are somebody else's fault."""
    length = getattr(settings, "max_length", 0)
    most = {name: bases()[name].context_tokens for name in names if name in bases()}
    return [
        Fault("max_length", f"should be at most {limit}, the context of base '{name}'", length)
        for name, limit in most.items() if length > limit
    ]
