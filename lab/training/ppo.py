"""Proximal policy optimisation: the kind of job. What it does is in `_ppo.py`, which is the file that loads torch."""

from __future__ import annotations

from lab.core.task import Task
from lab.training.memory import needs
from lab.training.rl_specs import PpoSpec

TASK = Task(
    kind="ppo",
    spec=PpoSpec,
    run="lab.training._ppo:train_ppo",
    summary="Reinforce answers that a verifier calls right: PPO with a value head and a KL penalty, as HuatuoGPT-o1.",
    needs=needs,
    resumes=True,
    warm=True,
)
