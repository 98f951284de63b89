"""GRPO: the kind of job. What it does is in `_grpo.py`, which is the file that loads torch."""

from __future__ import annotations

from lab.core.task import Task
from lab.training.grpo_specs import GrpoSpec, needs

TASK = Task(
    kind="grpo",
    spec=GrpoSpec,
    run="lab.training._grpo:train_grpo",
    summary="Compare the sampled answers to a question with each other (GRPO), with a verifier's reward.",
    needs=needs,
    resumes=True,
    warm=True,
)
