"""Rollouts: answers sampled from the policy as it stands, in batches, with a KV cache.

The random numbers of all rows are drawn before the first token, one for each token that may come, and a token is where
its number falls in the cumulated probabilities. So what a row samples depends neither on when its neighbours end nor on
how many rows are generated at a time, and the draw costs one pass over the vocabulary on the device.

B: rows still decoding. N: all rows. P: tokens of the longest prompt. T: tokens of the longest completion.
V: vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from lab.engine._decoding import decode


@dataclass(frozen=True)
class Sampling:
    """How completions are sampled. `temperature` 0 is greedy and reads no random numbers."""

    max_new_tokens: int
    temperature: float
    end_ids: frozenset[int]
    pad_id: int
    rows_at_once: int


@dataclass(frozen=True)
class Rollouts:
    """Prompts padded on the left, completions on the right; masks are True at real tokens."""

    prompts: Tensor  # (N, P) long
    prompt_mask: Tensor  # (N, P) bool
    tokens: Tensor  # (N, T) long, the end-of-sequence token included where one was sampled
    mask: Tensor  # (N, T) bool
    ended: list[bool]  # whether the model ended the completion itself

    def __len__(self) -> int:
        return len(self.ended)

    @property
    def n_tokens(self) -> int:
        """Of prompts and completions."""
        return int(self.prompt_mask.sum() + self.mask.sum())

    def of(self, rows: Tensor) -> Rollouts:
        """Some of the rows, (n,), no wider than they need."""
        prompt_mask, mask = self.prompt_mask[rows], self.mask[rows]
        left = self.prompts.shape[1] - int(prompt_mask.sum(1).max())
        width = int(mask.sum(1).max())
        return Rollouts(
            self.prompts[rows][:, left:], prompt_mask[:, left:], self.tokens[rows][:, :width], mask[:, :width],
            [self.ended[row] for row in rows.tolist()],
        )


def random_numbers(n: int, max_new_tokens: int, seed: int) -> Tensor:
    """(N, T) in [0, 1). Drawn on the CPU: the same seed then draws the same numbers on every device."""
    return torch.rand(n, max_new_tokens, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def roll_out(model: Any, prompts: Sequence[Sequence[int]], sampling: Sampling, seed: int) -> Rollouts:
    """Sample one completion of each prompt."""
    draws = random_numbers(len(prompts), sampling.max_new_tokens, seed)  # (N, T)
    completions: list[list[int]] = []
    for start in range(0, len(prompts), sampling.rows_at_once):
        chunk = slice(start, start + sampling.rows_at_once)
        completions += _Decoding(model, prompts[chunk], sampling, draws[chunk]).run()
    left = [[sampling.pad_id] * (max(map(len, prompts)) - len(prompt)) + list(prompt) for prompt in prompts]
    width = max(map(len, completions))
    right = [ids + [sampling.pad_id] * (width - len(ids)) for ids in completions]
    places, device = torch.arange(width), model.device
    n_prompt = torch.tensor([len(prompt) for prompt in prompts])
    n_completion = torch.tensor([len(ids) for ids in completions])
    first = torch.arange(len(left[0])) >= len(left[0]) - n_prompt[:, None]
    return Rollouts(
        torch.tensor(left).to(device), first.to(device), torch.tensor(right).to(device),
        (places < n_completion[:, None]).to(device), [ids[-1] in sampling.end_ids for ids in completions],
    )


class _Decoding:
    """Rows being continued until each has ended or used its budget."""

    def __init__(self, model: Any, prompts: Sequence[Sequence[int]], sampling: Sampling, draws: Tensor):
        width = max(map(len, prompts))
        padded = [[sampling.pad_id] * (width - len(prompt)) + list(prompt) for prompt in prompts]
        shown = [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts]
        self.model, self.sampling = model, sampling
        self.ids: list[list[int]] = [[] for _ in prompts]
        self._live = list(range(len(prompts)))
        self._next = torch.tensor(padded, device=model.device)  # (B, P), then (B, 1)
        self._mask = torch.tensor(shown, device=model.device)  # (B, P), one wider with each token
        self._positions = (self._mask.cumsum(-1) - 1).clamp(min=0)  # (B, P), then (B, 1)
        self._draws = draws.to(model.device)  # (B, T)
        self._cache = DynamicCache()

    @torch.no_grad()
    def run(self) -> list[list[int]]:
        """The completions, each with its end-of-sequence token if one was sampled."""
        for place in range(self.sampling.max_new_tokens):
            tokens = self._step(place)  # (B,)
            for row, token in zip(self._live, tokens.tolist(), strict=True):
                if not self._has_ended(row):
                    self.ids[row].append(token)
            ended = [row for row in self._live if self._has_ended(row)]
            if len(ended) == len(self._live):
                break
            if len(ended) * 4 >= len(self._live):
                self._forget(set(ended))
        return self.ids

    def _has_ended(self, row: int) -> bool:
        return bool(self.ids[row]) and self.ids[row][-1] in self.sampling.end_ids

    def _step(self, place: int) -> Tensor:
        logits = self.model(
            input_ids=self._next, attention_mask=self._mask, position_ids=self._positions,
            past_key_values=self._cache, use_cache=True, logits_to_keep=1,
        ).logits[:, -1]  # (B, V)
        tokens = choose(logits, self.sampling.temperature, self._draws[:, place])
        self._next = tokens[:, None]
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(self._live), 1)], dim=1)
        self._positions = self._positions[:, -1:] + 1
        return tokens

    def _forget(self, ended: set[int]) -> None:
        """Stop computing these rows."""
        kept = torch.tensor([i for i, row in enumerate(self._live) if row not in ended], device=self._next.device)
        self._live = [row for row in self._live if row not in ended]
        self._next, self._mask, self._positions = self._next[kept], self._mask[kept], self._positions[kept]
        self._draws = self._draws[kept]
        self._cache.batch_select_indices(kept)


def choose(logits: Tensor, temperature: float, draws: Tensor) -> Tensor:
    """The token at which the cumulated probability passes the draw. (B, V), (B,) in [0, 1) -> (B,)."""
    if temperature == 0:
        return logits.argmax(-1)
    # In float64: float32 sums over a large vocabulary would shift the draws of rare tokens.
    cumulated = (logits.float() / temperature).softmax(-1).double().cumsum(-1)  # (B, V)
    reached = draws[:, None] * cumulated[:, -1:]
    return torch.searchsorted(cumulated, reached, right=True).squeeze(1).clamp(max=logits.shape[-1] - 1)


def texts(rollouts: Rollouts, tokenizer: Any, end_ids: frozenset[int], opening: str) -> list[str]:
    """What each completion says, without its end of sequence, special tokens kept.

    `opening`: the opening mark, where the chat template writes it and the model therefore does not.
    """
    rows = zip(rollouts.tokens.tolist(), rollouts.mask.sum(1).tolist(), rollouts.ended, strict=True)
    return [opening + decode(tokenizer, ids[: n - ended]) for ids, n, ended in rows]


def written_opening(tokenizer: Any, prompt: Sequence[int], mark: str) -> str:
    """The opening mark if the template's prompt ends with it, else nothing."""
    return mark if decode(tokenizer, prompt[-8:]).rstrip().endswith(mark) else ""
