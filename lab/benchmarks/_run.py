"""The loop of benchmark jobs: what is missing is asked, scored and kept as it comes; figures follow from the rows.

A job may leave several runs (`lab.benchmarks.parts`). Runs on one base are asked in one batch, each with its own
adapter. A job that starts again goes on from its rows (`lab.benchmarks.kept_rows`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import closing
from itertools import groupby
from typing import Any

import torch

from lab.benchmarks._asking import Answered, Run, generated, messages, shared_rows
from lab.benchmarks._weighing import weighed
from lab.benchmarks.kept_rows import KeptRows
from lab.benchmarks.parts import Part, Posed, parts_of
from lab.benchmarks.results import run_result, save_samples
from lab.benchmarks.run_key import run_key
from lab.benchmarks.samples import Sample
from lab.benchmarks.specs import BenchmarkSpec, SuiteSpec
from lab.benchmarks.warnings import first_words
from lab.core.context import Context, Stopped
from lab.core.errors import LabError
from lab.core.types import ModelSource
from lab.engine.warming import warm_engine

TRAINED = ("nearest", "random")
FIRST = 8  # answers after which the log says what they look like
N_RENDERED = 3  # prompts kept with a run as the model saw them


def run_benchmark(spec: BenchmarkSpec, context: Context) -> dict[str, Any]:
    """The figures of the run, and under 'runs' those of every part; artifacts/samples.jsonl holds one row an answer.

    Raises Stopped between two batches: the rows so far are kept.
    """
    runs = _run_parts(parts_of(spec, context.model), context)
    return {**runs[0], "runs": runs}


def run_suite(spec: SuiteSpec, context: Context) -> dict[str, Any]:
    """{"runs": the figures of each model on each benchmark, "seconds"}."""
    parts = parts_of(spec, context.model)
    _check_distinct([part for part in parts if part.curve is None])
    runs = _run_parts(parts, context)
    return {"runs": runs, "seconds": sum(run["seconds"] for run in runs)}


def _check_distinct(parts: Sequence[Part]) -> None:
    """The store tells a suite's runs apart by benchmark and label."""
    names = [part.name for part in parts]
    for name in names:
        if names.count(name) > 1:
            raise LabError(f"'{name}' would be run twice: two of the models or benchmarks are the same", "spec")


def _run_parts(parts: list[Part], context: Context) -> list[dict[str, Any]]:
    runs = [_keyed(part) for part in parts]
    context.save("run_key.json", {run.part.name or "run": run.key_parts for run in runs})
    kept = KeptRows(context.checkpoints)
    state = _State(context, kept, runs)
    told: dict[str, dict[str, Any]] = defaultdict(dict)  # part → what the engine said of it
    engine = None
    for _, group in groupby(sorted(runs, key=_memory_order), key=_memory_order):
        together = list(group)
        if not state.missing(together):
            continue
        context.progress(state.done, state.total, f"loading {together[0].part.source.label}")
        engine = _loaded([run.part.source for run in together], engine)
        for run in together:
            told[run.part.name] |= {"record": engine.record()}
            if run.part.curve is None:
                told[run.part.name] |= {"prompts": _rendered(engine, run.part)}
        _ask_group(engine, together, state)
        for run in together:
            told[run.part.name] |= _proven(engine, run)
        _make_room(engine, together)
    kept.seal()
    results = [run_result(run, state.rows(run), context, told[run.part.name]) for run in runs]
    save_samples(context.folder / "samples.jsonl", [(run, rows) for run, (_, rows) in zip(runs, results, strict=True)])
    return [result for result, _ in results]


def _keyed(part: Part) -> Run:
    dtype = "bfloat16" if torch.cuda.is_available() and part.source.kind != "remote" else "float32"
    key = run_key(part.source, part.benchmark, part.questions, part.spec, part.all_shots, dtype)
    return Run(part, key.key, key.parts)


def _memory_order(run: Run) -> tuple[str, str]:
    """Runs that are in memory together: a base with its adapters, and each full fine-tune by itself."""
    source = run.part.source
    return source.base, source.folder or "" if source.kind == "full" else ""


