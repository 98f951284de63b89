"""Benchmark: a versioned set of questions + prompt + scorer, one file each in this folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from lab.core.registry import Registry, discover
from lab.core.types import Example


@dataclass(frozen=True)
class Benchmark:
    """A benchmark's card and its reader. Each question names its own verifier (`Example.verifier`)."""

    name: str
    title: str
    version: str
    description: str
    source: str
    license: str
    load: Callable[[], list[Example]]


@cache
def benchmarks() -> Registry[Benchmark]:
    """Every benchmark by name. A module in this folder registers by having a `BENCHMARK`."""
    return Registry("benchmark", {card.name: card for _, card in discover("lab.benchmarks", "BENCHMARK")})
