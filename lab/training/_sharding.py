"""FSDP where there is no GPU: torch shares weights out over gloo too, but accelerate offers it for accelerators alone.

accelerate decides by one entry of its state, the kind of distribution. A rank on a CPU is entered here as one of
several GPUs before any trainer exists; its device stays the CPU and its backend gloo. Measured on accelerate 1.15; it
lets the sharded path be tested on any machine, and is of no use for speed.
"""

from __future__ import annotations

import os

import torch
from accelerate import PartialState
from accelerate.utils import DistributedType
from transformers import Trainer

from lab.core.errors import LabError


def prepare_sharding() -> None:
    """Call between the making of the arguments, which resets accelerate's state, and that of the trainer.

    Does nothing on GPUs and without FSDP.
    """
    if os.environ.get("ACCELERATE_USE_FSDP", "").lower() == "true" and not torch.cuda.is_available():
        PartialState._shared_state["distributed_type"] = DistributedType.MULTI_GPU


def check_sharding(trainer: Trainer, asked: str) -> None:
    """Whole weights on each device where shares were asked for would not fit; nothing would say why."""
    if (asked == "fsdp") != trainer.is_fsdp_enabled:
        raise LabError(f"sharding is '{asked}' and the trainer runs {'with' if trainer.is_fsdp_enabled else 'without'} "
                       "FSDP: its launcher and its spec do not agree", "bug")
