"""Supervised fine-tuning: the kind of job. What it does is in `_trl.py`, which is the file that loads torch."""

from __future__ import annotations

from lab.core.task import Task
from lab.training.memory import needs
from lab.training.specs import SftSpec

TASK = Task(
    kind="sft",
    spec=SftSpec,
    run="lab.training._trl:train_sft",
    summary="Fine-tune a base on one dataset, with or without its reasoning traces.",
    needs=needs,
    resumes=True,
    warm=True,
)
