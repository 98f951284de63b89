"""Out of memory: fewer rows at a time, the same rows per optimiser step. No torch here.

The lowered micro-batch is written beside the checkpoints, so that a later attempt of the job begins with it.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from lab.core.context import Context, write_json
from lab.core.errors import LabError
from lab.training._faults import MicroBatchTooLarge
from lab.training.ranks import StartAgain, is_first, world_size
from lab.training.specs import TrainingSettings

Result = TypeVar("Result")
FILE = "micro_batch.json"


@dataclass(frozen=True)
class MicroBatch:
    """Rows per forward pass, and how often memory ran out on the way there."""

    size: int
    n_out_of_memory: int = 0

    def smaller(self, rows_per_rank: int) -> MicroBatch:
        """Half of it, or the next smaller size that divides the rows one process has per step."""
        size = next(size for size in range(max(1, self.size // 2), 0, -1) if rows_per_rank % size == 0)
        return MicroBatch(size, self.n_out_of_memory + 1)


def with_smaller_batches(
    settings: TrainingSettings, context: Context, attempt: Callable[[int], Result]
) -> Result:
    """`attempt(micro_batch_size)`, again with half as many rows each time that memory runs out in a step.

    Every attempt goes on from the last whole checkpoint by itself. Several ranks must start anew together: StartAgain.
    """
    found = recall(context, settings)
    if found.n_out_of_memory:
        _say(context, settings, found, "Memory ran out before")
    while True:
        try:
            return attempt(found.size)
        except MicroBatchTooLarge as error:
            text = str(error)
        # Out of the except block: until here the error's frames hold every tensor of the step that failed.
        if found.size == 1:
            raise LabError(f"out of memory with one row at a time ({text}): lower max_length, train LoRA instead of "
                           "all weights, or use a smaller base", "memory")
        found = found.smaller(settings.batch_size // settings.gpus)
        remember(context, found)
        _free_memory()
        if world_size() > 1:
            raise StartAgain(f"out of memory: again with micro_batch_size {found.size}")
        _say(context, settings, found, f"Out of memory ({text})")


def recall(context: Context, settings: TrainingSettings) -> MicroBatch:
    """What an earlier attempt came down to, or what the settings say."""
    path = _path(context)
    if not path.is_file():
        return MicroBatch(settings.micro_batch_size)
    return MicroBatch(**json.loads(path.read_text(encoding="utf-8")))


def remember(context: Context, found: MicroBatch) -> None:
    """Every rank that runs out writes the same, so it does not matter which one is last."""
    write_json(_path(context), {"size": found.size, "n_out_of_memory": found.n_out_of_memory})


def _path(context: Context) -> Path:
    return context.checkpoints.folder / FILE


def _say(context: Context, settings: TrainingSettings, found: MicroBatch, why: str) -> None:
    n = settings.batch_size // (found.size * settings.gpus)
    if is_first():
        context.log(f"{why}: goes on with micro_batch_size {found.size} and {n} forward passes per step, "
                    f"so a step still sees {settings.batch_size} rows")
        context.announce(micro_batch_size=found.size, out_of_memory=found.n_out_of_memory)


def _free_memory() -> None:
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
