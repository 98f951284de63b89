"""The shared loop of every benchmark: load the model, ask, score, write each sample as it comes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab.bases.cards import bases
from lab.benchmarks.benchmark import benchmarks
from lab.benchmarks.questions import first_questions
from lab.benchmarks.run_key import run_key
from lab.benchmarks.run_settings import generation_options, generation_settings
from lab.benchmarks.samples import Sample, figures, sample
from lab.benchmarks.specs import BenchmarkSpec
from lab.core.context import Context, Stopped
from lab.core.types import Example, ModelSource
from lab.data.chat import prompt_messages
from lab.engine._hf import GenerationOptions, LoadedBase

TRAINED = ("nearest", "random")


def run_benchmark(spec: BenchmarkSpec, context: Context) -> dict[str, Any]:
    """The figures of the run; artifacts/samples.jsonl holds one row a question. Raises Stopped between two batches."""
    benchmark = benchmarks()[spec.benchmark]
    questions = first_questions(benchmark, spec.max_questions)
    source = context.model(spec.model)
    key = run_key(source, benchmark, questions, spec)
    context.save("run_key.json", key.parts)
    context.log(f"{source.label} answers {len(questions)} questions of {benchmark.name} {benchmark.version}")
    context.log(f"run key {key.key}")
    context.progress(0, len(questions), "loading the model")
    engine = warm_engine(source)
    if (adaptation := spec.adaptation()).mode != "none":
        context.log(f"each question: {adaptation.mode} examples of {adaptation.dataset}")
    started = time.perf_counter()
    samples: list[Sample] = []
    for batch in _asked(engine, source, questions, spec):
        samples += batch
        _write(context.folder / "samples.jsonl", batch, fresh=len(samples) == len(batch))
        _report(context, samples, len(questions))
        if context.stop_requested() and len(samples) < len(questions):
            raise Stopped
    proven = _proven(engine, spec)
    return {
        "benchmark": benchmark.name,
        "version": benchmark.version,
        **figures(samples),
        **proven,
        "seconds": time.perf_counter() - started,
        "run_key": key.key,
        "model": source.model_dump(),
        "settings": generation_settings(spec) | {"max_questions": spec.max_questions},
    }


def warm_engine(source: ModelSource, engine: Any = None) -> Any:
    """The model in memory, after a first token: no question pays for lazy set-up. `engine` is used again if it fits.

    A `LoadedBase`, or for a remote model the `RemoteEngine` that asks its endpoint; both generate alike.
    """
    if source.kind == "remote":
        from lab.engine.remote import RemoteEngine

        return RemoteEngine(source)
    if engine is None or engine.base != source.base:
        engine = LoadedBase(bases()[source.base])
    engine.load(source)
    engine.generate_batch(source.label, [[{"role": "user", "content": "1+1?"}]], GenerationOptions(max_new_tokens=1))
    return engine


def _proven(engine: Any, spec: BenchmarkSpec) -> dict[str, Any]:
    """After a run that trained: the sha256 of the shared weights, the same as before its first question."""
    if spec.adapt not in TRAINED:
        return {}
    return {"weights_sha256": list(engine.verify_weights())}


def _asked(
    engine: Any, source: ModelSource, questions: list[Example], spec: BenchmarkSpec
) -> Iterator[list[Sample]]:
    conversations = [prompt_messages(question) for question in questions]
    for batch in engine.generate(source.label, conversations, generation_options(spec)):
        yield [sample(generation, questions[place]) for place, generation in batch]


def _write(file: Path, samples: list[Sample], fresh: bool) -> None:
    """Append; the first batch replaces what an earlier attempt at the same job has left."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w" if fresh else "a", encoding="utf-8") as opened:
        opened.writelines(one.model_dump_json() + "\n" for one in samples)


def _report(context: Context, samples: list[Sample], n: int) -> None:
    accuracy = sum(one.correct for one in samples) / len(samples)
    context.metric(len(samples), accuracy=accuracy)
    context.progress(len(samples), n, f"{len(samples)} of {n} questions, accuracy so far {accuracy:.1%}")
