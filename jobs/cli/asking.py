"""`ask`: the same question to several models at once, as on the Compare page; answers on stdout in the order asked."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Literal

from pydantic import Field

from jobs.cli.answering import Answering, watch
from jobs.cli.text import aligned
from jobs.keeper import spawn_worker
from lab.benchmarks.specs import GenerationSettings
from lab.core.errors import Fault, LabError, SpecError
from lab.core.settings import Settings
from lab.core.spec import load_spec
from lab.core.types import ModelSource
from lab.data.resolving import check_dataset_name
from lab.engine.adapt import Adaptation
from lab.engine.protocol import ChatRequest, Stats
from storage.database import Store, open_store
from storage.queries.studies import model_source


class AskSpec(GenerationSettings):
    """What can be said about one asking; the options of the command have the same names."""

    top_p: float = Field(1.0, gt=0, le=1, description="Sample from the likeliest tokens that hold this probability.")
    stop: tuple[str, ...] = Field((), max_length=16, description="Texts that end the answer.")
    system: str = Field("", description="A system message before the question.")
    adapt: Literal["none", "nearest", "random", "context"] = Field("none", description="Test-time training.")
    adapt_dataset: str = Field("", description="Where the examples come from.")
    adapt_neighbours: int = Field(1, ge=1, le=16, description="Examples.")
    adapt_steps: int = Field(1, ge=1, le=100, description="Optimiser steps.")
    adapt_learning_rate: float = Field(1e-3, gt=0, le=1, description="Of Adam.")
    adapt_scope: Literal["lora", "full"] = Field("lora", description="An ephemeral LoRA, or every weight.")

    def adaptation(self) -> Adaptation:
        names = ("dataset", "neighbours", "steps", "learning_rate", "scope")
        return Adaptation(mode=self.adapt, seed=self.seed, **{name: getattr(self, f"adapt_{name}") for name in names})

    def check_names(self) -> list[Fault]:
        faults = self.check_budget()
        if self.adapt == "none":
            return faults
        if not self.adapt_dataset:
            return [*faults, Fault("adapt_dataset", "is required to adapt: the dataset whose examples are retrieved")]
        return faults + check_dataset_name("adapt_dataset", self.adapt_dataset)

    def request(self, label: str, question: str) -> ChatRequest:
        system = [{"role": "system", "content": self.system}] if self.system else []
        return ChatRequest(
            label=label, messages=(*system, {"role": "user", "content": question}), budget=self.budget(),
            adapt=self.adaptation(),
            **{name: getattr(self, name) for name in ("max_new_tokens", "temperature", "seed", "top_p", "stop")},
        )


def ask(options: argparse.Namespace) -> int:
    """Exit 0 when every model has answered, 1 when one could not."""
    names = set(AskSpec.model_fields) & set(vars(options))
    settings = load_spec(AskSpec, {name: getattr(options, name) for name in names}, "ask")
    store = open_store()
    sources = _sources(store, options.models)
    if any(source.kind != "remote" for source in sources):
        spawn_worker(Settings.from_env())
    asked = [Answering(store, source, settings.request(source.label, options.question)) for source in sources]
    for answering in asked:
        answering.start()
    live = sys.stdout.isatty() and not options.json
    answers = {}
    for answering in asked:
        answers[answering.source.label] = answer = _outcome(answering, options, live)
        if not options.json:
            print(_told(answering.source.label, answer, options.thinking, live), flush=True)
    if options.json:
        print(json.dumps(answers, ensure_ascii=False, indent=1))
    return 1 if any("error" in answer for answer in answers.values()) else 0


def _outcome(answering: Answering, options: argparse.Namespace, live: bool) -> dict[str, object]:
    """Statistics of an answer, or its error, once it has ended; meanwhile it is shown where somebody looks."""
    try:
        return watch(answering, live, options.thinking).model_dump()
    except LabError as error:
        return {"error": str(error)}


def _sources(store: Store, refs: list[str]) -> list[ModelSource]:
    """Every model, or all unknown ones at once."""
    faults: list[Fault] = []
    sources: dict[str, ModelSource] = {}
    with store.read() as session:
        for index, ref in enumerate(refs):
            try:
                source = model_source(session, store.home, ref)
                sources.setdefault(source.label, source)  # named twice, it is asked once
            except LabError as error:
                faults.append(Fault(f"models.{index}", str(error), ref))
    if faults:
        raise SpecError(faults, "ask")
    return list(sources.values())


def _told(label: str, answer: dict[str, object], thinking: bool, live: bool) -> str:
    """An ended answer; of one that was shown as it came, only its figures and an error."""
    if "error" in answer:
        return f"{answer['error']}\n" if live else f"## {label}\n{answer['error']}\n"
    stats = Stats.model_validate(answer)
    waits = f", {stats.n_waits} × Wait" if stats.n_waits else ""
    facts = aligned(("thinking", "answer", "seconds", "tokens/s", "ended"), [[
        f"{stats.n_think_tokens} tokens ({stats.think_state}{waits})", f"{stats.n_answer_tokens} tokens",
        f"{stats.seconds:.1f}", f"{(stats.n_think_tokens + stats.n_answer_tokens) / max(stats.seconds, 1e-3):.0f}",
        str(stats.finish_reason),
    ]])
    if live:
        return f"{facts}\n"
    adapted = f"\n{adapted_words(stats)}" if stats.adaptation else ""
    thought = f"\n[thinking]\n{stats.think_text.strip()}\n[answer]" if thinking and stats.think_text else ""
    return f"## {label}\n{facts}{adapted}{thought}\n{stats.final_text.strip()}\n"


def adapted_words(stats: Stats) -> str:
    """What a model was adapted to, in a line for each example."""
    report = stats.adaptation
    if report is None:
        return ""
    lines = [f"[{report.mode}] {one.dataset} {one.id} (similarity {one.similarity:.2f}): "
             f"{' '.join(one.question.split())[:100]}" for one in report.neighbours]
    if report.loss_before is not None and report.loss_after is not None:
        lines.append(f"loss {report.loss_before:.3f} → {report.loss_after:.3f} in {report.seconds:.1f} s")
    return "\n".join(lines)
