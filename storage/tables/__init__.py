"""Every table of the store; importing this module registers them all with SQLModel's metadata."""

from storage.tables.accounts import Account, LoginSession
from storage.tables.benchmarks import BenchmarkRun, BenchmarkSample, BenchmarkScore, SampleReview, SampleScore
from storage.tables.comparisons import Comparison, ComparisonTurn, Endpoint
from storage.tables.datasets import RowReview
from storage.tables.jobs import (
    ENDED,
    STATES,
    Device,
    Job,
    JobDependency,
    JobEvent,
    Metric,
    Setting,
    Worker,
    now,
)
from storage.tables.ratings import (
    Answer,
    AnswerBank,
    Assignment,
    BlindGuess,
    JudgeVote,
    Rater,
    Rating,
    RatingEvent,
    Round,
    TextMeasure,
    Unit,
)
from storage.tables.studies import Study, Variant

__all__ = [
    "ENDED", "STATES", "Account", "Answer", "AnswerBank", "Assignment", "BenchmarkRun", "BenchmarkSample",
    "BenchmarkScore", "BlindGuess", "Comparison", "ComparisonTurn", "Device", "Endpoint", "Job", "JobDependency",
    "JobEvent", "JudgeVote", "LoginSession", "Metric", "Rater", "Rating", "RatingEvent", "Round", "RowReview",
    "SampleReview", "SampleScore", "Setting", "Study", "TextMeasure", "Unit", "Variant", "Worker", "now",
]
