"""What a benchmark run, a suite of them, and an answer-bank job are."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from lab.bases.resolving import check_base_name
from lab.benchmarks.prompts import prompts
from lab.benchmarks.resolving import check_benchmark_name
from lab.benchmarks.scorers.scorer import scorers
from lab.core.errors import Fault
from lab.core.spec import Spec, known_name
from lab.data.resolving import check_dataset_name
from lab.engine.adapt import Adaptation
from lab.engine.budget import ThinkingBudget

REMOTE = "remote:"
PASTED = "prompts"  # where the questions of a bank come from that were given with it
MOST_PROMPTS = 1000
PROMPT_LIMIT = 20_000  # characters
Mode = Literal["generate", "likelihood-plain", "likelihood-no-thinking", "likelihood-after-thought"]


def check_model_ref(field: str, ref: str) -> list[Fault]:
    """A base's name, or 'variant:<name>', 'job:<uid>', 'remote:<name>', which the queue resolves against the store."""
    return [] if ref.startswith(("variant:", "job:", REMOTE)) else check_base_name(field, ref)


def check_budgets(budgets: tuple[int, ...], max_new_tokens: int) -> list[Fault]:
    """Points of a curve lie below the whole run's budget, each once."""
    wide = [budget for budget in budgets if not 1 <= budget < max_new_tokens]
    faults = [Fault("budgets", f"each is at least 1 and below max_new_tokens ({max_new_tokens}), not {budget}", budget)
              for budget in wide[:1]]
    if len(set(budgets)) != len(budgets):
        faults.append(Fault("budgets", "should not repeat a value", list(budgets)))
    return faults


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


class AskingSettings(GenerationSettings):
    """How a benchmark asks, and who reads the answers; the same for every model that is compared."""

    max_questions: int = Field(0, ge=0, description="Use only the first questions; 0 means all.")
    mode: Mode = Field(
        "generate", description="The model writes its answer, or the options' likelihoods are compared: after plain "
        "text (as EleutherAI's harness), after a closed empty thought, or after a thought of its own."
    )
    likelihood_of: Literal["letter", "text"] = Field(
        "letter", description="Of a likelihood mode: the options' letters, or their whole texts."
    )
    prompt: str = Field("", description="How a question is put: a prompt's name; empty for the benchmark's own.")
    shots: int = Field(0, ge=0, le=32, description="Solved examples before each question, never from the test split.")
    epochs: int = Field(1, ge=1, le=64, description="How often each question is asked; more than once needs sampling.")
    rotations: int = Field(
        1, ge=1, le=10, description="Each question with its options in so many cyclic orders; 1: as given."
    )
    scorer: str = Field("strict", description="Who reads the answers; other scorers can read them later.")
    budgets: tuple[int, ...] = Field(
        (), max_length=16, description="A curve: also with so many tokens only, cut there, and with the thought closed "
        "by force there. Each is a run of its own."
    )
    forced_answer: bool = Field(
        False, description="Also with every thought that does not end in max_new_tokens closed by force and answered."
    )
    answer_tokens: int = Field(64, ge=1, le=8192, description="Room for an answer after a thought closed by force.")
    check_overlap: bool = Field(
        True, description="Look for each question in the model's own training rows: a clean figure beside the whole."
    )

    def check_asking(self) -> list[Fault]:
        """Settings that contradict each other or ask for what there is not."""
        faults = self.check_budget() + known_name("scorer", "scorer", self.scorer, scorers())
        if self.prompt:
            faults += known_name("prompt", "prompt", self.prompt, prompts())
        if self.epochs > 1 and not self.temperature:
            faults.append(Fault("epochs", f"is {self.epochs}, but at temperature 0 every answer would be the same: set "
                                "a temperature (0.6 is usual)", self.epochs))
        faults += check_budgets(self.budgets, self.max_new_tokens)
        if self.mode != "generate":
            faults += self._check_likelihood()
        elif self.budgets and self.budget().bounds:
            faults.append(Fault("budgets", "a curve sets max_think_tokens itself: leave the thinking budget open"))
        return faults

    def _check_likelihood(self) -> list[Fault]:
        """A likelihood is one number: nothing is sampled, and only a thought of its own can be long."""
        given = {"epochs": self.epochs > 1, "budgets": bool(self.budgets), "forced_answer": self.forced_answer}
        return [Fault(name, f"has no meaning in mode '{self.mode}'") for name, set_ in given.items() if set_]


