"""Preflight: a look at one training job before it costs anything. No torch, no weights: texts, tokenizer, arithmetic.

Nothing here raises for bad data: what would end a job is a finding that refuses it. Texts are checked on all rows.
Beyond MOST_ROWS rows a sample is tokenised, chosen by hash of the row's id, and the report says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from statistics import median
from typing import Any

from lab.bases.cards import BaseCard, bases
from lab.bases.tokenizers import open_tokenizer
from lab.core.errors import LabError
from lab.core.spec import Spec
from lab.core.types import Example, StyleName, Target
from lab.data.chat import prompt_messages
from lab.data.dataset import Loaded
from lab.data.pairs import LoadedPairs, resolve_pairs
from lab.data.resolving import resolve_dataset
from lab.data.targets import WITH_THINKING, target_text
from lab.data.transforms import as_taught
from lab.training.findings import ArmCheck, Counts, Finding, Lengths, Sample
from lab.training.loss_mask import row_pieces
from lab.training.probes import chosen as chosen_by_hash
from lab.training.row_checks import check_leaks, check_rows
from lab.training.rows import Row, chosen, longest_forms, tokenise
from lab.training.specs import SftSpec
from lab.training.template_checks import check_template

MOST_ROWS = 5000  # a tokenizer reads about 5,000 rows of 1,000 tokens in ten seconds
N_TEMPLATE = 8  # rows that go through the template by themselves
TOO_LONG = "too long, left out"
HeldOut = Mapping[str, Sequence[Example]]


@dataclass
class Sources:
    """What several jobs of one recipe read, read once. `held_out`: a study's benchmarks and their questions."""

    n_samples: int = 3
    held_out: HeldOut = field(default_factory=dict)
    _kept: dict[tuple[str, str], Any] = field(default_factory=dict)

    def dataset(self, name: str) -> Loaded:
        return self._once("dataset", name, lambda: resolve_dataset(name).read())

    def pairs(self, name: str) -> LoadedPairs:
        return self._once("pairs", name, lambda: resolve_pairs(name).read())

    def tokenizer(self, card: BaseCard) -> Any:
        return self._once("tokenizer", card.name, lambda: open_tokenizer(card))

    def _once(self, what: str, name: str, read: Any) -> Any:
        if (what, name) not in self._kept:
            self._kept[what, name] = read()
        return self._kept[what, name]


    def once(self, spec: SftSpec, check: Any) -> ArmCheck:
        """Cells that differ in what does not touch their rows, such as the seed, are looked at once."""
        seed = spec.seed if spec.target in ("shuffled", "wrong") else None
        seen = (spec.base, spec.dataset, spec.target, spec.thinking_style, spec.max_rows, spec.max_length, seed)
        return self._once("rows", repr(seen), lambda: check(spec, self))


def check_sft(spec: SftSpec, sources: Sources) -> ArmCheck:
    """Supervised training of one variant."""
    return replace(sources.once(spec, _check_sft), label=spec.variant_name())


def _check_sft(spec: SftSpec, sources: Sources) -> ArmCheck:
    arm = ArmCheck(spec.variant_name(), spec.kind, spec.target, spec.base, spec.dataset, tuple(check_start(spec)))
    try:
        loaded = sources.dataset(spec.dataset)
    except LabError as error:
        return with_findings(arm, refusal("dataset", error), *missing_base(spec.base, sources))
    rows = chosen(loaded.rows, spec.max_rows)
    arm = with_findings(arm, *check_reading(loaded), *check_rows(rows, spec.target), *check_leaks(
        ((row.id, row.question_hash()) for row in rows), sources.held_out))
    if not rows:
        return with_findings(arm, Finding("refused", "dataset", f"dataset '{spec.dataset}' is empty: there is nothing "
                                          "to train on"))
    try:
        card = bases()[spec.base]
        tokenizer = sources.tokenizer(card)
        teachable = _teachable(rows, spec.target)
        taught = as_taught(teachable, spec.target, spec.seed)
    except LabError as error:
        return with_findings(arm, refusal("base", error))
    return _with_tokens(arm, spec, sources, Teaching(card, tokenizer, style_of(spec, card), taught, teachable))


