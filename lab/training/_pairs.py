"""Pairs of a model's own answers: sample several to each question, score them, put a right one before a wrong one.

HuatuoGPT-o1, DPO variant: five offline samples a question. Answers are scored by the verifier that scores benchmarks
and rewards. What each sample draws follows from the seed, its number and its prompt alone, and questions come in fixed
batches, so a job that goes on after a stop writes what it would have written.

`pairs.jsonl` holds the pairs, `samples.jsonl` every answer with its verdict.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.bases.cards import bases
from lab.core.context import Context
from lab.core.errors import LabError
from lab.core.types import Example, ModelSource, Plain, StyleName
from lab.data.chat import prompt_messages
from lab.data.dataset import fingerprint
from lab.data.resolving import resolve_dataset
from lab.engine._hf import GenerationOptions, LoadedBase
from lab.engine.contract import style_of
from lab.training._inputs import weights_sha256
from lab.training.pairing import Sampled, figures, grouped, judged, pairs_of
from lab.training.preference_specs import PairsSpec
from lab.training.rewards import is_verifiable
from lab.training.saves import Saves

PAIRS, SAMPLES = "pairs.jsonl", "samples.jsonl"
SEEDS_PER_RUN = 1000  # more than n_samples allows: two runs with other seeds share no sample

@dataclass
class Kept:
    """What is sampled so far, in the questions' order; it survives a restart (`saves.Keeps`)."""

    answers: list[Sampled] = field(default_factory=list)
    seconds: float = 0.0

    def state(self) -> dict[str, Any]:
        return {"answers": [each.model_dump() for each in self.answers], "seconds": self.seconds}

    def restore(self, state: dict[str, Any]) -> None:
        self.answers = [Sampled.model_validate(each) for each in state["answers"]]
        self.seconds = state["seconds"]


def sample_pairs(spec: PairsSpec, context: Context) -> dict[str, Any]:
    """Write the pairs into `context.folder`; returns the counts. Raises Stopped between two batches."""
    examples = resolve_dataset(spec.dataset).load()
    examples = examples[: spec.max_rows] if spec.max_rows else examples
    questions = [example for example in examples if is_verifiable(example)]
    if not questions:
        raise LabError(f"none of the {len(examples)} questions of '{spec.dataset}' has an answer that can be verified",
                       "data")
    source = context.model(spec.model)
    context.log(f"{source.label} answers {len(questions)} questions {spec.n_samples} times; "
                f"{len(examples) - len(questions)} whose answer cannot be verified are left out")
    kept = sample_all(spec, context, source, questions)
    by_question = grouped(kept.answers, spec.n_samples)
    pairs = [pair for example, answers in zip(questions, by_question, strict=True)
             for pair in pairs_of(example, answers, spec.most_pairs_per_question)]
    _write(context.folder / PAIRS, pairs)
    _write(context.folder / SAMPLES, kept.answers)
    context.save("spec.json", spec.as_dict())
    result = {**figures(by_question, pairs, style(source)), "n_unverifiable": len(examples) - len(questions),
              "seconds": round(kept.seconds, 2), "inputs": _inputs(spec, source, examples), "file": PAIRS}
    if not pairs:
        raise LabError(f"no question has both a right and a wrong answer ({result['n_all_right']} all right, "
                       f"{result['n_all_wrong']} all wrong, {result['n_unusable']} of {result['n_samples']} answers "
                       "without the form that pairs need): raise temperature or n_samples, or use another model",
                       "data")
    context.log(f"{len(pairs)} pairs from {result['n_with_pair']} of {len(questions)} questions; "
                f"{result['n_all_right']} all right, {result['n_all_wrong']} all wrong")
    return result


def sample_all(spec: PairsSpec, context: Context, source: ModelSource, questions: Sequence[Example]) -> Kept:
    """Answers to all questions, batch by batch, from the last whole checkpoint if there is one."""
    kept = Kept()
    saves = Saves(context, {"spec": spec.sha(), "dataset": fingerprint(list(questions))}, spec.checkpoint_every_s,
                  {"answers": kept})
    found = saves.begin()
    engine = LoadedBase(bases()[source.base])
    engine.load(source)
    before, started = kept.seconds, time.monotonic()
    starts = range(found.step if found else 0, len(questions), spec.questions_at_once)
    for start in starts:
        batch = questions[start : start + spec.questions_at_once]
        kept.answers += answers_of(spec, engine, source, batch)
        kept.seconds = before + time.monotonic() - started
        done = start + len(batch)
        _report(context, kept, done, len(questions), spec.n_samples)
        wish = saves.wish()
        if wish.save and done < len(questions):
            saves.folder(done)
            saves.seal(done)
            if wish.stop:
                raise saves.stopped(done, len(questions))
    return kept


def answers_of(
    spec: PairsSpec, engine: LoadedBase, source: ModelSource, questions: Sequence[Example]
) -> Iterator[Sampled]:
    """`n_samples` answers to each question, question by question."""
    chats = [prompt_messages(question) for question in questions]
    rounds = [
        engine.generate_batch(source.label, chats, GenerationOptions(
            max_new_tokens=spec.max_new_tokens, temperature=spec.temperature, top_p=spec.top_p,
            seed=spec.seed * SEEDS_PER_RUN + number, batch_size=len(chats),
        ))
        for number in range(spec.n_samples)
    ]
    for place, question in enumerate(questions):
        for number, generations in enumerate(rounds):
            yield judged(question, number, generations[place], style(source), spec.thinking)


def style(source: ModelSource) -> StyleName:
    """How the model marks its thinking."""
    return style_of(source, bases()[source.base])


def _report(context: Context, kept: Kept, done: int, n_questions: int, n_samples: int) -> None:
    n = len(kept.answers)
    accuracy = sum(each.verdict == "right" for each in kept.answers) / n
    usable = sum(each.verdict != "unusable" for each in kept.answers) / n
    context.metric(done, accuracy=accuracy, usable=usable)
    context.progress(done, n_questions, f"{n} answers to {done} of {n_questions} questions, {accuracy:.0%} right")


def _inputs(spec: PairsSpec, source: ModelSource, examples: Sequence[Example]) -> dict[str, Any]:
    folder = Path(source.folder) if source.folder else None
    card = bases()[source.base]
    own = Path(card.location()) if card.path else None
    return {
        "dataset": spec.dataset, "dataset_sha256": fingerprint(list(examples)), "dataset_rows": len(examples),
        "model": source.ref, "base": source.base,
        "model_sha256": weights_sha256(folder or own) if folder or own else card.revision,
    }


def _write(path: Path, rows: Sequence[Plain]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row.model_dump(), ensure_ascii=False) + "\n" for row in rows)
