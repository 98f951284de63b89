"""The kinds of training job, and of those that prepare one, by name. No torch: a task's code is loaded when it runs."""

from __future__ import annotations

from functools import cache

from lab.core.registry import Registry, discover
from lab.core.task import Task


@cache
def training_tasks() -> Registry[Task]:
    """Every task of this room by kind: sft, dpo, ppo, grpo, rloo, and pairs, which samples preferences."""
    return Registry("kind of training", {task.kind: task for _, task in discover("lab.training", "TASK")})


def leaves_a_model(kind: str) -> bool:
    """Whether a job of this kind leaves a variant. The others leave data."""
    return "start" in training_tasks()[kind].spec.model_fields
