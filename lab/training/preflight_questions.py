"""Preflight of jobs that ask questions and score the replies: reinforcement learning, sampled pairs, benchmarks.

A question counts only if its own gold answer scores as right through its own verifier; all others teach noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from lab.bases.cards import BaseCard, bases
from lab.core.errors import LabError
from lab.core.types import Example
from lab.training.findings import ArmCheck, Counts, Finding, Sample
from lab.training.loss_mask import prompt_pieces
from lab.training.preference_specs import PairsSpec
from lab.training.preflight import (
    Sources,
    check_lengths,
    check_reading,
    check_start,
    length_table,
    prompt_text,
    refusal,
    scaled,
    to_tokenise,
    with_findings,
)
from lab.training.probes import chosen as chosen_by_hash
from lab.training.rl_questions import build_questions, encode_prompts
from lab.training.rl_specs import RlSettings
from lab.training.row_checks import check_golds, check_leaks, repeats
from lab.training.rows import chosen
from lab.training.template_checks import check_prompts


@dataclass(frozen=True)
class Room:
    """How long a prompt may be: `limit` tokens, by the setting `field`."""

    limit: int
    field: str


def check_rl(spec: RlSettings, sources: Sources) -> ArmCheck:
    """PPO, GRPO or RLOO: learning from a verifier's reward."""
    arm = ArmCheck(spec.variant_name(), spec.kind, spec.kind, spec.base, spec.dataset, tuple(check_start(spec)))
    if spec.thinking and not spec.start:
        arm = with_findings(arm, Finding("warning", "start", f"begins from the base '{spec.base}' as it is: unless "
                                         "that has learned to think and then answer, every completion is malformed "
                                         "and there is nothing to reward. Begin from a variant taught with target "
                                         "trace"))
    arm, rows = read_questions(arm, spec, sources)
    if not rows:
        return arm
    arm = with_findings(arm, *check_leaks(((row.id, row.question_hash()) for row in rows), sources.held_out))
    try:
        card = bases()[spec.base]
        arm = asked(arm, card, rows, Room(spec.max_prompt_tokens, "max_prompt_tokens"), sources)
        drawn = to_tokenise(rows)
        questions = build_questions(spec, drawn, sources.tokenizer(card))
    except LabError as error:
        return with_findings(arm, refusal("questions", error))
    held = [Finding("note", "questions", f"{len(questions.held_out):,} questions are held out of training for the "
                    "check on the way")] if questions.held_out else []
    counts = Counts(len(questions.trained), questions.n_dropped, sum(len(q.prompt) for q in questions.trained))
    return with_findings(replace(arm, counts=scaled(counts, len(drawn), len(rows))), *held)


def check_sampling(spec: PairsSpec, sources: Sources) -> ArmCheck:
    """A job that samples pairs: its questions, through the tokenizer of its model where that is a base."""
    arm = ArmCheck(spec.variant_name(), spec.kind, spec.kind, spec.model, spec.dataset)
    arm, rows = read_questions(arm, spec, sources)
    if not rows:
        return arm
    if spec.model.startswith(("variant:", "job:")):
        return with_findings(replace(arm, counts=Counts(len(rows))), Finding(
            "note", "questions", f"the tokenizer of {spec.model} is known to the store alone: prompts are not counted"))
    try:
        card = bases()[spec.model]
        return asked(arm, card, rows, Room(card.context_tokens - spec.max_new_tokens, "context"), sources)
    except LabError as error:
        return with_findings(arm, refusal("base", error))


def read_questions(arm: ArmCheck, spec: Any, sources: Sources) -> tuple[ArmCheck, Sequence[Example]]:
    """The dataset's questions and what is wrong with their golds; none where it cannot be read."""
    try:
        loaded = sources.dataset(spec.dataset)
    except LabError as error:
        return with_findings(arm, refusal("dataset", error)), []
    rows = chosen(loaded.rows, spec.max_rows)
    found = [*check_reading(loaded), *check_golds(rows), *repeats(rows)]
    if not rows:
        found.append(Finding("refused", "dataset", f"dataset '{spec.dataset}' is empty: there is nothing to ask"))
    return with_findings(arm, *found), rows


def asked(arm: ArmCheck, card: BaseCard, rows: Sequence[Example], room: Room, sources: Sources) -> ArmCheck:
    """Prompts in tokens: their lengths, what the template adds to them, and a few of them shown."""
    tokenizer = sources.tokenizer(card)
    drawn = to_tokenise(rows)
    prompts = [len(ids) for ids in encode_prompts(drawn, tokenizer)]
    lengths = length_table(prompts, room.limit, len(rows), room.field)
    counts = scaled(Counts(len(prompts) - lengths.n_over, lengths.n_over, sum(prompts)), len(drawn), len(rows))
    few = chosen_by_hash(rows, sources.n_samples)
    shown = tuple(Sample(row.id, prompt_pieces(prompt_text(row, tokenizer), tokenizer), "question") for row in few)
    found = [*check_prompts(tokenizer, few), *check_lengths(lengths)]
    return with_findings(replace(arm, counts=counts, lengths=lengths, samples=shown), *found)
