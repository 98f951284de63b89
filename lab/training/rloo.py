"""RLOO: the kind of job. What it does is in `_grpo.py`, which is the file that loads torch."""

from __future__ import annotations

from lab.core.task import Task
from lab.training.grpo_specs import RlooSpec, needs

TASK = Task(
    kind="rloo",
    spec=RlooSpec,
    run="lab.training._grpo:train_rloo",
    summary="Reward what beats the other answers to the same question (RLOO), with a verifier's reward.",
    needs=needs,
    resumes=True,
    warm=True,
)
