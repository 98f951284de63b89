"""The loop of a judge over a round: each unit in both orders, each vote kept as it comes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from lab.bases.cards import bases
from lab.core.context import Context, Stopped
from lab.core.errors import LabError
from lab.core.kept_lines import KeptLines
from lab.core.types import Generation, ModelSource
from lab.engine.protocol import GenerationOptions
from lab.engine.warming import warm_engine
from lab.rating.judging import VERSION, RoundJudgeSpec, Vote, judge_prompt, not_asked, summary, vote
from lab.rating.round_texts import RoundTold, UnitTexts, read_round

Asked = tuple[UnitTexts, bool]


def judge_round(spec: RoundJudgeSpec, context: Context) -> dict[str, Any]:
    """The judge's counts; artifacts/votes.jsonl holds one row a unit and order. Raises Stopped between two batches."""
    started = time.perf_counter()
    source = context.model(spec.model)
    told, units = read_round(context.file(spec.units))
    kept = KeptLines(context.checkpoints, lambda row: Vote.model_fields.keys() == row.keys())
    asked = [(unit, a_first) for unit in units for a_first in ((True, False) if unit.text_b else (True,))]
    known = {(row["unit"], row["a_first"]) for row in kept.rows}
    missing = [one for one in asked if (one[0].unit, one[1]) not in known]
    context.log(f"{source.label} judges {len(units)} units in {len(asked)} readings; {len(asked) - len(missing)} are "
                "kept from before")
    context.rewind(len(kept))
    if missing:
        _ask(spec, source, told, missing, (context, kept))
    kept.seal()
    votes = [Vote.model_validate(row) for row in kept.rows]
    context.folder.mkdir(parents=True, exist_ok=True)
    with (context.folder / "votes.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(one.model_dump_json() + "\n" for one in votes)
    return {
        "round": told.round, "judge": source.label, "prompt_version": VERSION, "model": source.model_dump(),
        "told": {"language": told.language, "definition": told.definition, "anchors": list(told.anchors)},
        **summary(votes), "seconds": time.perf_counter() - started,
    }


def _ask(
    spec: RoundJudgeSpec, source: ModelSource, told: RoundTold, missing: Sequence[Asked],
    keeping: tuple[Context, KeptLines],
) -> None:
    context, kept = keeping
    total = len(kept) + len(missing)
    context.progress(len(kept), total, f"loading {source.label}")
    engine = warm_engine(source)
    prompts = [judge_prompt(told, unit, a_first) for unit, a_first in missing]
    fitting = [place for place, prompt in enumerate(prompts) if _fits(engine, source, prompt)]
    if not fitting:
        raise LabError(f"'{source.label}' cannot hold the texts of one unit with what it is to do: name a judge with a "
                       "longer context", "spec")
    long = [missing[place] for place in sorted(set(range(len(missing))) - set(fitting))]
    kept.add([not_asked(*one).model_dump(mode="json") for one in long])
    options = GenerationOptions(max_new_tokens=spec.max_new_tokens, batch_size=spec.batch_size)
    with closing(engine.generate(source.label, [prompts[place] for place in fitting], options)) as batches:
        for batch in batches:
            kept.add([_vote(*missing[fitting[at]], reply).model_dump(mode="json") for at, reply in batch])
            context.progress(len(kept), total, f"{len(kept)} of {total} readings judged")
            if context.stop_requested() and len(kept) < total:
                kept.seal()
                raise Stopped(f"{len(kept)} of {total} readings are kept")


def _fits(engine: Any, source: ModelSource, prompt: Any) -> bool:
    """Whether a base has room for the prompt and a word; of an endpoint nobody here knows."""
    return source.kind == "remote" or len(engine.encode(prompt)) < bases()[source.base].context_tokens


def _vote(unit: UnitTexts, a_first: bool, reply: Generation) -> Vote:
    finished = reply.finish_reason not in ("length", "error", "cancelled")
    return vote(unit, a_first, reply.final_text, finished and not reply.think_state.startswith("unclosed"))
