"""Preflight of any recipe: every training job of it, what the arms share, and what the whole will cost.

`preflight(spec)` reads datasets and tokenizers, never weights, and never raises for bad data: a fault is a finding that
refuses. The same call serves the page and `python -m jobs check`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

from lab.bases.cards import bases
from lab.benchmarks.bank_questions import candidates
from lab.benchmarks.resolving import resolve_benchmark
from lab.benchmarks.specs import REMOTE, AnswersSpec, BenchmarkSpec, GenerationSettings, SuiteSpec
from lab.core.errors import LabError
from lab.core.spec import Spec
from lab.core.types import Example
from lab.studies.curriculum import CurriculumSpec
from lab.studies.estimates import Conditions, with_estimate
from lab.studies.preview import Speeds
from lab.studies.spec import StudySpec
from lab.training.findings import ArmCheck, Finding, Preflight
from lab.training.preference_specs import DpoSpec, PairsSpec
from lab.training.preflight import Sources, check_sft, refusal, with_findings
from lab.training.preflight_pairs import check_dpo
from lab.training.preflight_questions import Room, asked, check_rl, check_sampling
from lab.training.rl_specs import RlSettings
from lab.training.row_checks import check_golds, repeats
from lab.training.specs import SftSpec


def preflight(spec: Spec, n_samples: int = 3, speeds: Speeds | None = None, on_gpu: bool = False) -> Preflight:
    """Look at a recipe's jobs. `n_samples`: rows shown of each; `speeds` and `on_gpu` as in `studies.preview`."""
    conditions = Conditions(speeds or {}, on_gpu)
    if isinstance(spec, StudySpec | CurriculumSpec):
        held_out, unread = _held_out(spec.benchmarks, spec.max_questions)
        check = _study if isinstance(spec, StudySpec) else _curriculum
        found = check(spec, Sources(n_samples, held_out), conditions)
        return replace(found, findings=(*found.findings, *unread))
    if isinstance(spec, SuiteSpec):
        sources = Sources(n_samples)
        arms = [_asked(spec.models, name, spec, sources) for name in spec.benchmarks]
        return Preflight("suite", spec.kind, tuple(arms))
    name = getattr(spec, "name", "") or (spec.variant_name() if hasattr(spec, "variant_name") else spec.kind)
    arm = _job(spec, Sources(n_samples), conditions)
    return Preflight(name, spec.kind, (arm,) if arm else ())


def _job(spec: Spec, sources: Sources, conditions: Conditions) -> ArmCheck | None:
    """One job by its kind; None for a kind that reads no data."""
    checks: list[tuple[type, Any]] = [
        (SftSpec, check_sft), (DpoSpec, check_dpo), (RlSettings, check_rl), (PairsSpec, check_sampling),
        (BenchmarkSpec, _benchmark), (AnswersSpec, _answers),
    ]
    check = next((check for cls, check in checks if isinstance(spec, cls)), None)
    return with_estimate(check(spec, sources), spec, conditions) if check else None


def _held_out(names: Sequence[str], most: int) -> tuple[dict[str, list[Example]], list[Finding]]:
    """(the questions that a study's benchmarks ask, a refusal of each benchmark whose questions cannot be had)."""
    loaded: dict[str, list[Example]] = {}
    unread = []
    for name in names:
        try:
            rows = resolve_benchmark(name).load()
            loaded[name] = rows[:most] if most else rows
        except LabError as error:
            unread.append(refusal("benchmarks", error))
    return loaded, unread


def _benchmark(spec: BenchmarkSpec, sources: Sources) -> ArmCheck:
    return _asked([spec.model], spec.benchmark, spec, sources)


def _answers(spec: AnswersSpec, sources: Sources) -> ArmCheck:
    """Questions of a bank. Raters judge how its answers read: a gold answer is not needed."""
    if spec.benchmark:
        return _asked(spec.models, spec.benchmark, spec, sources)
    arm = ArmCheck(f"{spec.asked_of} on {', '.join(spec.models)}", spec.kind, "base", spec.models[0], spec.asked_of)
    try:
        rows = candidates(spec)
    except LabError as error:
        return with_findings(arm, refusal("dataset", error))
    return _fitting(with_findings(arm, *repeats(rows)), spec.models, rows, spec, sources)


