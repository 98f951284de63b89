"""What decoding needs besides the passes: seeds, the tail of a distribution, and the text of tokens that arrive."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import torch


def prompt_seed(seed: int, prompt: Sequence[int]) -> int:
    """The seed of one prompt's samples: it depends on the prompt alone, never on its place in a batch."""
    digest = hashlib.sha256(f"{seed}:{','.join(map(str, prompt))}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


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
