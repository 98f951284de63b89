"""Checkpoints of any trainer that is built on transformers' Trainer (all of TRL's are), for one process or several.

transformers' own just-in-time checkpoint is not used: its ranks do not agree on a step. Here nothing is saved in a
signal handler; after every step all ranks take one decision, and the first one seals what all have written.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from transformers import Trainer, TrainerCallback

from lab.training._faults import memory_left
from lab.training.ranks import is_first
from lab.training.saves import Saves, Wish


class Checkpointing(TrainerCallback):
    """Tells the trainer when to save and when to stop. The trainer writes into the folder of `saves`."""

    def __init__(self, saves: Saves):
        self.saves = saves
        self.stopped_at: int | None = None

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step >= state.max_steps:  # a stop that comes now is too late to spare anything
            return
        wish = agreed(self.saves.wish(), args.device)
        if wish.save:
            control.should_save = True
            control.should_log = True  # so that no part of a running mean is lost with the process
        if wish.stop:
            control.should_training_stop = True
            self.stopped_at = state.global_step

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        wait_for_all()
        if is_first():
            self.saves.seal(state.global_step)


def run(trainer: Trainer, saves: Saves) -> None:
    """Train to the end, from the last whole checkpoint if there is one.

    Raises Stopped after a stop, and MicroBatchTooLarge when a step does not fit into memory.
    """
    checkpointing = Checkpointing(saves)
    trainer.add_callback(checkpointing)
    found = saves.begin()
    with memory_left():
        trainer.train(resume_from_checkpoint=str(found.folder) if found else None)
    if checkpointing.stopped_at is not None:
        raise saves.stopped(checkpointing.stopped_at, trainer.state.max_steps)


def agreed(wish: Wish, device: torch.device) -> Wish:
    """What all ranks do: whatever one of them wishes. Saving is collective, so a rank that decided alone would hang."""
    if not is_distributed():
        return wish
    flags = torch.tensor([wish.stop, wish.save], dtype=torch.int32, device=device)
    dist.all_reduce(flags, op=dist.ReduceOp.MAX)
    stop, save = flags.tolist()
    return Wish(bool(stop), bool(save))


def wait_for_all() -> None:
    if is_distributed():
        dist.barrier()


def is_distributed() -> bool:
    return dist.is_available() and dist.is_initialized()
