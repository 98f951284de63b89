"""`ask`: the same question to several models, as on the Compare page; answers on stdout, thinking when asked for."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import closing

from jobs.cli.text import aligned
from jobs.engines import Engines
from jobs.keeper import spawn_worker
from lab.benchmarks.specs import GenerationSettings
from lab.core.errors import Fault, LabError, SpecError
from lab.core.settings import Settings
from lab.core.spec import load_spec
from lab.core.types import ModelSource
from lab.engine.protocol import Stats
from storage.database import Store, open_store
from storage.queries.studies import model_source


def ask(options: argparse.Namespace) -> int:
    """Exit 0 when every model has answered, 1 when one could not."""
    given = {name: getattr(options, name) for name in ("max_new_tokens", "temperature", "seed")}
    settings = load_spec(GenerationSettings, given, "ask")
    store = open_store()
    sources = _sources(store, options.models)
    spawn_worker(Settings.from_env())
    answers: dict[str, dict[str, object]] = {}
    for source in sources:
        try:
            answers[source.label] = _answer(store, source, options.question, settings).model_dump()
        except LabError as error:
            answers[source.label] = {"error": str(error)}
    print(json.dumps(answers, ensure_ascii=False, indent=1) if options.json else _told(answers, options.thinking))
    return 1 if any("error" in answer for answer in answers.values()) else 0


def _sources(store: Store, refs: list[str]) -> list[ModelSource]:
    """Every model, or all unknown ones at once."""
    faults, sources = [], []
    with store.read() as session:
        for index, ref in enumerate(refs):
            try:
                sources.append(model_source(session, store.home, ref))
            except LabError as error:
                faults.append(Fault(f"models.{index}", str(error), ref))
    if faults:
        raise SpecError(faults, "ask")
    return sources


def _answer(store: Store, source: ModelSource, question: str, settings: GenerationSettings) -> Stats:
    def tell(text: str) -> None:
        print(f"\r{source.label}: {text}", end="", file=sys.stderr, flush=True)

    with closing(Engines(store).connect(source.base, tell, lambda: False)) as client:
        client.load(source)
        messages = [{"role": "user", "content": question}]
        chunks = client.stream(source.label, messages, settings.max_new_tokens, settings.temperature, settings.seed)
        stats = [chunk.stats for chunk in chunks if chunk.stats is not None]
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    if not stats:
        raise LabError(f"the engine of {source.base} ended without saying how the answer ended. Ask again.", "lost")
    return stats[-1]


def _told(answers: dict[str, dict[str, object]], thinking: bool) -> str:
    blocks = []
    for label, answer in answers.items():
        if "error" in answer:
            blocks.append(f"## {label}\n{answer['error']}")
            continue
        facts = aligned(("thinking", "answer", "seconds", "ended"), [[
            f"{answer['n_think_tokens']} tokens ({answer['think_state']})", f"{answer['n_answer_tokens']} tokens",
            f"{answer['seconds']:.1f}", str(answer["finish_reason"]),
        ]])
        thought = f"\n[thinking]\n{str(answer['think_text']).strip()}\n[answer]" if thinking else ""
        blocks.append(f"## {label}\n{facts}{thought}\n{str(answer['final_text']).strip()}")
    return "\n\n".join(blocks)
