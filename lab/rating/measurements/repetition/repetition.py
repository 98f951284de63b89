"""repetition: distinct-2, and the share of 4-word runs that have come before."""

from typing import Any

import datasets
import evaluate

from lab.rating.measurements.reading import DATA, summed
from lab.rating.text_measures import distinct, repeated_share


class Repetition(evaluate.Measurement):
    """Of each text: the different pairs of words out of all (distinct-2), and the share of 4-word runs that are there
    already."""

    def _info(self) -> evaluate.MeasurementInfo:
        return evaluate.MeasurementInfo(
            description=str(type(self).__doc__), citation="", inputs_description=DATA,
            features=datasets.Features({"data": datasets.Value("string")}),
        )

    def _compute(self, data: list[str]) -> dict[str, Any]:
        return {
            **summed("distinct_2", [distinct(text, 2) for text in data]),
            **summed("repeated_4", [repeated_share(text) for text in data]),
        }