@dataclass(frozen=True)
class Teaching:
    """What a job's rows are rendered with. `examples` are as `transforms.as_taught` left them, `originals` as read."""

    card: BaseCard
    tokenizer: Any
    style: StyleName
    examples: Sequence[Example] = ()
    originals: Sequence[Example] = ()


def _with_tokens(arm: ArmCheck, spec: SftSpec, sources: Sources, teaching: Teaching) -> ArmCheck:
    """The part that needs the tokenizer: template, lengths, learned tokens, sample rows."""
    if not teaching.examples:
        return arm
    few = chosen_by_hash(teaching.examples, max(N_TEMPLATE, sources.n_samples))
    found = check_template(teaching.tokenizer, few, spec.target, teaching.style)
    arm = replace(with_findings(arm, *found), samples=samples(few[: sources.n_samples], spec.target, teaching))
    if any(finding.level == "refused" for finding in found):
        return arm  # what would be counted is not what would be trained
    examples, originals = to_tokenise(teaching.examples), to_tokenise(teaching.originals)
    try:
        rows = tokenise(examples, teaching.tokenizer, spec.target, teaching.style)
    except LabError as error:
        return with_findings(arm, refusal("template", error))
    longest = longest_forms(originals, rows, teaching.tokenizer, spec.target, teaching.style)
    return _counted(arm, spec, (rows, longest), len(teaching.examples))


def _counted(arm: ArmCheck, spec: SftSpec, tokenised: tuple[Sequence[Row], Sequence[int]], n_rows: int) -> ArmCheck:
    rows, longest = tokenised
    fitting = [(row, length) for row, length in zip(rows, longest, strict=True) if length <= spec.max_length]
    kept = [row for row, _ in fitting]
    lengths = length_table(longest, spec.max_length, n_rows)
    counts = scaled(Counts(len(kept), len(rows) - len(kept), sum(map(len, kept)),
                           sum(len(row.completion_ids) for row in kept), sum(length for _, length in fitting)),
                    len(rows), n_rows)
    left_out = {row.id for row in rows} - {row.id for row in kept}
    shown = tuple(replace(each, kind=TOO_LONG) if each.id in left_out else each for each in arm.samples)
    return with_findings(replace(arm, counts=counts, lengths=lengths, row_ids=tuple(row.id for row in kept),
                                 samples=shown), *check_lengths(lengths))


def with_findings(arm: ArmCheck, *found: Finding) -> ArmCheck:
    return replace(arm, findings=(*arm.findings, *found))


def refusal(topic: str, error: LabError) -> Finding:
    return Finding("refused", topic, str(error))


def missing_base(name: str, sources: Sources) -> list[Finding]:
    """Whether the base's tokenizer is to be had, too: everything that has to be fetched is told at once."""
    try:
        sources.tokenizer(bases()[name])
    except LabError as error:
        return [refusal("base", error)]
    return []


def check_start(spec: Spec) -> list[Finding]:
    """What cannot be known without the store: how the start was taught."""
    start = getattr(spec, "start", "")
    if not start:
        return []
    return [Finding("note", "start", f"goes on from {start}: its rows are shown in the thinking style of base "
                    f"'{getattr(spec, 'base', '')}', while training takes that of the start")]


def check_reading(loaded: Loaded | LoadedPairs) -> list[Finding]:
    """Rows that the reader left out, by reason, and what else it has to say."""
    n = loaded.n_skipped
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(loaded.skipped.items(), key=lambda i: -i[1]))
    found = [Finding("warning" if n >= 0.01 * (n + len(loaded.rows)) else "note", "reading",
                     f"{n:,} rows were left out when the dataset was read: {reasons}")] if n else []
    return found + [Finding("note", "reading", note) for note in loaded.notes]


