"""readability: Flesch reading ease, or Kandel and Moles' for French. Higher is easier."""

from typing import Any

import datasets
import evaluate

from lab.rating.measurements.reading import DATA, summed
from lab.rating.text_measures import reading_ease


class Readability(evaluate.Measurement):
    """Reading ease of each text; `language` is en (Flesch 1948) or fr (Kandel and Moles 1958)."""

    def _info(self) -> evaluate.MeasurementInfo:
        return evaluate.MeasurementInfo(
            description=str(type(self).__doc__), citation="", inputs_description=DATA,
            features=datasets.Features({"data": datasets.Value("string")}),
        )

    def _compute(self, data: list[str], language: str = "en") -> dict[str, Any]:
        return summed("reading_ease", [reading_ease(text, language) for text in data])
