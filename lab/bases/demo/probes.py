"""Probes: how well a base does each primitive skill, greedy, on fresh draws after three examples of the same kind."""

from __future__ import annotations

import random

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from lab.bases.demo.designs import Design
from lab.bases.demo.primitives import PRIMITIVES

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
    rows = [draw(rng) for _ in range(n)]
    shown = ["".join("".join(draw(rng)) + "\n" for _ in range(N_EXAMPLES)) for _ in rows]
    prompts = [f"{design.begin}{before}{given}" for before, (given, _) in zip(shown, rows, strict=True)]
    side, tokenizer.padding_side = tokenizer.padding_side, "left"
    batch = tokenizer(prompts, return_tensors="pt", padding=True, add_special_tokens=False)
    tokenizer.padding_side = side
    with torch.no_grad():
        out = model.generate(
            input_ids=batch.input_ids, attention_mask=batch.attention_mask, max_new_tokens=MAX_NEW_TOKENS,
            do_sample=False, pad_token_id=tokenizer.pad_token_id,
        )  # (n, prompt + new)
    texts = tokenizer.batch_decode(out[:, batch.input_ids.shape[1]:])
    right = sum(text.split("\n")[0] == result for text, (_, result) in zip(texts, rows, strict=True))
    return round(right / n, 4)
