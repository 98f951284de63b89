"""Pairs of a model's own answers, right before wrong: the kind of job. What it does is in `_pairs.py`."""

from __future__ import annotations

from lab.core.task import Task
from lab.training.preference_specs import PairsSpec

TASK = Task(
    kind="pairs",
    spec=PairsSpec,
    run="lab.training._pairs:sample_pairs",
    summary="Sample answers of a model and pair a right one with a wrong one, for DPO.",
    resumes=True,
    warm=True,
)
