"""perplexity: how surprised a base of the lab is by each text, per token."""

from typing import Any

import datasets
import evaluate

from lab.core.types import ModelSource
from lab.engine.warming import warm_engine
from lab.rating.measurements.reading import DATA, summed
from lab.rating.perplexity import perplexities


class Perplexity(evaluate.Measurement):
    """Perplexity of each text under `base`, a base's name; with `questions`, one a text, after them in a chat."""

    def _info(self) -> evaluate.MeasurementInfo:
        return evaluate.MeasurementInfo(
            description=str(type(self).__doc__), citation="", inputs_description=DATA,
            features=datasets.Features({"data": datasets.Value("string")}),
        )

    def _compute(
        self, data: list[str], base: str = "demo-llama", questions: list[str] | None = None, batch_size: int = 16
    ) -> dict[str, Any]:
        engine = warm_engine(ModelSource(ref=base, label=base, base=base))
        asked = list(zip(questions or [""] * len(data), data, strict=True))
        found = dict(pair for batch in perplexities(engine, base, asked, batch_size) for pair in batch)
        return summed("perplexity", [found[place] for place in range(len(data))])
