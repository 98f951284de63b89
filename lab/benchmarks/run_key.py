"""Run key: one sha256 that names everything that changes an answer. Same key, same answers (greedy, same hardware)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from lab.bases.cards import bases
from lab.benchmarks.benchmark import Benchmark
from lab.benchmarks.specs import GenerationSettings
from lab.core.types import Example, ModelSource
from lab.data.dataset import fingerprint
from lab.engine.contract import style_of
from lab.engine.fingerprint import tokenizer_fingerprint, weights_fingerprint

ENGINE_VERSION = "1"  # raise it when the same weights would give another text, or the same text another split


@dataclass(frozen=True)
class RunKey:
    """The key and what it was made of, for a person who asks why two runs differ."""

    key: str
    parts: dict[str, Any]


def run_key(
    source: ModelSource, benchmark: Benchmark, questions: list[Example], settings: GenerationSettings
) -> RunKey:
    """The batch size is not part of it: it changes the speed only."""
    card = bases()[source.base]
    parts = {
        "engine": ENGINE_VERSION,
        "weights": weights_fingerprint(card, source),
        "tokenizer": tokenizer_fingerprint(card),
        "benchmark": benchmark.name,
        "version": benchmark.version,
        "questions": fingerprint(questions),
        "max_new_tokens": settings.max_new_tokens,
        "temperature": settings.temperature,
        "seed": settings.seed if settings.temperature else None,  # a greedy answer does not depend on it
    }
    style = style_of(source, card)
    if style != card.thinking_style:  # it decides where an answer begins; runs from before there was a choice keep
        parts["thinking_style"] = style  # the key they have
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return RunKey(hashlib.sha256(text.encode()).hexdigest(), parts)