def _asked(
    models: Sequence[str], benchmark: str, spec: GenerationSettings, sources: Sources
) -> ArmCheck:
    """Questions of a benchmark: their golds, and whether prompt and answer fit the context of the models."""
    arm = ArmCheck(f"{benchmark} on {', '.join(models)}", spec.kind, "base", models[0], benchmark)
    try:
        rows = resolve_benchmark(benchmark).load()
    except LabError as error:
        return with_findings(arm, refusal("benchmark", error))
    most = getattr(spec, "max_questions", 0)
    rows = rows[:most] if most else rows
    return _fitting(with_findings(arm, *check_golds(rows), *repeats(rows)), models, rows, spec, sources)


def _fitting(
    arm: ArmCheck, models: Sequence[str], rows: list[Example], spec: GenerationSettings, sources: Sources
) -> ArmCheck:
    """Whether the questions fit the context of each model."""
    for name in models:
        if name.startswith(("variant:", "job:", REMOTE)):
            arm = with_findings(arm, Finding("note", "model", f"{name} is known to the store alone: its prompts are "
                                             "not counted"))
            continue
        try:
            card = bases()[name]
            arm = asked(arm, card, rows, Room(card.context_tokens - spec.max_new_tokens, "context"), sources)
        except LabError as error:
            arm = with_findings(arm, refusal("model", error))
    return arm


def _study(spec: StudySpec, sources: Sources, conditions: Conditions) -> Preflight:
    cells = spec.variants()
    checked = [check_sft(cell, sources) for cell in cells]
    arms, findings = [], []
    for places in _groups(cells):
        group = [checked[place] for place in places]
        group = [with_estimate(arm, cells[place], conditions) for arm, place in zip(group, places, strict=True)]
        arms += group
        findings += _compared(group, [cells[place] for place in places])
    return Preflight(spec.name, spec.kind, tuple(arms), tuple(findings))


def _groups(cells: Sequence[SftSpec]) -> list[list[int]]:
    """Places of the cells that differ in their target alone."""
    found: dict[tuple[str, str, int], list[int]] = {}
    for place, cell in enumerate(cells):
        found.setdefault((cell.base, cell.dataset, cell.seed), []).append(place)
    return list(found.values())


def _compared(group: Sequence[ArmCheck], cells: Sequence[SftSpec]) -> list[Finding]:
    """What arms that are compared have in common, and in what they differ besides their target."""
    if len(group) < 2 or any(arm.estimate is None for arm in group):
        return []
    first = group[0]
    where = f"{first.base} on {cells[0].dataset_label()}, seed {cells[0].seed}"
    uneven = [(a, b) for a, b in combinations(group, 2) if a.row_ids != b.row_ids]
    if uneven:
        a, b = uneven[0]
        return [Finding("refused", "arms", f"{where}: arms {a.arm} and {b.arm} do not train on the same rows "
                        f"({a.counts.n_rows:,} and {b.counts.n_rows:,}), so a difference between them is not the "
                        "target's alone", tuple(sorted(set(a.row_ids) ^ set(b.row_ids))[:5]))]
    steps = _each(group, lambda arm: f"{arm.estimate.n_steps:,}")
    tokens = _each(group, lambda arm: f"{arm.estimate.n_tokens_seen:,}")
    return [Finding("note", "arms", f"{where}: {', '.join(arm.arm for arm in group)} train on the same "
                    f"{first.counts.n_rows:,} rows; steps {steps}; tokens read in all {tokens}; matched by "
                    f"{cells[0].match}")]


def _each(group: Sequence[ArmCheck], said: Any) -> str:
    """'600 each', or '600 (trace), 512 (answer)'."""
    values = [said(arm) for arm in group]
    if len(set(values)) == 1:
        return f"{values[0]} each"
    return ", ".join(f"{value} ({arm.arm})" for value, arm in zip(values, group, strict=True))


def _curriculum(spec: CurriculumSpec, sources: Sources, conditions: Conditions) -> Preflight:
    arms = []
    for index, stage in enumerate(spec.stages):
        made = {other.name: f"job:{other.name}" for other in spec.stages[:index]}
        arm = _job(spec.stage_spec(index, made), sources, conditions)
        if arm is not None:
            arms.append(replace(arm, label=f"{index + 1}. {stage.name}"))
    return Preflight(spec.name, spec.kind, tuple(arms))
