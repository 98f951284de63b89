"""Probes: how well a base does each primitive skill, greedy, on fresh draws after three examples of the same kind."""

from __future__ import annotations

import random
from collections.abc import Callable

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from lab.bases.demo.designs import Design
from lab.bases.demo.primitives import PRIMITIVES

Primitive = Callable[[random.Random], tuple[str, str]]
N_EXAMPLES = 3
MAX_NEW_TOKENS = 12


def probe(design: Design, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, n: int = 300) -> dict[str, float]:
    """Share of exactly right lines for each primitive."""
    was_training = model.training
    model.eval()
    found = {name: _accuracy(design, model, tokenizer, name, n) for name in PRIMITIVES}
    model.train(was_training)
    return found


def _accuracy(design: Design, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, name: str, n: int) -> float:
    draw, rng = PRIMITIVES[name][0], random.Random(f"probe/{name}")
    cut = [_cut(tokenizer, design.begin + _shown(draw, rng), *draw(rng)) for _ in range(n)]
    side, tokenizer.padding_side = tokenizer.padding_side, "left"
    batch = tokenizer.pad({"input_ids": [ids for ids, _ in cut]}, return_tensors="pt")
    tokenizer.padding_side = side
    with torch.no_grad():
        out = model.generate(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], max_new_tokens=MAX_NEW_TOKENS,
            do_sample=False, pad_token_id=tokenizer.pad_token_id,
        )  # (n, prompt + new)
    texts = tokenizer.batch_decode(out[:, batch["input_ids"].shape[1]:])
    return round(sum(text.startswith(wanted) for text, (_, wanted) in zip(texts, cut, strict=True)) / n, 4)


def _shown(draw: Primitive, rng: random.Random) -> str:
    """The examples before the question."""
    return "".join("".join(draw(rng)) + "\n" for _ in range(N_EXAMPLES))


def _cut(tokenizer: PreTrainedTokenizerFast, before: str, given: str, result: str) -> tuple[list[int], str]:
    """(prompt tokens, the text that must follow), cut where the whole line's own tokens begin to hold the result."""
    start, line = len(before) + len(given), f"{before}{given}{result}\n"
    whole = tokenizer(line, add_special_tokens=False, return_offsets_mapping=True)
    ends = [end for _, end in whole["offset_mapping"]]
    first = next(place for place, end in enumerate(ends) if end > start)
    return whole["input_ids"][:first], line[ends[first - 1]:]
