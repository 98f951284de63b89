"""The loop of the measurements of a round. The engine loads torch; nothing here does."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from lab.core.context import Context, Stopped
from lab.core.kept_lines import KeptLines
from lab.core.types import ModelSource
from lab.engine.warming import warm_engine
from lab.rating.measuring import Measure, MeasureSpec, measure_name, measure_version, plain_measures, to_weigh
from lab.rating.perplexity import perplexities
from lab.rating.round_texts import UnitTexts, read_round, text_key


def measure_round(spec: MeasureSpec, context: Context) -> dict[str, Any]:
    """What was measured; artifacts/measures.jsonl holds one row a text and figure.

    Raises Stopped between two batches.
    """
    started = time.perf_counter()
    told, units = read_round(context.file(spec.units))
    kept = KeptLines(context.checkpoints, lambda row: Measure.model_fields.keys() == row.keys())
    context.rewind(len(kept))
    source = context.model(spec.model) if spec.model else None
    if source is not None:
        _weigh(spec, source, units, (context, kept))
    measures = [*plain_measures(units, told.language), *(Measure.model_validate(row) for row in kept.rows)]
    kept.seal()
    context.folder.mkdir(parents=True, exist_ok=True)
    with (context.folder / "measures.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(one.model_dump_json() + "\n" for one in measures)
    return {
        "round": told.round, "n_units": len(units), "n_texts": len({text for unit in units for text in unit.texts()}),
        "model": source.model_dump() if source else None, "measures": sorted({one.name for one in measures}),
        "n_without": sum(one.value is None for one in measures), "seconds": time.perf_counter() - started,
    }


def _weigh(
    spec: MeasureSpec, source: ModelSource, units: Sequence[UnitTexts], keeping: tuple[Context, KeptLines]
) -> None:
    context, kept = keeping
    asked = to_weigh(units)
    known = {(row["text_sha"], row["name"]) for row in kept.rows}
    missing = [(question, text) for question, text in asked
               if (text_key(text, question), measure_name(question, source)) not in known]
    if not missing:
        return
    context.progress(len(kept), len(asked), f"loading {source.label}")
    engine, version = warm_engine(source), measure_version(source)
    with closing(perplexities(engine, source.label, missing, spec.batch_size)) as batches:
        for batch in batches:
            kept.add([
                Measure(text_sha=text_key(text, question), name=measure_name(question, source), version=version,
                        value=value).model_dump(mode="json")
                for (question, text), value in ((missing[place], value) for place, value in batch)
            ])
            context.progress(len(kept), len(asked), f"{len(kept)} of {len(asked)} texts weighed")
            if context.stop_requested() and len(kept) < len(asked):
                kept.seal()
                raise Stopped(f"{len(kept)} of {len(asked)} texts are kept")
