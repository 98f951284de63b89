"""How many rows and tokens a training job would have, with the base's real tokenizer and without loading torch."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from lab.bases.cards import BaseCard, bases
from lab.core.errors import LabError
from lab.data.jsonl import resolve_dataset
from lab.training.rows import chosen, tokenise
from lab.training.specs import SftSpec


@dataclass(frozen=True)
class Counted:
    """What `build_rows` would keep, drop and hold."""

    n_rows: int
    n_dropped: int
    n_tokens: int  # of one pass


@dataclass(frozen=True)
class Length:
    """Tokens of one example under each target; a row without a trace has none."""

    answer: int
    trace: int | None

    @property
    def longest(self) -> int:
        return self.answer if self.trace is None else self.trace


# transformers loads its parts when they are asked for, and two threads that ask at once can find half a module.
IMPORTING = threading.Lock()


def open_tokenizer(card: BaseCard) -> Any:
    """The base's tokenizer, in the class that AutoTokenizer would choose: that one imports torch in order to look."""
    with IMPORTING:
        from transformers import PreTrainedTokenizerFast, Qwen2Tokenizer

    # Qwen2's class splits numbers by its own rule, whatever the folder's tokenizer.json says.
    family = {"llama": PreTrainedTokenizerFast, "qwen2": Qwen2Tokenizer}[card.family]
    try:
        return family.from_pretrained(card.location(), revision=card.revision or "main")
    except OSError:
        raise missing_files(card) from None


def missing_files(card: BaseCard) -> LabError:
    """What to say when a base's files cannot be opened."""
    where = f"download '{card.hub_id}' on a machine with internet" if card.hub_id else "build it again, see its card"
    return LabError(f"the files of base '{card.name}' are not on this machine: {where}", "data")


def count(spec: SftSpec) -> Counted:
    """Rows, dropped rows and tokens of this job. Lengths are kept for the next look at the same base and dataset."""
    lengths = chosen(_lengths(spec.base, spec.dataset, _stamp(spec.dataset)), spec.max_rows)
    if not lengths:
        raise LabError(f"dataset '{spec.dataset}' is empty: there is nothing to train on", "data")
    bare = sum(length.trace is None for length in lengths)
    if spec.target == "trace" and bare:
        raise LabError(f"{bare} of {len(lengths)} rows of '{spec.dataset}' have no reasoning trace", "data")
    kept = [length for length in lengths if length.longest <= spec.max_length]
    n_tokens = sum((length.trace or 0) if spec.target == "trace" else length.answer for length in kept)
    return Counted(len(kept), len(lengths) - len(kept), n_tokens)


@lru_cache(maxsize=64)
def _lengths(base: str, dataset: str, stamp: tuple[int, int]) -> Sequence[Length]:
    card = bases()[base]
    tokenizer = open_tokenizer(card)
    examples = resolve_dataset(dataset).load()
    answers = [len(row) for row in tokenise(examples, tokenizer, "answer", card.thinking_style)]
    with_trace = [example for example in examples if example.trace]
    traces = iter([len(row) for row in tokenise(with_trace, tokenizer, "trace", card.thinking_style)])
    pairs = zip(examples, answers, strict=True)
    return tuple(Length(answer, next(traces) if example.trace else None) for example, answer in pairs)


def _stamp(dataset: str) -> tuple[int, int]:
    """Changes when a user's own file does, so that it is counted anew."""
    path = Path(dataset)
    if dataset.endswith(".jsonl") and path.is_file():
        status = path.stat()
        return status.st_mtime_ns, status.st_size
    return 0, 0
