"""The trainer of supervised runs: transformers' Trainer with TRL's fused LM head, and nothing else in its way.

It takes the steps of TRL 1.16's SFTTrainer: the same rows in the same order, the same loss, optimiser and schedule.
What it leaves out costs time and teaches nothing: the entropy of every prediction, four synchronisations a forward pass
for its metrics, reading each row out of an Arrow table, and an attention mask that causal attention over rows padded on
the right does not need. Figures: `tests/perf/sft_speed.py`.

B: sequences of a micro-batch. T: tokens of the longest one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import Trainer
from trl.trainer.utils import add_fused_lm_head

from lab.training.rows import Row

IGNORED = -100  # label of a token that is read but not learned


@dataclass(frozen=True)
class Collator:
    """Rows to tensors: one row a sequence, padded on the right; or packed, as many as fit into `pack_length` tokens.

    A packed sequence holds several rows one after the other. Each row's positions begin at 0, and that is what keeps
    their attention apart (transformers reads a break in the positions as a new document). A batch is the same rows
    whether packed or not, so a step learns the same.
    """

    pad_id: int
    pack_length: int = 0  # 0: no packing
    in_one: bool = False  # one long sequence, as the variable-length kernels of flash attention want it

    def __call__(self, rows: Sequence[Row]) -> dict[str, Any]:
        """input_ids, labels and, if packed, position_ids (B, T); n_tokens: those that are no padding."""
        packs = self._packs(rows)
        length = max(sum(map(len, pack)) for pack in packs)
        shape = (len(packs), length)
        ids = torch.full(shape, self.pad_id)
        labels = torch.full(shape, IGNORED)
        positions = torch.zeros(shape, dtype=torch.long)
        for sequence, pack in enumerate(packs):
            at = 0
            for row in pack:
                learned, end = at + len(row.prompt_ids), at + len(row)
                ids[sequence, at:end] = torch.tensor(row.prompt_ids + row.completion_ids)
                labels[sequence, learned:end] = ids[sequence, learned:end]
                positions[sequence, at:end] = torch.arange(len(row))
                at = end
            positions[sequence, at:] = torch.arange(length - at)  # padding is a document of its own
        batch = {"input_ids": ids, "labels": labels, "n_tokens": sum(map(len, rows))}
        return batch | ({"position_ids": positions} if self.pack_length else {})

    def _packs(self, rows: Sequence[Row]) -> list[list[Row]]:
        """Rows by sequence. Packed first-fit, the longest first; a row longer than `pack_length` has its own."""
        if not self.pack_length:
            return [[row] for row in rows]
        if self.in_one:
            return [list(rows)]
        packs: list[list[Row]] = []
        room: list[int] = []
        for row in sorted(rows, key=len, reverse=True):
            place = next((at for at, free in enumerate(room) if free >= len(row)), len(packs))
            if place == len(packs):
                packs.append([])
                room.append(self.pack_length)
            packs[place].append(row)
            room[place] -= len(row)
        return packs


class SftTrainer(Trainer):
    """Cross-entropy of the learned tokens, each weighing the same in a step whatever its row or micro-batch."""

    def __init__(self, *positional: Any, **settings: Any):
        super().__init__(*positional, **settings)
        model = self.model.get_base_model() if hasattr(self.model, "peft_config") else self.model
        add_fused_lm_head(model, outputs=("log_probs", "is_top1"))
        self._n_read = 0  # tokens since this attempt began, of this process
        self._accuracies: list[Tensor] = []  # of each micro-batch since the last log; read only then

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Tensor:
        """The loss of a micro-batch. `num_items_in_batch`: learned tokens of the step, over all its micro-batches."""
        n_tokens = inputs.pop("n_tokens")
        outputs = model(**inputs, fused_lm_head=True)
        self._n_read += n_tokens
        n_learned = outputs.label_mask.sum().clamp(min=1)
        self._accuracies.append(outputs.is_top1.sum() / n_learned)
        total = -outputs.log_probs.sum()
        if num_items_in_batch is None:
            return total / n_learned
        loss = total / torch.as_tensor(num_items_in_batch).to(total.device).clamp(min=1)
        # The number is of all ranks, and DDP takes the mean of their gradients.
        return loss * self.accelerator.num_processes if self.args.average_tokens_across_devices else loss

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Adds the share of learned tokens that were the likeliest one, and the tokens read since the start."""
        if "loss" in logs:
            here = torch.stack([torch.stack(self._accuracies).mean(), torch.tensor(float(self._n_read))])
            accuracy, n_read = self.accelerator.reduce(here.double().to(self.args.device), "sum").tolist()
            logs["mean_token_accuracy"] = accuracy / self.accelerator.num_processes
            logs["num_tokens"] = round(n_read)
            self._accuracies.clear()
        super().log(logs, start_time)
