"""Decoding: several prompts, one token each a step, with a KV cache. Knows tensors, not models' names.

One loop serves the stream (one row) and the batch (many rows), so both give the same text. `model.generate` is not
used: its sampling has one generator for the whole batch, so an answer would depend on its neighbours, and it keeps
computing rows that have ended.

B: rows still decoding. T: tokens so far, padding on the left included. V: vocabulary.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import torch
from transformers import DynamicCache


def prompt_seed(seed: int, prompt: Sequence[int]) -> int:
    """The seed of one prompt's samples: it depends on the prompt alone, never on its place in a batch."""
    digest = hashlib.sha256(f"{seed}:{','.join(map(str, prompt))}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


class Decoding:
    """Prompts being continued. `step` returns the next token of every live row; `drop` forgets rows that have ended."""

    def __init__(self, prompts: Sequence[Sequence[int]], pad_id: int, temperature: float, seed: int, device: Any):
        width = max(map(len, prompts))
        padded = [[pad_id] * (width - len(prompt)) + list(prompt) for prompt in prompts]
        shown = [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts]
        self.rows = list(range(len(prompts)))  # the place of each live row among the prompts
        self._next = torch.tensor(padded, device=device)  # (B, T), then (B, 1)
        self._mask = torch.tensor(shown, device=device)  # (B, T)
        self._positions = (self._mask.cumsum(-1) - 1).clamp(min=0)  # (B, T), then (B, 1)
        self._cache = DynamicCache()
        self._temperature = temperature
        self.top_p = 1.0  # below 1: only the likeliest tokens that hold this probability are drawn
        # Generators live on the CPU: the same seed then draws the same numbers on every device.
        self._generators = [torch.Generator().manual_seed(prompt_seed(seed, prompt)) for prompt in prompts]

    # Entered anew each step: the mode belongs to a thread, and a stream's steps come from several.
    @torch.inference_mode()
    def step(self, model: Any) -> list[tuple[int, int]]:
        """(row, token) of every live row."""
        logits = model(
            input_ids=self._next,
            attention_mask=self._mask,
            position_ids=self._positions,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits[:, -1]  # (B, V)
        tokens = self._choose(logits.float())  # (B,)
        self._next = tokens[:, None]
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(self.rows), 1)], dim=1)
        self._positions = self._positions[:, -1:] + 1
        return list(zip(self.rows, tokens.tolist(), strict=True))

    @torch.inference_mode()
    def drop(self, ended: set[int]) -> None:
        """Stop computing these rows."""
        kept = [index for index, row in enumerate(self.rows) if row not in ended]
        self.rows = [self.rows[index] for index in kept]
        if not kept:
            return
        chosen = torch.tensor(kept, device=self._next.device)
        self._next, self._mask, self._positions = self._next[chosen], self._mask[chosen], self._positions[chosen]
        self._cache.batch_select_indices(chosen)

    def _choose(self, logits: torch.Tensor) -> torch.Tensor:
        if self._temperature == 0:
            return logits.argmax(-1)
        shares = likeliest((logits / self._temperature).softmax(-1), self.top_p).cpu()
        drawn = [
            torch.multinomial(share, 1, generator=self._generators[row])
            for share, row in zip(shares, self.rows, strict=True)
        ]
        return torch.cat(drawn).to(logits.device)


def likeliest(shares: torch.Tensor, top_p: float) -> torch.Tensor:
    """Nucleus sampling (Holtzman et al. 2020): probabilities (B, V) without the tail beyond the fewest tokens that
    together hold `top_p`. They need not add up to 1: a draw from them divides by their sum."""
    if top_p >= 1:
        return shares
    ordered, order = shares.sort(-1, descending=True)
    beyond = ordered.cumsum(-1) - ordered >= top_p  # what comes before this token holds enough
    return shares.scatter(-1, order, ordered.masked_fill(beyond, 0.0))


class TextStream:
    """Text of tokens that arrive one by one. A character made of several tokens is shown when it is whole."""

    def __init__(self, tokenizer: Any):
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._shown = 0  # ids before this one have been shown
        self._window = 0  # decoding starts here: a tokenizer may join a token with the one before it

    def push(self, token: int) -> str:
        """The text that `token` completes; empty while a character is half there."""
        self._ids.append(token)
        return self._show(self._new_text(), whole=False)

    def finish(self) -> str:
        """What is left, whole or not."""
        return self._show(self._new_text(), whole=True)

    def _new_text(self) -> str:
        before = decode(self._tokenizer, self._ids[self._window : self._shown])
        return decode(self._tokenizer, self._ids[self._window :])[len(before) :]

    def _show(self, text: str, whole: bool) -> str:
        if not whole and text.endswith("\ufffd"):
            return ""
        self._window, self._shown = self._shown, len(self._ids)
        return text


def decode(tokenizer: Any, ids: Sequence[int]) -> str:
    """Text of ids with special tokens kept: delimiters of thinking may be among them."""
    return tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False)
