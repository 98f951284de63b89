"""The loop of a verifier model over stored answers: what can be judged is asked, each verdict is kept as it comes."""

from __future__ import annotations

import json
import time
from contextlib import closing
from typing import Any, TextIO

from lab.benchmarks.judging import VERSION, JudgeSpec, Verdict, judge_prompt, read_verdict, summary, unread
from lab.core.context import Context, Stopped
from lab.core.errors import LabError
from lab.core.types import Generation, ModelSource
from lab.engine.protocol import GenerationOptions
from lab.engine.warming import warm_engine

Row = dict[str, Any]


def judge_answers(spec: JudgeSpec, context: Context) -> dict[str, Any]:
    """The judge's figures and its agreement with the run; artifacts/verdicts.jsonl holds one row an answer, those that
    nobody judged included. Raises Stopped between two batches."""
    started = time.perf_counter()
    source, rows = context.model(spec.model), _rows(spec, context)
    verdicts = {place: _wrong(row, why) for place, row in enumerate(rows) if (why := unread(row))}
    asked = [place for place in range(len(rows)) if place not in verdicts]
    context.log(f"{source.label} judges {len(asked)} of {len(rows)} answers; {len(verdicts)} were never finished")
    context.folder.mkdir(parents=True, exist_ok=True)
    with (context.folder / "verdicts.jsonl").open("w", encoding="utf-8") as file:
        _keep(file, verdicts.values())
        if asked:
            verdicts |= _judged(spec, source, [(place, rows[place]) for place in asked], context, file)
    return {
        "judge": source.label,
        "scorer": f"judge:{source.label}",
        "scorer_version": VERSION,
        "run": spec.run,
        "part": spec.part,
        "model": source.model_dump(),
        **summary(rows, [verdicts[place] for place in range(len(rows))]),
        "seconds": time.perf_counter() - started,
    }


def _judged(
    spec: JudgeSpec, source: ModelSource, asked: list[tuple[int, Row]], context: Context, file: TextIO
) -> dict[int, Verdict]:
    """{place: verdict}, written as they come."""
    context.progress(0, len(asked), f"loading {source.label}")
    options = GenerationOptions(max_new_tokens=spec.max_new_tokens, batch_size=spec.batch_size)
    engine, found = warm_engine(source), dict[int, Verdict]()
    with closing(engine.generate(source.label, [judge_prompt(row) for _, row in asked], options)) as batches:
        for batch in batches:
            new = {asked[at][0]: _verdict(asked[at][1], reply) for at, reply in batch}
            _keep(file, new.values())
            found |= new
            context.progress(len(found), len(asked), f"{len(found)} of {len(asked)} answers judged")
            if context.stop_requested() and len(found) < len(asked):
                raise Stopped
    return found


def _rows(spec: JudgeSpec, context: Context) -> list[Row]:
    """The stored answers of the run. LabError when it has none, or was scored by likelihoods."""
    with context.file(spec.run).open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file if line.strip()]
    parts = sorted({row.get("part", "") for row in rows})
    rows = [row for row in rows if row.get("part", "") == spec.part]
    if not rows:
        named = ", ".join(f"'{part}'" for part in parts) or "none"
        raise LabError(f"'{spec.run}' has no run '{spec.part}' to judge. Its parts: {named}", "spec")
    if any(row.get("logprobs") for row in rows):
        raise LabError(f"'{spec.run}' compared likelihoods and has no answers to judge; judge a run that generates",
                       "spec")
    return rows


def _wrong(row: Row, why: str) -> Verdict:
    return Verdict(item_id=row["item_id"], epoch=row.get("epoch", 0), correct=False, parsed=None, rule=why)


def _verdict(row: Row, reply: Generation) -> Verdict:
    """What the judge said. A reply that was cut, or whose thinking never closed, says nothing."""
    finished = reply.finish_reason != "length" and not reply.think_state.startswith("unclosed")
    said = read_verdict(reply.final_text) if finished else None
    return Verdict(
        item_id=row["item_id"], epoch=row.get("epoch", 0), correct=None if said is None else said == "True",
        parsed=said, rule="verdict" if said else "unparsed verdict" if finished else "unfinished verdict",
    )


def _keep(file: TextIO, verdicts: Any) -> None:
    file.writelines(one.model_dump_json() + "\n" for one in verdicts)
    file.flush()
