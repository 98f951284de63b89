"""What a report is made of: plain records of benchmark runs, whoever read them from the store or from files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.reports.asked import asked, asked_words, titled

# Settings that change an answer: two runs that differ in one of these are not compared. How a model was adapted and how
# long it might think come on top (`lab.reports.asked`).
MATCHED_SETTINGS = ("max_new_tokens", "temperature", "seed")


@dataclass(frozen=True, slots=True)
class Sample:
    """One question of one run, reduced to what a report counts."""

    item_id: str
    correct: bool
    parsed: bool = True
    truncated: bool = False
    n_tokens: int = 0
    epoch: int = 0

    @property
    def key(self) -> tuple[str, int]:
        return self.item_id, self.epoch


@dataclass(frozen=True)
class ModelRun:
    """One model on one benchmark. `dataset` and `seed` say what it was trained on; a base has neither.

    `start` is the model it went on from: another trained one, or its base. `n_stages` counts the trainings behind it.
    """

    model: str
    base: str
    arm: str
    benchmark: str
    benchmark_version: str
    samples: tuple[Sample, ...]
    dataset: str = ""
    seed: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0
    run_id: int | None = None
    start: str = ""
    method: str = "sft"  # how it was trained last
    n_stages: int = 1

    @property
    def cell(self) -> tuple[str, str, int | None, str, int]:
        """What two arms of a pair share."""
        return self.base, self.dataset, self.seed, self.method, self.n_stages

    @property
    def asked_words(self) -> str:
        """How it was asked beyond the usual: '', 'adapted: nearest', 'thinking ≤ 64 tokens', both."""
        return asked_words(self.settings)

    @property
    def title(self) -> str:
        """The model with those words: what tells two runs of one model apart."""
        return titled(self.model, self.settings)

    def asked_as(self, other: ModelRun) -> bool:
        """Whether both were adapted alike and might think as long."""
        return asked(self.settings) == asked(other.settings)


@dataclass(frozen=True)
class Pending:
    """A run that the study asks for and that has no result yet."""

    model: str
    benchmark: str
    state: str  # the job's state: queued, running, failed…


@dataclass(frozen=True)
class Fluency:
    """What human raters said of one model in one closed round: mean of 1–5 with its interval."""

    round: str
    model: str
    base: str
    arm: str
    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Preference:
    """Which of two models raters preferred in one closed round. `share_b` counts a tie as one half."""

    round: str
    model_a: str
    model_b: str
    share_b: float
    low: float
    high: float
    n: int
