"""Metrics in the form of Hugging Face's `evaluate`, for `evaluate.combine` and for scripts. Nothing is fetched.

They wrap the lab's own verifiers. The lab's own runs do not use them: importing `evaluate` takes seconds.
Predictions are final answers with the thinking removed; references are the examples as JSON.
"""

from __future__ import annotations

import datasets
import evaluate

from lab.core.types import Example, Score
from lab.verify.verifier import verify

FEATURES = datasets.Features({"predictions": datasets.Value("string"), "references": datasets.Value("string")})


def _scores(predictions: list[str], references: list[str]) -> list[Score]:
    pairs = zip(predictions, references, strict=True)
    return [verify(text, Example.model_validate_json(reference)) for text, reference in pairs]


def _info(description: str) -> evaluate.MetricInfo:
    return evaluate.MetricInfo(description=description, citation="", inputs_description=__doc__, features=FEATURES)


class AnswerAccuracy(evaluate.Metric):
    """Share of answers that the example's own verifier accepts; what cannot be read is wrong."""

    def _info(self) -> evaluate.MetricInfo:
        return _info(type(self).__doc__)

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, float]:
        scores = _scores(predictions, references)
        return {"answer_accuracy": sum(one.correct for one in scores) / len(scores)}


class UnparsedRate(evaluate.Metric):
    """Share of answers in which no answer can be read."""

    def _info(self) -> evaluate.MetricInfo:
        return _info(type(self).__doc__)

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, float]:
        scores = _scores(predictions, references)
        return {"unparsed_rate": sum(one.parsed is None for one in scores) / len(scores)}
