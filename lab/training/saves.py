"""When a training job saves, what it keeps beside the weights, and where it goes on after a stop or a crash.

No torch here: `_checkpointing.py` plugs this into any trainer of TRL, and a plain loop drives it by hand:

    saves = Saves(context, origin, every_s=300, keep={"curve": curve})
    start = saves.begin()                        # None, or the whole checkpoint to load
    for step in range(start.step + 1 if start else 1, n_steps + 1):
        …one step…
        wish = saves.wish()
        if wish.save:
            …write the weights, the optimiser and the random state into saves.folder(step)…
            saves.seal(step)
        if wish.stop:
            raise saves.stopped(step, n_steps)
    …save the result: whoever runs the task drops the checkpoints once the result is in safety…
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from lab.core.checkpoints import Checkpoint
from lab.core.context import Context, Stopped, write_json
from lab.training.ranks import is_first

ORIGIN = "origin.json"  # what the checkpoint is a checkpoint of
KEPT = "kept.json"  # what the lab counts, beside the trainer's own files


class Keeps(Protocol):
    """Something whose count must survive a restart. Its state is JSON."""

    def state(self) -> dict[str, Any]: ...
    def restore(self, state: dict[str, Any]) -> None: ...


@dataclass(frozen=True)
class Wish:
    """What one process would do after this step; several of them must agree before they act."""

    stop: bool
    save: bool


@dataclass
class Saves:
    """The checkpoints of one training run. `origin` names its spec and its data: a checkpoint of others is not used."""

    context: Context
    origin: Mapping[str, str]
    every_s: float  # 0: only when told to stop
    keep: Mapping[str, Keeps] = field(default_factory=dict)
    saved_at: float = field(default_factory=time.monotonic)

    def begin(self) -> Checkpoint | None:
        """The whole checkpoint to go on from, after what is kept in it was restored. None: from the beginning.

        Call it again before every new start: what was reported after the checkpoint is void.
        """
        self._discard_broken()
        found = next((each for each in self.context.checkpoints.whole() if self._is_ours(each)), None)
        self.context.rewind(found.step if found else -1)
        if found:
            kept = json.loads((found.folder / KEPT).read_text(encoding="utf-8"))
            for name, keeper in self.keep.items():
                keeper.restore(kept[name])
            self.context.log(f"goes on after step {found.step}, from {found.folder.name}")
        self.saved_at = time.monotonic()
        return found

    def wish(self) -> Wish:
        """Ask after every step. A stop is never without a checkpoint."""
        stop = self.context.stop_requested()
        is_time = self.every_s > 0 and time.monotonic() - self.saved_at >= self.every_s
        return Wish(stop, stop or is_time)

    def folder(self, step: int) -> Path:
        """Where the checkpoint of this step is written."""
        path = self.context.checkpoints.path(step)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def seal(self, step: int) -> None:
        """The checkpoint of this step is complete: add what is kept, declare it whole, drop the older ones.

        Of several processes the first one alone calls it, once all have written their parts.
        """
        folder = self.folder(step)
        write_json(folder / ORIGIN, dict(self.origin))
        write_json(folder / KEPT, {name: keeper.state() for name, keeper in self.keep.items()})
        self.context.checkpoints.seal(step)
        self.context.checkpoints.prune()
        self.context.announce(checkpoint_step=step)
        self.saved_at = time.monotonic()

    def stopped(self, step: int, n_steps: int) -> Stopped:
        """What to raise once a stop was carried out."""
        name = self.context.checkpoints.path(step).name
        return Stopped(f"stopped after step {step} of {n_steps}; {name} is whole, and the job can go on from it")

    def _discard_broken(self) -> None:
        for folder in self.context.checkpoints.broken():
            self.context.log(f"{folder.name} was only half written and is not used")
            if is_first():
                self.context.checkpoints.remove(folder)

    def _is_ours(self, found: Checkpoint) -> bool:
        origin = json.loads((found.folder / ORIGIN).read_text(encoding="utf-8"))
        others = [name for name, value in self.origin.items() if origin.get(name) != value]
        if not others:
            return True
        self.context.log(f"{found.folder.name} was made with another {' and '.join(others)} and is not used")
        if is_first():
            self.context.checkpoints.remove(found.folder)
        return False
