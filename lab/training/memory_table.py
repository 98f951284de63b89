"""What training a base would take, for each way to train it: the table a person reads before choosing one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lab.bases.cards import BaseCard
from lab.training.memory import MemoryEstimate, estimate
from lab.training.specs import SftSpec

WAYS: dict[str, dict[str, Any]] = {
    "full": {"method": "full"},
    "LoRA": {"method": "lora"},
    "4-bit LoRA": {"method": "lora", "quantisation": "4bit"},
}


@dataclass(frozen=True)
class Way:
    """One way to train a base, one row of `length` tokens at a time on one GPU, and what it takes there."""

    name: str
    activation_checkpointing: bool
    memory: MemoryEstimate


def memory_table(card: BaseCard, length: int, lora_r: int = 32) -> list[Way]:
    """Every way, without and with activation checkpointing. Raises LabError where the base's shape is not known."""
    found = []
    for name, how in WAYS.items():
        for checkpointing in (False, True):
            spec = SftSpec(
                base=card.name, dataset="demo-medical", target="trace", max_length=length, batch_size=1,
                micro_batch_size=1, lora_r=lora_r, activation_checkpointing=checkpointing, **how,
            )
            found.append(Way(name, checkpointing, estimate(spec)))
    return found