class BenchmarkSpec(AskingSettings):
    """One model on one benchmark, as it is or adapted to each question (test-time training)."""

    kind: ClassVar[str] = "benchmark"
    model: str = Field(description="A base's name, 'variant:<name>', 'job:<uid>' of a training job, 'remote:<name>'.")
    benchmark: str = Field(description="A benchmark's name, NAME@FOLDER, or a file of questions of your own.")
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
        faults = check_model_ref("model", self.model) + self.check_asking()
        faults += check_benchmark_name("benchmark", self.benchmark)
        if self.mode != "generate" and self.model.startswith(REMOTE):
            faults.append(Fault("mode", "an endpoint answers; its likelihoods are not asked for", self.mode))
        if self.adapt == "none":
            return faults
        faults += [Fault(name, "is not for a model that is adapted to each question: run it as it is")
                   for name in ("budgets", "forced_answer", "rotations", "mode")
                   if getattr(self, name) != type(self).model_fields[name].default]
        if not self.adapt_dataset:
            return [*faults, Fault("adapt_dataset", "is required to adapt: the dataset whose examples are retrieved")]
        if self.model.startswith(REMOTE):
            faults.append(Fault("adapt", "a remote model cannot be adapted: its weights are elsewhere", self.adapt))
        return faults + check_dataset_name("adapt_dataset", self.adapt_dataset)


class SuiteSpec(AskingSettings):
    """Several models on several benchmarks in one process: each base is loaded once, its variants share batches."""

    kind: ClassVar[str] = "suite"
    models: tuple[str, ...] = Field(min_length=1, max_length=200, description="Models, as in a benchmark run.")
    benchmarks: tuple[str, ...] = Field(min_length=1, max_length=50, description="Benchmarks, as in a benchmark run.")

    def check_names(self) -> list[Fault]:
        faults = [f for i, ref in enumerate(self.models) for f in check_model_ref(f"models.{i}", ref)]
        faults += [f for i, name in enumerate(self.benchmarks) for f in check_benchmark_name(f"benchmarks.{i}", name)]
        for name in ("models", "benchmarks"):
            if len(set(getattr(self, name))) != len(getattr(self, name)):
                faults.append(Fault(name, "should not repeat a name"))
        if self.mode != "generate" and any(ref.startswith(REMOTE) for ref in self.models):
            faults.append(Fault("mode", "an endpoint answers; its likelihoods are not asked for", self.mode))
        return faults + self.check_asking()

    def runs(self) -> list[BenchmarkSpec]:
        """Each model on each benchmark, as a job of its own would run it."""
        shared = {name: getattr(self, name) for name in AskingSettings.model_fields}
        return [BenchmarkSpec(model=model, benchmark=benchmark, **shared)
                for benchmark in self.benchmarks for model in self.models]


class AnswersSpec(GenerationSettings):
    """An answer bank: frozen answers of several models to the same questions, for raters."""

    kind: ClassVar[str] = "answers"
    name: str = Field(min_length=1, max_length=80, description="Name of the answer bank.")
    models: tuple[str, ...] = Field(min_length=2, description="Two or more models, as in a benchmark run.")
    benchmark: str = Field("", description="Benchmark whose questions are asked, as in a benchmark run.")
    dataset: str = Field(
        "", description="Instead of a benchmark: a dataset, as training names it. Questions that none of the models "
        "was trained on come first."
    )
    prompts: tuple[str, ...] = Field(
        (), max_length=MOST_PROMPTS, description="Instead of a benchmark: questions of your own. All of them are asked."
    )
    n_questions: int = Field(
        12, ge=1, le=1000, description="Questions of a benchmark or a dataset, drawn evenly over subjects by the seed."
    )

    def check_names(self) -> list[Fault]:
        faults = [f for i, ref in enumerate(self.models) for f in check_model_ref(f"models.{i}", ref)]
        return faults + self.check_budget() + self._check_source() + self._check_prompts()

    def _check_source(self) -> list[Fault]:
        given = [name for name in ("benchmark", "dataset", "prompts") if getattr(self, name)]
        if not given:
            return [Fault("benchmark", "name a benchmark, or a dataset, or give prompts: something has to be asked")]
        if len(given) > 1:
            return [Fault(given[1], f"the questions come from one place: {' or '.join(given)}")]
        if self.benchmark:
            return check_benchmark_name("benchmark", self.benchmark)
        return check_dataset_name("dataset", self.dataset) if self.dataset else []

    def _check_prompts(self) -> list[Fault]:
        faults, first = [], dict[str, int]()
        for place, prompt in enumerate(self.prompts):
            words = " ".join(prompt.split())
            if not words:
                faults.append(Fault(f"prompts.{place}", "is empty: leave it out"))
            elif len(prompt) > PROMPT_LIMIT:
                faults.append(Fault(f"prompts.{place}", f"has more than {PROMPT_LIMIT} characters: shorten it"))
            elif first.setdefault(words, place) != place:
                said = f"is the same as prompts.{first[words]}: leave one out"
                faults.append(Fault(f"prompts.{place}", said, prompt))
        return faults

    @property
    def asked_of(self) -> str:
        """Where the questions come from: the benchmark, the dataset, or 'prompts'."""
        return self.benchmark or self.dataset or PASTED
