"""From pairs of replies to training rows: one prompt and two completions in tokens, rendered as SFT renders them.

Nothing is cut: a pair with a reply that is too long is dropped and counted, and so is one whose replies are the same
tokens. No torch here; a tokenizer is handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lab.core.errors import LabError
from lab.core.types import Example, Pair, StyleName
from lab.training.preference_specs import DpoSpec
from lab.training.rows import Row, chosen, tokenise

Side = Literal["chosen", "rejected"]


@dataclass(frozen=True)
class PairRow:
    """One pair as the trainer sees it. The two completions follow the same prompt."""

    id: str
    prompt_ids: list[int]
    chosen_ids: list[int]
    rejected_ids: list[int]

    def __len__(self) -> int:
        """Tokens of both sequences."""
        return 2 * len(self.prompt_ids) + len(self.chosen_ids) + len(self.rejected_ids)

    @property
    def longest(self) -> int:
        return len(self.prompt_ids) + max(len(self.chosen_ids), len(self.rejected_ids))


@dataclass(frozen=True)
class PairRows:
    """The pairs that are learned from, in their order, and how many are not."""

    kept: list[PairRow]
    n_too_long: int
    n_same: int  # both replies are the same tokens

    @property
    def n_dropped(self) -> int:
        return self.n_too_long + self.n_same

    @property
    def n_tokens(self) -> int:
        """Tokens of one pass, each prompt twice."""
        return sum(map(len, self.kept))


def build_pair_rows(spec: DpoSpec, pairs: Sequence[Pair], tokenizer: Any, style: StyleName) -> PairRows:
    """What this job trains on. Raises LabError when there is nothing to train on, saying why."""
    pairs = chosen(pairs, spec.max_rows)
    if not pairs:
        raise LabError(f"pairs '{spec.pairs}' are none: there is nothing to prefer", "data")
    sides = zip(_replies(pairs, "chosen", tokenizer, style), _replies(pairs, "rejected", tokenizer, style), strict=True)
    rows = [PairRow(one.id, one.prompt_ids, one.completion_ids, other.completion_ids) for one, other in sides]
    different = [row for row in rows if row.chosen_ids != row.rejected_ids]
    kept = [row for row in different if row.longest <= spec.max_length]
    if not kept:
        lengths = [row.longest for row in rows]
        raise LabError(
            f"none of the {len(rows)} pairs of '{spec.pairs}' can be learned from: {len(rows) - len(different)} have "
            f"two equal replies, {len(different)} do not fit max_length {spec.max_length} (from {min(lengths)} to "
            f"{max(lengths)} tokens). Raise max_length or use other pairs", "data",
        )
    return PairRows(kept, len(different) - len(kept), len(rows) - len(different))


def _replies(pairs: Sequence[Pair], side: Side, tokenizer: Any, style: StyleName) -> list[Row]:
    """One side of each pair. A reply with thinking is written as target `trace` writes it, another as `answer`."""
    examples = [reply(pair, side) for pair in pairs]
    rows: dict[int, Row] = {}
    for target, thinks in (("trace", True), ("answer", False)):
        places = [place for place, example in enumerate(examples) if bool(example.trace) == thinks]
        written = tokenise([examples[place] for place in places], tokenizer, target, style)
        rows |= dict(zip(places, written, strict=True))
    return [rows[place] for place in range(len(examples))]


def reply(pair: Pair, side: Side) -> Example:
    """One side of a pair as a row of a dataset. Nobody scores it, so its gold answer is empty."""
    return Example(
        id=pair.id, question=pair.question, options=pair.options, trace=getattr(pair, f"{side}_trace"),
        answer=getattr(pair, side), gold="", subject=pair.subject, source=pair.source,
    )
