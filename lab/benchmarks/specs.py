"""What a benchmark run and an answer-bank job are."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from lab.bases.resolving import check_base_name
from lab.benchmarks.benchmark import benchmarks
from lab.core.errors import Fault
from lab.core.spec import Spec, known_name
from lab.data.resolving import check_dataset_name
from lab.engine.adapt import Adaptation
from lab.engine.budget import ThinkingBudget

REMOTE = "remote:"


def check_model_ref(field: str, ref: str) -> list[Fault]:
    """A base's name, or 'variant:<name>', 'job:<uid>', 'remote:<name>', which the queue resolves against the store."""
    return [] if ref.startswith(("variant:", "job:", REMOTE)) else check_base_name(field, ref)


class GenerationSettings(Spec):
    """How answers are generated; the same for every arm that is compared."""

    max_new_tokens: int = Field(128, ge=1, le=32768, description="Generation budget in tokens, thinking included.")
    temperature: float = Field(0.0, ge=0, le=2, description="0 is greedy.")
    seed: int = Field(0, ge=0, description="Seed of sampling and of question selection.")
    batch_size: int = Field(32, ge=1, le=1024, description="Rows generated together; does not change greedy answers.")
    min_think_tokens: int = Field(
        0, ge=0, le=32768, description="Least thinking in tokens: a thought that ends earlier goes on with 'Wait'."
    )
    max_think_tokens: int = Field(
        -1, ge=-1, le=32768, description="Most thinking in tokens: the thought is then closed by force. -1: no bound."
    )
    answer_prefix: str = Field(
        "", max_length=200, description="What an answer begins with whose thought was closed by force."
    )

    def budget(self) -> ThinkingBudget:
        most = None if self.max_think_tokens < 0 else self.max_think_tokens
        return ThinkingBudget(min_tokens=self.min_think_tokens, max_tokens=most, answer_prefix=self.answer_prefix)

    def adaptation(self) -> Adaptation:
        """None but in a benchmark that asks for it."""
        return Adaptation()

    def check_budget(self) -> list[Fault]:
        """Bounds of the thought that contradict each other or leave no room for it."""
        least, most = self.min_think_tokens, self.max_think_tokens
        if least > most >= 0:
            return [Fault("min_think_tokens", f"is {least}, more than max_think_tokens ({most})", least)]
        if least >= self.max_new_tokens:
            room = self.max_new_tokens
            return [Fault("min_think_tokens", f"is {least}, which leaves no answer in max_new_tokens ({room})", least)]
        return []


class BenchmarkSpec(GenerationSettings):
    """One model on one benchmark, as it is or adapted to each question (test-time training)."""

    kind: ClassVar[str] = "benchmark"
    model: str = Field(description="A base's name, 'variant:<name>', 'job:<uid>' of a training job, 'remote:<name>'.")
    benchmark: str = Field(description="Name of a benchmark.")
    max_questions: int = Field(0, ge=0, description="Use only the first questions; 0 means all.")
    adapt: Literal["none", "nearest", "random", "context"] = Field(
        "none", description="Test-time training: on the nearest examples of each question, or a control: on random "
        "ones, or the nearest shown in the prompt."
    )
    adapt_dataset: str = Field("", description="Where the examples come from: a dataset, as training names it.")
    adapt_neighbours: int = Field(1, ge=1, le=16, description="Examples per question.")
    adapt_scope: Literal["lora", "full"] = Field(
        "lora", description="Train an ephemeral LoRA, or every weight (as the paper; one question at a time)."
    )
    adapt_steps: int = Field(1, ge=1, le=100, description="Optimiser steps per question.")
    adapt_learning_rate: float = Field(1e-3, gt=0, le=1, description="Of Adam; the paper's step on all weights: 1e-5.")
    adapt_rank: int = Field(8, ge=1, le=256, description="Rank of the ephemeral LoRA.")
    adapt_loss_on: Literal["completion", "all"] = Field(
        "completion", description="Learn the examples' replies, or every token (as the paper)."
    )
    adapt_embedder: str = Field(
        "tfidf", min_length=1, description="What finds the nearest: tfidf, or a sentence encoder (folder or hub id)."
    )
    adapt_pooling: Literal["cls", "mean"] = Field(
        "cls", description="Of an encoder: cls and cosine, or mean and L2 (as the paper)."
    )

    def adaptation(self) -> Adaptation:
        """The `adapt_…` fields as the engine takes them; the seed is the run's."""
        names = [name for name in Adaptation.model_fields if name not in ("mode", "seed")]
        return Adaptation(mode=self.adapt, seed=self.seed, **{name: getattr(self, f"adapt_{name}") for name in names})

    def check_names(self) -> list[Fault]:
        faults = check_model_ref("model", self.model) + self.check_budget()
        faults += known_name("benchmark", "benchmark", self.benchmark, benchmarks())
        if self.adapt == "none":
            return faults
        if not self.adapt_dataset:
            return [*faults, Fault("adapt_dataset", "is required to adapt: the dataset whose examples are retrieved")]
        if self.model.startswith(REMOTE):
            faults.append(Fault("adapt", "a remote model cannot be adapted: its weights are elsewhere", self.adapt))
        return faults + check_dataset_name("adapt_dataset", self.adapt_dataset)


class AnswersSpec(GenerationSettings):
    """An answer bank: frozen answers of several models to the same questions, for raters."""

    kind: ClassVar[str] = "answers"
    name: str = Field(min_length=1, max_length=80, description="Name of the answer bank.")
    models: tuple[str, ...] = Field(min_length=2, description="Two or more models, as in a benchmark run.")
    benchmark: str = Field(description="Benchmark whose questions are asked.")
    n_questions: int = Field(12, ge=1, le=1000, description="Questions, drawn evenly over subjects by the seed.")

    def check_names(self) -> list[Fault]:
        faults = [f for i, ref in enumerate(self.models) for f in check_model_ref(f"models.{i}", ref)]
        return faults + self.check_budget() + known_name("benchmark", "benchmark", self.benchmark, benchmarks())
