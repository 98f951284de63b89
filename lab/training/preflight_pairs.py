"""Preflight of preference training: both replies of every pair, and what tells them apart besides their content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import Any

from lab.bases.cards import bases
from lab.core.errors import LabError
from lab.core.types import Example, Pair
from lab.training.findings import ArmCheck, Counts, Finding, of_rows
from lab.training.preference_rows import PairRows, build_pair_rows, reply
from lab.training.preference_specs import DpoSpec
from lab.training.preflight import (
    N_TEMPLATE,
    Sources,
    Teaching,
    check_lengths,
    check_reading,
    check_start,
    length_table,
    refusal,
    sample,
    scaled,
    style_of,
    to_tokenise,
    with_findings,
)
from lab.training.probes import chosen as chosen_by_hash
from lab.training.row_checks import check_leaks, check_thinking
from lab.training.rows import chosen
from lab.training.template_checks import check_template

NO_LIMIT = 10**9
LEANING = 1.5  # times as long: DPO's reward grows with length wherever length tells the sides apart (arXiv 2403.19159)


def check_dpo(spec: DpoSpec, sources: Sources) -> ArmCheck:
    """Direct preference optimisation on the pairs of one set."""
    arm = ArmCheck(spec.variant_name(), spec.kind, spec.kind, spec.base, spec.pairs, tuple(check_start(spec)))
    if spec.pairs.startswith("job:"):
        return with_findings(arm, Finding("note", "pairs", f"the pairs are made by {spec.pairs}: there is nothing to "
                                          "look at before it has run"))
    try:
        loaded = sources.pairs(spec.pairs)
    except LabError as error:
        return with_findings(arm, refusal("pairs", error))
    pairs = chosen(loaded.rows, spec.max_rows)
    arm = with_findings(arm, *check_reading(loaded))
    if not pairs:
        return with_findings(arm, Finding("refused", "pairs", f"'{spec.pairs}' has no pair to learn from"))
    hashes = [(pair.id, reply(pair, "chosen").question_hash()) for pair in pairs]
    arm = with_findings(arm, *_sides(pairs), *check_leaks(hashes, sources.held_out))
    try:
        card = bases()[spec.base]
        teaching = Teaching(card, sources.tokenizer(card), style_of(spec, card))
        return _with_tokens(arm, spec, sources, teaching, pairs)
    except LabError as error:
        return with_findings(arm, refusal("base", error))


def _target(example: Example) -> Any:
    return "trace" if example.trace else "answer"


def _sides(pairs: Sequence[Pair]) -> list[Finding]:
    """Thinking within the texts of either side, and sides that differ in form."""
    n, found = len(pairs), []
    for side in ("chosen", "rejected"):
        rows = [reply(pair, side) for pair in pairs]
        for target, thinks in (("trace", True), ("answer", False)):
            told = check_thinking([row for row in rows if bool(row.trace) == thinks], target)
            found += [replace(each, sentence=f"{side} replies: {each.sentence}") for each in told]
    uneven = [pair.id for pair in pairs if bool(pair.chosen_trace) != bool(pair.rejected_trace)]
    return found + of_rows(uneven, n, "pairs", "have thinking on one side only: what is learned is whether to think",
                           few="warning", many="warning")


def _with_tokens(
    arm: ArmCheck, spec: DpoSpec, sources: Sources, teaching: Teaching, pairs: Sequence[Pair]
) -> ArmCheck:
    few = chosen_by_hash(pairs, max(N_TEMPLATE, sources.n_samples))
    found: list[Finding] = []
    for thinks in (True, False):
        rows = [reply(pair, "chosen") for pair in few if bool(pair.chosen_trace) == thinks]
        target: Any = "trace" if thinks else "answer"
        found += check_template(teaching.tokenizer, rows, target, teaching.style)
    shown = [sample(reply(pair, side), _target(reply(pair, side)), teaching, side)
             for pair in few[: sources.n_samples] for side in ("chosen", "rejected")]
    arm = replace(with_findings(arm, *dict.fromkeys(found)), samples=tuple(shown))
    if any(finding.level == "refused" for finding in found):
        return arm
    drawn = to_tokenise(pairs)
    every = spec.model_copy(update={"max_length": NO_LIMIT, "max_rows": 0})
    rows = build_pair_rows(every, drawn, teaching.tokenizer, teaching.style)
    return _counted(arm, spec, rows, (len(drawn), len(pairs)))


def _counted(arm: ArmCheck, spec: DpoSpec, rows: PairRows, sizes: tuple[int, int]) -> ArmCheck:
    """`rows`: of every length. `sizes`: (pairs tokenised, pairs there are)."""
    n, n_pairs = sizes
    kept = [row for row in rows.kept if row.longest <= spec.max_length]
    lengths = replace(length_table([row.longest for row in rows.kept], spec.max_length, len(rows.kept)),
                      n_rows=len(rows.kept) if n == n_pairs else n_pairs)
    learned = sum(len(row.chosen_ids) + len(row.rejected_ids) for row in kept)
    counts = scaled(Counts(len(kept), n - len(kept), sum(map(len, kept)), learned), n, n_pairs)
    same = [Finding("warning", "pairs", f"{rows.n_same:,} of {n:,} pairs have two equal replies: they are left out")]
    return with_findings(replace(arm, counts=counts, lengths=lengths, row_ids=tuple(row.id for row in kept)),
                         *(same if rows.n_same else []), *check_lengths(lengths), *_leaning(kept))


def _leaning(rows: Sequence[Any]) -> list[Finding]:
    """Sides that differ in length: DPO then learns the length before anything else."""
    if not rows:
        return []
    one = median(len(row.chosen_ids) for row in rows)
    other = median(len(row.rejected_ids) for row in rows)
    words = f"chosen replies have {one:,.0f} tokens by the median, rejected ones {other:,.0f}"
    if 1 / LEANING <= one / other <= LEANING:
        return [Finding("note", "pairs", words)]
    return [Finding("warning", "pairs", f"{words}: length alone tells them apart, and DPO learns that first")]
