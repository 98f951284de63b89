"""From a study or a curriculum to its jobs: the pure expansion, before anything has an id in the store.

A planned job names other planned jobs by key. Two places hold keys: `needs`, and every "job:<key>" string in `values`
(a benchmark's `model`, an answer bank's `models`, a stage's `start`). The queue gives each key a job uid and calls
`with_uids`, which puts the uids in the places of the keys; the result is what the job's own Spec validates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.reports.asked import asked_words
from lab.studies.curriculum import REFERENCE, CurriculumSpec
from lab.studies.spec import StudySpec
from lab.training.kinds import leaves_a_model
from lab.training.specs import SftSpec

Planned = StudySpec | CurriculumSpec  # what expands into several jobs
LONGEST_NAME = 80


@dataclass(frozen=True)
class PlannedJob:
    """One job of a study: what it does and which jobs of the same plan must have succeeded before."""

    key: str  # unique within the plan: 'sft-1', 'benchmark-3', 'answers-1'
    kind: str  # kind of the job: sft, dpo, benchmark, answers…
    name: str
    values: dict[str, Any]  # values of the kind's Spec, keys still in the places of uids
    needs: tuple[str, ...] = ()

    def with_uids(self, uids: Mapping[str, str]) -> dict[str, Any]:
        """`values` with each "job:<key>" turned into "job:<uid>". A key without a uid is a KeyError: a bug."""
        return {name: _with_uids(value, uids) for name, value in self.values.items()}


def _with_uids(value: Any, uids: Mapping[str, str]) -> Any:
    if isinstance(value, (list, tuple)):
        return [_with_uids(item, uids) for item in value]
    if isinstance(value, str) and value.startswith(REFERENCE):
        return REFERENCE + uids[value.removeprefix(REFERENCE)]
    return value


@dataclass
class _Plan:
    """The jobs so far; gives each new one the next key of its kind."""

    jobs: list[PlannedJob] = field(default_factory=list)

    def add(self, kind: str, name: str, values: dict[str, Any], needs: tuple[str, ...] = ()) -> str:
        key = f"{kind}-{sum(job.kind == kind for job in self.jobs) + 1}"
        self.jobs.append(PlannedJob(key, kind, name[:LONGEST_NAME], values, needs))
        return key


def plan(spec: Planned) -> list[PlannedJob]:
    """Every job, in an order that shows a result soon and never puts a job before what it needs."""
    planned = _Plan()
    if isinstance(spec, CurriculumSpec):
        _add_stages(planned, spec)
    else:
        _add_grid(planned, spec)
    return planned.jobs


def _add_grid(planned: _Plan, spec: StudySpec) -> None:
    """Each base is benchmarked first (it trains nothing, so it is quick), then its pairs follow one by one: train an
    arm, benchmark it, train the next, and when all arms of the pair are there collect their answers."""
    for base in spec.bases:
        _add_benchmarks(planned, spec, base, base, ())
        for pair in pairs(spec, base):
            _add_pair(planned, spec, pair)


def _add_stages(planned: _Plan, spec: CurriculumSpec) -> None:
    """The beginning is benchmarked first, then each stage after it has been trained."""
    beginning = spec.start or spec.base
    _add_benchmarks(planned, spec, beginning, beginning.removeprefix("variant:"), ())
    keys: dict[str, str] = {}
    for index, stage in enumerate(spec.stages):
        references = {name: REFERENCE + key for name, key in keys.items()}
        values = spec.stage_spec(index, references).as_dict()
        used = [key for key in keys.values() if REFERENCE + key in values.values()]
        key = planned.add(stage.kind, spec.variant_name(index), values, tuple(used))
        keys[stage.name] = key
        if leaves_a_model(stage.kind) and stage.benchmark:
            _add_benchmarks(planned, spec, REFERENCE + key, spec.variant_name(index), (key,))


def pairs(spec: StudySpec, base: str) -> list[list[SftSpec]]:
    """The variants of one base in groups that differ only in their target."""
    groups: dict[tuple[str, int], list[SftSpec]] = {}
    for variant in spec.variants():
        if variant.base == base:
            groups.setdefault((variant.dataset, variant.seed), []).append(variant)
    return list(groups.values())


def _add_pair(planned: _Plan, spec: StudySpec, pair: list[SftSpec]) -> None:
    keys = []
    for variant in pair:
        key = planned.add("sft", variant.variant_name(), variant.as_dict())
        _add_benchmarks(planned, spec, REFERENCE + key, variant.variant_name(), (key,))
        keys.append(key)
    if spec.n_bank_questions and spec.benchmarks and len(pair) >= 2:
        first = pair[0]
        values = {
            "name": f"{spec.name}: {first.base} {first.dataset_label()} s{first.seed}"[:LONGEST_NAME],
            "models": [REFERENCE + key for key in keys],
            "benchmark": bank_benchmark(spec, first.dataset_label()),
            "n_questions": spec.n_bank_questions,
            "max_new_tokens": spec.max_new_tokens,
        }
        planned.add("answers", f"answers of {first.base} {first.dataset_label()} s{first.seed}", values, tuple(keys))


def _add_benchmarks(planned: _Plan, spec: Planned, model: str, label: str, needs: tuple[str, ...]) -> None:
    modes = spec.modes() if isinstance(spec, StudySpec) else [{}]
    for benchmark in spec.benchmarks:
        for mode in modes:
            values = {
                "model": model,
                "benchmark": benchmark,
                "max_questions": spec.max_questions,
                "max_new_tokens": spec.max_new_tokens,
                **mode,
            }
            how = f", {words}" if (words := asked_words(mode)) else ""
            name = f"{benchmark} on {label}"[:LONGEST_NAME - len(how)] + how  # a long name keeps its mode
            planned.add("benchmark", name, values, needs)


def bank_benchmark(spec: StudySpec, dataset: str) -> str:
    """The benchmark whose questions raters see: the dataset's own if the study has it, else the study's first."""
    return dataset if dataset in spec.benchmarks else spec.benchmarks[0]
