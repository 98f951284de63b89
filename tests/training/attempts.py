"""One training job over several attempts, as the runner makes them: new artifacts each time, the same checkpoints."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from lab.core.context import MemoryContext
from lab.core.spec import load_spec
from lab.training.specs import SftSpec

# 44 rows in steps of 16: three steps a pass, the last one smaller, each of several forward passes; and dropout, so that
# the order of the rows, the accumulation and the random state all count.
RUN = {
    "base": "tiny", "dataset": "sums", "target": "trace", "batch_size": 16, "micro_batch_size": 8, "max_steps": 8,
    "max_rows": 44,
    "learning_rate": 5e-3, "lora_r": 8, "lora_alpha": 16, "lora_dropout": 0.2, "checkpoint_every_s": 0,
    "health_probes": 0,
}


def spec(**values) -> SftSpec:
    return load_spec(SftSpec, {**RUN, **values})


@dataclass
class StopsAfter(MemoryContext):
    """Asks to stop at the end of a step: the lab asks once a step."""

    n_steps: int = 10**9
    n_asked: int = 0

    def stop_requested(self) -> bool:
        self.n_asked += 1
        return self.n_asked >= self.n_steps


def attempt(folder: Path, earlier: MemoryContext | None = None, n_steps: int = 10**9) -> StopsAfter:
    """The context of the next attempt, which stops after `n_steps` steps of its own. Reported metrics are kept."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    context = StopsAfter(folder, n_steps=n_steps)
    if earlier is not None:
        context.metrics = earlier.metrics
    return context
