"""The report of a study: levels with intervals, paired differences, and a verdict in words.

Pure: plain records in, frozen dataclasses out. It reads no store and draws nothing; `lab.reports.tables` writes it
out, the Results page draws it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lab.reports.paired import Difference, Refused, compare_all, run_order
from lab.reports.records import Fluency, ModelRun, Pending, Preference
from lab.reports.verdict import Verdict, truncated_rate, unparsed_rate, verdicts
from lab.stats.intervals import wilson


@dataclass(frozen=True)
class Level:
    """One model on one benchmark: accuracy with its Wilson interval, and what must stand beside it."""

    run: ModelRun
    n: int
    n_correct: int
    accuracy: float
    low: float
    high: float
    unparsed: float
    truncated: float
    mean_tokens: float
    seconds: float


@dataclass(frozen=True)
class StudyReport:
    """What a study shows so far. `pending` names what is still to come; `refused` the pairs that do not match."""

    title: str
    levels: tuple[Level, ...] = ()
    differences: tuple[Difference, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    refused: tuple[Refused, ...] = ()
    pending: tuple[Pending, ...] = ()
    fluency: tuple[Fluency, ...] = ()
    preferences: tuple[Preference, ...] = ()
    empty_runs: tuple[str, ...] = field(default=())  # runs without a single sample: named, not averaged
    health: Mapping[str, Sequence[str]] = field(default_factory=dict)  # model -> what its health gate found wrong

    @property
    def benchmarks(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(level.run.benchmark for level in self.levels))


def level_of(run: ModelRun) -> Level:
    """Accuracy and rates of one run, counted from its samples."""
    n = len(run.samples)
    n_correct = sum(sample.correct for sample in run.samples)
    interval = wilson(n_correct, n)
    return Level(
        run, n, n_correct, n_correct / n, float(interval.low), float(interval.high),
        unparsed_rate(run), truncated_rate(run), sum(s.n_tokens for s in run.samples) / n, run.seconds,
    )


def build_report(
    title: str, runs: Iterable[ModelRun], pending: Sequence[Pending] = (),
    rated: tuple[Sequence[Fluency], Sequence[Preference]] = ((), ()), health: Mapping[str, Sequence[str]] | None = None,
) -> StudyReport:
    """The whole report from the newest run of each model, way of asking and benchmark, and what raters said of them.

    `health`: the models whose gate found something, with its sentences.
    """
    ordered = sorted(runs, key=run_order)
    filled = [run for run in ordered if run.samples]
    differences, refused = compare_all(filled)
    return StudyReport(
        title=title,
        levels=tuple(level_of(run) for run in filled),
        differences=tuple(differences),
        verdicts=tuple(verdicts(differences)),
        refused=tuple(refused),
        pending=tuple(pending),
        fluency=tuple(rated[0]),
        preferences=tuple(rated[1]),
        health={model: tuple(sentences) for model, sentences in (health or {}).items() if sentences},
        empty_runs=tuple(f"{run.title} on {run.benchmark}" for run in ordered if not run.samples),
    )
