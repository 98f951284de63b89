"""The steps of test-time training: a few steps of a fresh Adam on the examples' tokens.

One example per forward pass: nothing is padded, and memory holds one example's activations. T: tokens of an example.
V: vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from lab.core.errors import LabError
from lab.engine.adapt import Adaptation
from lab.engine.retrieving import TaughtRow


@dataclass(frozen=True)
class Steps:
    """What is trained on what: the parameters, the examples, and the block in which a forward pass is routed."""

    model: Any
    parameters: Sequence[torch.nn.Parameter]
    rows: Sequence[TaughtRow]
    routed: Callable[[], AbstractContextManager[None]]

    def run(self, settings: Adaptation) -> tuple[float, float]:
        """(mean loss per taught token before, after). LabError when it is not a number or memory runs out."""
        # Decoding may have switched inference mode on in this thread: nothing made in it can be trained through.
        with torch.inference_mode(False), torch.enable_grad():
            try:
                optimizer = torch.optim.Adam(self.parameters, lr=settings.learning_rate)
                before = [self._step(optimizer) for _ in range(settings.steps)][0]
                with torch.no_grad():
                    after = sum(self._loss(row).item() for row in self.rows)
            except torch.OutOfMemoryError:
                raise LabError("adapting does not fit in memory: take scope lora, fewer neighbours or shorter examples",
                               "memory") from None
            finally:
                for parameter in self.parameters:
                    parameter.grad = None
        if not math.isfinite(after):
            raise LabError(f"the loss after adapting is {after}: lower the learning rate ({settings.learning_rate:g})",
                           "data")
        return before, after

    def _step(self, optimizer: torch.optim.Optimizer) -> float:
        optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for row in self.rows:
            loss = self._loss(row)
            loss.backward()
            total += loss.item()
        optimizer.step()
        return total

    def _loss(self, row: TaughtRow) -> torch.Tensor:
        """This example's share of the mean over all taught tokens."""
        device = self.parameters[0].device
        ids = torch.tensor([row.ids], device=device)  # (1, T)
        with self.routed():  # anew each time: the stack puts its matrices together at the entry
            logits = self.model(input_ids=ids, use_cache=False, logits_to_keep=row.n_taught + 1).logits[0, :-1]
        taught = ids[0, row.first :]  # (n_taught,); logits (n_taught, V)
        return cross_entropy(logits.float(), taught, reduction="sum") / sum(one.n_taught for one in self.rows)
