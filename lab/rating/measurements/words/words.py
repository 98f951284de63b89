"""words: how many words a text has."""

from typing import Any

import datasets
import evaluate

from lab.rating.measurements.reading import DATA, summed
from lab.rating.text_measures import words_of


class Words(evaluate.Measurement):
    """The number of words of each text, as every length in the lab is counted that raters are asked about."""

    def _info(self) -> evaluate.MeasurementInfo:
        return evaluate.MeasurementInfo(
            description=str(type(self).__doc__), citation="", inputs_description=DATA,
            features=datasets.Features({"data": datasets.Value("string")}),
        )

    def _compute(self, data: list[str]) -> dict[str, Any]:
        return summed("words", [len(words_of(text)) for text in data])
