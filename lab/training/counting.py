"""How many rows and tokens a training job would have, with the base's real tokenizer and without loading torch.

The thinking style is the spec's, or the base's: how a start was taught is known to the store alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from lab.bases.cards import bases
from lab.bases.tokenizers import open_tokenizer
from lab.core.errors import LabError
from lab.core.types import StyleName, Target
from lab.data.mixture import parse
from lab.data.resolving import resolve_dataset
from lab.data.targets import WITH_THINKING
from lab.data.transforms import as_taught
from lab.training.rows import chosen, longest_forms, tokenise
from lab.training.specs import SftSpec


@dataclass(frozen=True)
class Counted:
    """What `build_rows` would keep, drop and hold."""

    n_rows: int
    n_dropped: int
    n_tokens: int  # of one pass
    n_trace_tokens: int = 0  # of one pass over the same rows in their form with the trace

    def passes(self, match: str) -> float:
        """How many times as often the rows are read, as `rows.Rows.passes` has it."""
        return self.n_trace_tokens / self.n_tokens if match == "tokens" and self.n_tokens else 1.0


@dataclass(frozen=True)
class Length:
    """Tokens of one example under its target, and in its form with the trace, which decides whether it is kept."""

    own: int
    longest: int


@dataclass(frozen=True)
class Form:
    """What decides the tokens of a dataset's rows, besides base and dataset."""

    target: Target
    style: StyleName
    seed: int = 0  # of the transforms that draw
    n_rows: int = 0  # the first rows alone, where one row's form depends on the others; 0: all


def count(spec: SftSpec) -> Counted:
    """Rows, dropped rows and tokens of this job. Lengths are kept for the next look at the same base and dataset."""
    lengths = chosen(_lengths(spec.base, spec.dataset, _form(spec), _stamp(spec.dataset)), spec.max_rows)
    if not lengths:
        raise LabError(f"dataset '{spec.dataset}' is empty: there is nothing to train on", "data")
    bare = sum(length is None for length in lengths)
    if bare:
        raise LabError(f"{bare} of {len(lengths)} rows of '{spec.dataset}' have no reasoning trace", "data")
    kept = [length for length in lengths if length is not None and length.longest <= spec.max_length]
    return Counted(len(kept), len(lengths) - len(kept), sum(length.own for length in kept),
                   sum(length.longest for length in kept))


def _form(spec: SftSpec) -> Form:
    card = bases()[spec.base]
    style = card.thinking_style if spec.thinking_style == "auto" else spec.thinking_style
    draws = spec.target in ("shuffled", "wrong")
    return Form(spec.target, style, spec.seed if draws else 0, spec.max_rows if spec.target == "wrong" else 0)


@lru_cache(maxsize=64)
def _lengths(base: str, dataset: str, form: Form, stamp: tuple[object, ...]) -> Sequence[Length | None]:
    """Of every row in order; None for a row without a trace where the target needs one."""
    card = bases()[base]
    tokenizer = open_tokenizer(card)
    examples = chosen(resolve_dataset(dataset).load(), form.n_rows)
    places = [place for place, row in enumerate(examples) if row.trace or form.target not in WITH_THINKING]
    usable = [examples[place] for place in places]
    taught = as_taught(usable, form.target, form.seed)
    rows = tokenise(taught, tokenizer, form.target, form.style)
    longest = longest_forms(usable, rows, tokenizer, form.target, form.style)
    known = {place: Length(len(row), length) for place, row, length in zip(places, rows, longest, strict=True)}
    return tuple(known.get(place) for place in range(len(examples)))


def _stamp(dataset: str) -> tuple[object, ...]:
    """Changes when a user's own files do, so that they are counted anew."""
    paths = [Path(part.name.rpartition("@")[2]) for part in parse(dataset)]
    files = [file for path in paths for file in (sorted(path.iterdir()) if path.is_dir() else [path])]
    return tuple((str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files if file.is_file())
