"""What a benchmark run and an answer-bank job are."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from lab.bases.resolving import check_base_name
from lab.benchmarks.benchmark import benchmarks
from lab.core.errors import Fault
from lab.core.spec import Spec, known_name


def check_model_ref(field: str, ref: str) -> list[Fault]:
    """A base's name, or 'variant:<name>' / 'job:<uid>', which the queue resolves against the store."""
    return [] if ref.startswith(("variant:", "job:")) else check_base_name(field, ref)


class GenerationSettings(Spec):
    """How answers are generated; the same for every arm that is compared."""

    max_new_tokens: int = Field(128, ge=1, le=32768, description="Generation budget in tokens, thinking included.")
    temperature: float = Field(0.0, ge=0, le=2, description="0 is greedy.")
    seed: int = Field(0, ge=0, description="Seed of sampling and of question selection.")
    batch_size: int = Field(32, ge=1, le=1024, description="Rows generated together; does not change greedy answers.")


class BenchmarkSpec(GenerationSettings):
    """One model on one benchmark."""

    kind: ClassVar[str] = "benchmark"
    model: str = Field(description="A base's name, 'variant:<name>' or 'job:<uid>' of a training job.")
    benchmark: str = Field(description="Name of a benchmark.")
    max_questions: int = Field(0, ge=0, description="Use only the first questions; 0 means all.")

    def check_names(self) -> list[Fault]:
        return check_model_ref("model", self.model) + known_name(
            "benchmark", "benchmark", self.benchmark, benchmarks()
        )


class AnswersSpec(GenerationSettings):
    """An answer bank: frozen answers of several models to the same questions, for raters."""

    kind: ClassVar[str] = "answers"
    name: str = Field(min_length=1, max_length=80, description="Name of the answer bank.")
    models: tuple[str, ...] = Field(min_length=2, description="Two or more models, as in a benchmark run.")
    benchmark: str = Field(description="Benchmark whose questions are asked.")
    n_questions: int = Field(12, ge=1, le=1000, description="Questions, drawn evenly over subjects by the seed.")

    def check_names(self) -> list[Fault]:
        faults = [f for i, ref in enumerate(self.models) for f in check_model_ref(f"models.{i}", ref)]
        return faults + known_name("benchmark", "benchmark", self.benchmark, benchmarks())