class _State:
    """What has been answered so far, and how that is told."""

    def __init__(self, context: Context, kept: KeptRows, runs: Sequence[Run]):
        self.context, self.kept, self._runs = context, kept, runs
        self.total = sum(len(run.part.posed) for run in runs)
        self.done = sum(len(self.rows(run)) for run in runs)
        self._first: list[Sample] = []
        if self.done:
            context.log(f"{self.done} of {self.total} answers are kept from before")
        context.rewind(self.done)

    def rows(self, run: Run) -> list[tuple[Sample, Posed]]:
        """The rows of a run in the order its questions are posed."""
        kept = self.kept.of(run.key)
        return [(kept[posed.key], posed) for posed in run.part.posed if posed.key in kept]

    def missing(self, runs: Iterable[Run]) -> list[tuple[Run, Posed]]:
        """What is still to ask. Two parts of one key, as a model named twice, are asked once."""
        found: dict[tuple[str, tuple[str, int]], tuple[Run, Posed]] = {}
        for run in runs:
            kept = self.kept.of(run.key)
            found |= {(run.key, posed.key): (run, posed) for posed in run.part.posed if posed.key not in kept}
        return list(found.values())

    def add(self, batch: Sequence[Answered]) -> None:
        """Keep a batch, tell it, and leave if that was asked for."""
        by_key: dict[str, list[Sample]] = defaultdict(list)
        for run, sample in batch:
            by_key[run.key].append(sample)
        for key, samples in by_key.items():
            self.kept.add(key, samples)
        self.done += len(batch)
        self._tell(batch)
        if self.context.stop_requested() and self.done < self.total:
            self.kept.seal()
            raise Stopped(f"{self.done} of {self.total} answers are kept")

    def _tell(self, batch: Sequence[Answered]) -> None:
        first = self._runs[0]
        rows = self.kept.of(first.key).values()
        accuracy = sum(row.correct for row in rows) / len(rows) if rows else 0.0
        words = f"{self.done} of {self.total} answers"
        if len(self._runs) == 1:
            self.context.metric(self.done, accuracy=accuracy)
            words += f", accuracy so far {accuracy:.1%}"
        elif batch:
            words += f", now {batch[-1][0].part.name or 'the run itself'}"
        self.context.progress(self.done, self.total, words)
        if len(self._first) < FIRST:
            self._first += [sample for _, sample in batch][: FIRST - len(self._first)]
            if len(self._first) == FIRST:
                self.context.log(first_words(self._first))


def _ask_group(engine: Any, runs: Sequence[Run], state: _State) -> None:
    """Whole runs together, then each curve: what a point shares with its whole run is not asked again."""
    whole = [run for run in runs if run.part.curve is None]
    by_name = {run.part.name: run for run in whole}
    for run in whole:
        state.context.log(f"{run.part.source.label} answers {len(run.part.posed)} questions of "
                          f"{run.part.benchmark.name} {run.part.benchmark.version}; run key {run.key}")
    _ask(engine, whole, state)
    points = [run for run in runs if run.part.curve is not None]
    for run in points:
        before = state.kept.of(run.key)
        there = state.kept.of(by_name[run.part.curve.of].key)
        state.add([(run, row) for row in shared_rows(run.part, there) if row.key not in before])
    _ask(engine, points, state)


def _ask(engine: Any, runs: Sequence[Run], state: _State) -> None:
    missing = state.missing(runs)
    if not missing:
        return
    spec = missing[0][0].part.spec
    if (adaptation := spec.adaptation()).mode != "none":
        state.context.log(f"each question: {adaptation.mode} examples of {adaptation.dataset}")
    ask = generated if spec.mode == "generate" else weighed
    with closing(ask(engine, missing, spec.batch_size)) as batches:
        for batch in batches:
            state.add(batch)


def _loaded(sources: Sequence[ModelSource], engine: Any) -> Any:
    """One engine with every model of a group."""
    for source in sources:
        engine = warm_engine(source, engine)
    return engine


def _make_room(engine: Any, runs: Sequence[Run]) -> None:
    """A full fine-tune is as large as its base: it goes before the next one comes."""
    for label in {run.part.source.label for run in runs if run.part.source.kind == "full"}:
        engine.unload(label)


def _rendered(engine: Any, part: Part) -> list[str]:
    """The first prompts as the model sees them, special tokens and all."""
    return [engine.rendered(messages(part, posed)) for posed in part.posed[:N_RENDERED]]


def _proven(engine: Any, run: Run) -> dict[str, Any]:
    """After a run that trained: the sha256 of the shared weights, the same as before its first question."""
    return {"weights_sha256": list(engine.verify_weights())} if run.part.spec.adapt in TRAINED else {}
