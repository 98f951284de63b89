"""The KV cache of rows that come and go: every row has a slot of its own and its own length.

Row i of a forward pass continues at its own position; nothing is padded on the left, copied per token, or moved when a
row joins. A row that ends leaves a hole, which the last row is moved into. Room for rows and tokens grows by doubling.

R: rows there is room for. H: key-value heads. C: tokens there is room for. D: size of a head. S: new tokens per row.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers.cache_utils import Cache, CacheLayerMixin

FIRST_ROWS, FIRST_TOKENS = 4, 256


class _SlotLayer(CacheLayerMixin):
    """Keys and values of one layer, each (R, H, C, D)."""

    def __init__(self, place: SlotCache):
        super().__init__()
        self._place = place

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        room = self._place
        self.keys, self.values = (
            new.new_zeros(room.n_rows, new.shape[1], room.n_tokens, new.shape[3]) for new in (key_states, value_states)
        )
        self.is_initialized = True

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any) -> Any:
        """Write (rows, H, S, D) where the pass says; the rows' keys and values up to the longest."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        place = self._place
        first, last, width = place.first, place.last, place.width
        if place.columns is None:
            self.keys[first:last, :, place.start : width] = key_states
            self.values[first:last, :, place.start : width] = value_states
        else:
            self.keys[place.lines, :, place.columns] = key_states.transpose(1, 2)  # (rows, S, H, D)
            self.values[place.lines, :, place.columns] = value_states.transpose(1, 2)
        return self.keys[first:last, :, :width], self.values[first:last, :, :width]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self._place.width, 0

    def get_seq_length(self) -> int:
        return self._place.width

    def get_max_length(self) -> int:
        return -1

    def grow(self, n_rows: int, n_tokens: int) -> None:
        if self.is_initialized:
            self.keys, self.values = (_grown(old, n_rows, n_tokens) for old in (self.keys, self.values))

    def move(self, source: int, target: int, length: int) -> None:
        if self.is_initialized:
            self.keys[target, :, :length] = self.keys[source, :, :length]
            self.values[target, :, :length] = self.values[source, :, :length]


class SlotCache(Cache):
    """The cache of one model. `aim` says which rows the next forward pass is over and where it writes."""

    def __init__(self, n_layers: int):
        super().__init__(layers=[_SlotLayer(self) for _ in range(n_layers)])
        self.n_rows, self.n_tokens = FIRST_ROWS, FIRST_TOKENS
        self.first = self.last = self.start = self.width = 0
        self.lines: torch.Tensor | None = None  # (rows, 1)
        self.columns: torch.Tensor | None = None  # (rows, S), None: every row writes at `start`

    def make_room(self, n_rows: int, n_tokens: int) -> None:
        """Grow until `n_rows` rows of `n_tokens` tokens fit; may raise torch.OutOfMemoryError, then nothing changed."""
        rows, tokens = _doubled(self.n_rows, n_rows), _doubled(self.n_tokens, n_tokens)
        if (rows, tokens) == (self.n_rows, self.n_tokens):
            return
        grown = [(layer, rows, tokens) for layer in self.layers]
        for layer, *size in grown:
            layer.grow(*size)
        self.n_rows, self.n_tokens = rows, tokens

    def aim(self, first: int, lengths: list[int], n_new: int, positions: torch.Tensor) -> None:
        """The next pass continues rows `first`… which hold `lengths` tokens, by `n_new` each, at `positions`
        (rows, S)."""
        self.first, self.last = first, first + len(lengths)
        self.start, self.width = lengths[0], max(lengths) + n_new
        if all(length == lengths[0] for length in lengths):
            self.lines = self.columns = None
        else:
            self.lines = torch.arange(first, self.last, device=positions.device)[:, None]
            self.columns = positions

    def move(self, source: int, target: int, length: int) -> None:
        """Row `source` takes the place of row `target`."""
        for layer in self.layers:
            layer.move(source, target, length)

    def release(self) -> None:
        """Give the memory back; the cache must hold no row."""
        self.n_rows, self.n_tokens = FIRST_ROWS, FIRST_TOKENS
        for layer in self.layers:
            layer.keys = layer.values = None
            layer.is_initialized = False

    def bytes(self) -> int:
        return sum(layer.keys.nbytes + layer.values.nbytes for layer in self.layers if layer.is_initialized)


def _doubled(now: int, wanted: int) -> int:
    while now < wanted:
        now *= 2
    return now


def _grown(old: torch.Tensor, n_rows: int, n_tokens: int) -> torch.Tensor:
    new = old.new_zeros(n_rows, old.shape[1], n_tokens, old.shape[3])
    new[: old.shape[0], :, : old.shape[2]] = old
    return new
