"""Splits by hash: which part of the demo data a text belongs to is a property of the text, never of a random draw."""

from __future__ import annotations

import hashlib
from typing import Literal

Split = Literal["train", "benchmark", "pretrain"]

# Upper bounds in per cent of the hash space. The embedded bases see 'pretrain' texts without working or answer.
BOUNDS: tuple[tuple[Split, int], ...] = (("benchmark", 15), ("pretrain", 45), ("train", 100))


def bucket(text: str) -> int:
    """0..99, from the sha256 of the text with case and spacing normalised."""
    digest = hashlib.sha256(" ".join(text.lower().split()).encode()).digest()
    return int.from_bytes(digest[:8], "big") % 100


def split_of(text: str) -> Split:
    """The one split `text` belongs to."""
    place = bucket(text)
    return next(name for name, bound in BOUNDS if place < bound)
