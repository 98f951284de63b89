"""Chosen and rejected answers for preference training, from what raters preferred.

preferences.jsonl is a file of a round's export: every majority, its votes told. Pairs for a dataset are stricter: what
raters called a tie teaches nothing, so ties and "both bad" are votes for neither answer; flagged raters do not vote.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from lab.core.errors import Fault, SpecError
from lab.core.types import Pair
from lab.data.pair_rows import pair_of
from lab.rating.consistency import choice_marks, matrix
from lab.rating.files.contents import Contents, UnitText
from lab.rating.files.lines import jsonl
from lab.rating.quality import round_quality
from lab.rating.rows import RatingRow
from lab.stats.agreement import Agreement, krippendorff_alpha

KEPT, FEW, TIE, BOTH_BAD, BELOW = "kept", "too few votes", "tie", "both bad", "below agreement"
Replies = Callable[[UnitText], tuple[tuple[str, str], tuple[str, str]]]  # (answer, thinking or "") of a and of b


@dataclass(frozen=True)
class PairRule:
    """Which preferences become pairs. `least_agreement`: votes for the chosen answer among all votes on the unit."""

    least_agreement: float = 0.7
    least_votes: int = 2
    keep_thinking: bool = False  # also of answers that were rated without their thinking

    def check(self) -> None:
        """Raise SpecError for a share that no majority can have, and for no votes at all."""
        faults = []
        if not 0.5 < self.least_agreement <= 1:
            words = f"should be above 0.5 and at most 1 (got {self.least_agreement})"
            faults.append(Fault("agreement", words, self.least_agreement))
        if self.least_votes < 1:
            faults.append(Fault("min_votes", f"should be 1 or more (got {self.least_votes})", self.least_votes))
        if faults:
            raise SpecError(faults, "pairs")


@dataclass(frozen=True)
class Lengths:
    """Mean words of what is chosen and of what is rejected, thinking apart: training learns a difference in length,
    too. None without a pair."""

    chosen: float | None
    rejected: float | None
    n_longer_chosen: int
    n: int


@dataclass(frozen=True)
class PreferredPairs:
    """The pairs, and what became of every unit."""

    pairs: tuple[Pair, ...]
    notes: tuple[Mapping[str, Any], ...]  # of each pair: its votes, and which model wrote which
    outcomes: Mapping[str, int]  # KEPT, FEW, TIE …: units
    unreadable: Mapping[str, int] = field(default_factory=dict)  # why a preferred unit makes no pair: units
    n_units: int = 0  # with two answers
    n_votes: int = 0  # that count
    n_flagged_raters: int = 0
    n_flagged_votes: int = 0
    alpha: Agreement | None = None  # of the votes that count, by model; None without a vote
    lengths: Lengths = Lengths(None, None, 0, 0)
    n_questions_again: int = 0  # questions with more than one pair


def preferred_pairs(contents: Contents, rule: PairRule, replies: Replies) -> PreferredPairs:
    """The pairs of a round, in the order of its units. Repeats, known answers, surplus ratings and old versions do not
    vote, nor do raters that `lab.rating.quality` flags; how many votes that leaves out is told, never whose."""
    rule.check()
    flagged = set(round_quality(contents.rows).flagged)
    asked = [row for row in contents.main if row.model_b and row.preferred]
    counted = [row for row in asked if row.rater not in flagged]
    votes = _votes(counted)
    units = [unit for unit in contents.units if unit.role == "main" and unit.text_b]
    outcomes, unreadable = Counter(dict.fromkeys((KEPT, FEW, TIE, BOTH_BAD, BELOW), 0)), Counter()
    made: list[tuple[Pair, dict[str, Any]]] = []
    for unit in units:
        found = outcome(votes.get(unit.uid, Counter()), rule)
        pair = _pair(unit, votes[unit.uid], replies, contents.facts.uid) if found == KEPT else None
        if isinstance(pair, str):
            unreadable[pair] += 1
        else:
            outcomes[found] += 1
            made += [pair] if pair else []
    pairs = tuple(pair for pair, _ in made)
    return PreferredPairs(
        pairs, tuple(notes for _, notes in made), dict(outcomes), dict(unreadable), len(units), len(counted),
        len(flagged & {row.rater for row in asked}), len(asked) - len(counted), _alpha(counted), lengths(pairs),
        sum(n > 1 for n in Counter(pair.question for pair in pairs).values()),
    )


def outcome(count: Counter[str], rule: PairRule) -> str:
    """What the votes on one unit make of it: `count` of a, b, tie and both_bad. What most say must be an answer."""
    n, (a, b) = count.total(), (count["a"], count["b"])
    if n < rule.least_votes:
        return FEW
    if count["both_bad"] >= max(a, b, count["tie"]):
        return BOTH_BAD
    if a == b or count["tie"] >= max(a, b):
        return TIE
    return KEPT if max(a, b) / n >= rule.least_agreement else BELOW


def lengths(pairs: Iterable[Pair]) -> Lengths:
    """Of the answers, thinking apart."""
    words = [(len(pair.chosen.split()), len(pair.rejected.split())) for pair in pairs]
    if not words:
        return Lengths(None, None, 0, 0)
    chosen, rejected = zip(*words, strict=True)
    return Lengths(fmean(chosen), fmean(rejected), sum(one > other for one, other in words), len(words))


def preferences_jsonl(contents: Contents, least_agreement: float = 0.5) -> str:
    """One line a unit whose preference has a majority.

    `share` is that of the chosen answer among the votes that chose one; ties are counted beside it. Units with a
    smaller share than `least_agreement`, with as many votes either way, or with ties alone are left out.
    """
    votes = _votes(contents.main)
    lines = []
    for unit in contents.units:
        count = votes.get(unit.uid, Counter())
        a, b = count["a"], count["b"]
        if a == b or max(a, b) / (a + b) < least_agreement:
            continue
        chosen, rejected = ((unit.text_a, unit.model_a), (unit.text_b, unit.model_b))[:: 1 if a > b else -1]
        lines.append({
            "id": unit.uid, "prompt": unit.question, "chosen": chosen[0], "rejected": rejected[0],
            "item": unit.item_id, "chosen_model": chosen[1], "rejected_model": rejected[1],
            "votes_chosen": max(a, b), "votes_rejected": min(a, b), "votes_tie": count["tie"] + count["both_bad"],
            "share": round(max(a, b) / (a + b), 4),
        })
    return jsonl(lines)


def _votes(rows: Iterable[RatingRow]) -> dict[str, Counter[str]]:
    """Unit → how often a, b, tie and both_bad were said."""
    votes: dict[str, Counter[str]] = {}
    for row in rows:
        votes.setdefault(row.unit, Counter())[row.preferred] += 1
    return votes


def _pair(
    unit: UnitText, count: Counter[str], replies: Replies, round_uid: str
) -> tuple[Pair, dict[str, Any]] | str:
    """The pair and its notes, or why the texts make none."""
    order = 1 if count["a"] > count["b"] else -1
    chosen, rejected = replies(unit)[::order]
    models = (unit.model_a, unit.model_b)[::order]
    record = {"id": unit.uid, "question": unit.question, "chosen": chosen[0], "rejected": rejected[0]}
    record |= {name: thinking for name, (_, thinking) in (("chosen_trace", chosen), ("rejected_trace", rejected))
               if thinking}
    pair = pair_of(record, f"round:{round_uid}")
    if isinstance(pair, str):
        return pair
    votes = max(count["a"], count["b"])
    return pair, {
        "item": unit.item_id, "chosen_model": models[0], "rejected_model": models[1], "votes_chosen": votes,
        "votes_rejected": min(count["a"], count["b"]), "votes_tie": count["tie"], "votes_both_bad": count["both_bad"],
        "agreement": round(votes / count.total(), 4),
    }


def _alpha(rows: list[RatingRow]) -> Agreement | None:
    return krippendorff_alpha(matrix(choice_marks(rows)), "nominal") if rows else None