def style_of(spec: Any, card: BaseCard) -> StyleName:
    """How the run will mark thinking; a start's own style is known to the store alone."""
    return card.thinking_style if spec.thinking_style == "auto" else spec.thinking_style


def _teachable(rows: Sequence[Example], target: Target) -> list[Example]:
    """Rows that hold what the target needs. The others are a finding already."""
    if target not in WITH_THINKING:
        return list(rows)
    return [row for row in rows if row.trace or (target == "steps" and row.steps)]


def to_tokenise(rows: Sequence[Any]) -> list[Any]:
    """All rows, or a sample in the dataset's order where there are too many."""
    if len(rows) <= MOST_ROWS:
        return list(rows)
    drawn = {row.id for row in chosen_by_hash(rows, MOST_ROWS)}
    return [row for row in rows if row.id in drawn]


def scaled(counts: Counts, n: int, n_rows: int) -> Counts:
    """Counts of a sample of `n`, brought up to all rows."""
    return counts if n == n_rows else Counts(*(round(value * n_rows / n) for value in vars(counts).values()))


def samples(examples: Sequence[Example], target: Target, teaching: Teaching) -> tuple[Sample, ...]:
    return tuple(sample(example, target, teaching) for example in examples)


def sample(example: Example, target: Target, teaching: Teaching, kind: str = "") -> Sample:
    """One row as it is learned, token by token."""
    prompt = prompt_text(example, teaching.tokenizer)
    completion = target_text(example, target, teaching.style) + str(teaching.tokenizer.eos_token)
    return Sample(example.id, row_pieces(prompt, completion, teaching.tokenizer, teaching.style), kind)


def prompt_text(example: Example, tokenizer: Any) -> str:
    """The question as the model is asked, up to where its reply begins."""
    return tokenizer.apply_chat_template(prompt_messages(example), tokenize=False, add_generation_prompt=True)


def length_table(lengths: Sequence[int], limit: int, n_rows: int, name: str = "max_length") -> Lengths:
    """The distribution, and the limit that keeps 99 % of the rows: the smallest length that so many do not pass."""
    ordered = sorted(lengths)

    def reached(share: float) -> int:
        return ordered[max(0, ceil(share * len(ordered)) - 1)]

    return Lengths(
        n=len(ordered), n_rows=n_rows, shortest=ordered[0], median=median(ordered), p95=reached(0.95),
        longest=ordered[-1], limit=limit, n_over=sum(length > limit for length in ordered), keeps_99=reached(0.99),
        field=name,
    )


def check_lengths(lengths: Lengths) -> list[Finding]:
    """Rows dropped as too long; a job that would keep none is refused."""
    found = []
    if lengths.is_sample:
        found.append(Finding("note", "lengths", f"{lengths.n:,} of {lengths.n_rows:,} rows were tokenised, chosen by "
                             "hash of their id; rows, tokens and steps are brought up to all rows from them"))
    if not lengths.n_over:
        return found
    span = (f"{lengths.shortest:,} to {lengths.longest:,} tokens, median {lengths.median:,.0f}, "
            f"95 % up to {lengths.p95:,}")
    if lengths.n_over == lengths.n:
        return [*found, Finding("refused", "lengths", f"no row fits {lengths.field} {lengths.limit:,} ({span}): "
                                f"nothing would be trained. {lengths.keeps_99:,} keeps 99 % of them")]
    share = lengths.n_over / lengths.n
    return [*found, Finding("warning" if share >= 0.01 else "note", "lengths", f"{lengths.n_over:,} of {lengths.n:,} "
                            f"rows ({100 * share:.1f} %) are longer than {lengths.field} {lengths.limit:,} and are "
                            f"dropped, in every arm ({span}). {lengths.keeps_99:,} would keep 99 % of the rows")]
