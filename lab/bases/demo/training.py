"""The pre-training loop: Muon for the matrices, AdamW for the rest, a fixed number of steps, resumable.

Every chunk of text is drawn from (seed, chunk number): a resumed run reads what an uninterrupted one would have read.
"""

from __future__ import annotations

import bisect
import itertools
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from tokenizers import Encoding
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from lab.bases.demo.designs import Design
from lab.bases.demo.pretraining_text import ChatMarks, document, practice
from lab.bases.demo.primitives import Segment

# B rows of T tokens a step
B, T = 16, 160
CHUNK_STEPS = 50
IGNORED = -100


@dataclass(frozen=True)
class Stage:
    """What is read, how long and how fast: rates rise over `warmup`, stay, and fall to zero over the last `decay`
    share."""

    name: str  # salts the seed of its text; empty for the first
    document: Callable[[random.Random, ChatMarks], list[Segment]]
    steps: int
    matrix_rate: float = 0.02
    other_rate: float = 0.006
    warmup: int = 100
    decay: float = 0.7

    def factor(self, step: int) -> float:
        left = (self.steps - step) / max(1.0, self.decay * self.steps)
        return min(1.0, (step + 1) / self.warmup, left)


def stages(steps: int) -> tuple[Stage, Stage]:
    """Four sevenths of the steps for every skill, the rest for practice at half the rate."""
    first = max(1, steps * 4 // 7)
    return (
        Stage("", document, first),
        Stage("practice/", practice, steps - first, matrix_rate=0.01, other_rate=0.003, decay=1.0),
    )


@dataclass
class Progress:
    """Where a run is; saved with every checkpoint."""

    step: int = 0
    seconds: float = 0.0
    losses: list[tuple[int, float]] = field(default_factory=list)


def chunk(design: Design, tokenizer: PreTrainedTokenizerFast, stage: Stage, number: int
          ) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs and labels of CHUNK_STEPS steps, both (CHUNK_STEPS, B, T); documents are packed end to end."""
    rng = random.Random(f"pretrain/{design.name}/{design.seed}/{stage.name}{number}")
    begin = tokenizer.convert_tokens_to_ids(design.begin)
    tokenizer.backend_tokenizer.no_padding()  # a padded call made elsewhere leaves padding switched on
    wanted = CHUNK_STEPS * B * T + 1
    ids: list[int] = []
    labels: list[int] = []
    while len(ids) < wanted:
        documents = [stage.document(rng, design.marks) for _ in range(64)]
        whole = ["".join(text for text, _ in segments) for segments in documents]
        encoded = tokenizer.backend_tokenizer.encode_batch(whole, add_special_tokens=False)
        for segments, piece in zip(documents, encoded, strict=True):
            ids += [begin, *piece.ids]
            labels += [IGNORED, *learned(segments, piece)]
    shape = (CHUNK_STEPS, B, T)
    return torch.tensor(ids[: wanted - 1]).view(shape), torch.tensor(labels[1:wanted]).view(shape)


def learned(segments: list[Segment], piece: Encoding) -> list[int]:
    """Labels of one document: a token is learned when its last character lies in a learned segment."""
    ends = list(itertools.accumulate(len(text) for text, _ in segments))
    places = (bisect.bisect_left(ends, end) for _, end in piece.offsets)
    return [token if segments[place][1] else IGNORED for token, place in zip(piece.ids, places, strict=True)]


def loss_of(model: PreTrainedModel, ids: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy over the learned tokens of a (B, T) batch; the output layer sees only those."""
    hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state  # (B, T, hidden)
    learned = labels != IGNORED
    return cross_entropy(model.lm_head(hidden[learned]), labels[learned])


def optimizers(model: PreTrainedModel) -> list[torch.optim.Optimizer]:
    """Muon on the blocks' matrices; AdamW on embeddings, norms and biases."""
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    others = [p for n, p in model.named_parameters() if p.ndim != 2 or "embed" in n]
    return [
        torch.optim.Muon(matrices, momentum=0.95, weight_decay=0.01),
        torch.optim.AdamW(others, betas=(0.9, 0.95), weight_decay=0.0),
    ]


def save_checkpoint(path: Path, model: PreTrainedModel, steppers: list[torch.optim.Optimizer], at: Progress) -> None:
    state = {"model": model.state_dict(), "optimizers": [s.state_dict() for s in steppers], "progress": vars(at)}
    torch.save(state, path.with_suffix(".tmp"))
    path.with_suffix(".tmp").replace(path)


def load_checkpoint(path: Path, model: PreTrainedModel, steppers: list[torch.optim.Optimizer]) -> Progress:
    if not path.is_file():
        return Progress()
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    for stepper, saved in zip(steppers, state["optimizers"], strict=True):
        stepper.load_state_dict(saved)
    return Progress(**state["progress"])


def pretrain(design: Design, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, plan: tuple[Stage, ...],
             checkpoint: Path) -> Iterator[Progress]:
    """Train through the stages, yielding the progress after every chunk, when a checkpoint has been written."""
    steppers = optimizers(model)
    at = load_checkpoint(checkpoint, model, steppers)
    model.train()
    if at.step >= sum(stage.steps for stage in plan):  # finished before: the caller still needs the record
        yield at
    before = 0
    for stage in plan:
        while at.step < before + stage.steps:
            started = time.monotonic()
            begun = at.step - before
            ids, labels = chunk(design, tokenizer, stage, begun // CHUNK_STEPS)
            done = min(CHUNK_STEPS, stage.steps - begun)
            losses = [
                train_step(model, steppers, stage, begun + index, (ids[index], labels[index])) for index in range(done)
            ]
            at.step += done
            at.seconds += time.monotonic() - started
            at.losses.append((at.step, round(sum(losses) / done, 4)))
            save_checkpoint(checkpoint, model, steppers, at)
            yield at
        before += stage.steps


def train_step(model: PreTrainedModel, steppers: list[torch.optim.Optimizer], stage: Stage, step: int,
               batch: tuple[torch.Tensor, torch.Tensor]) -> float:
    """One update at the stage's rates; returns the loss."""
    for stepper, rate in zip(steppers, (stage.matrix_rate, stage.other_rate), strict=True):
        stepper.param_groups[0]["lr"] = rate * stage.factor(step)
    loss = loss_of(model, *batch)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for stepper in steppers:
        stepper.step()
        stepper.zero_grad(set_to_none=True)
    return loss.item()
