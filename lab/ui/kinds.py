"""Kinds of work in the words of the page."""

from __future__ import annotations

KIND_WORDS = {
    "sft": "supervised training", "dpo": "preference training (DPO)", "ppo": "reinforcement learning (PPO)",
    "grpo": "reinforcement learning (GRPO)", "rloo": "reinforcement learning (RLOO)", "pairs": "preference pairs",
    "answers": "answer bank", "suite": "benchmarks of several models", "judge": "a model that judges answers",
    "engine": "chat engine", "problems": "synthesis: verifiable problems", "reasoning": "synthesis: complex reasoning",
    "instructions": "synthesis: graded instructions", "map": "map of a dataset",
}


def kind_words(kind: str) -> str:
    """'preference training (DPO)'; a kind without words of its own is its own word."""
    return KIND_WORDS.get(kind, kind)
