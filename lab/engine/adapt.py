"""Test-time training: what a model is adapted to before it answers, and what came of it. No torch here.

FineMedLM-o1 (arXiv 2501.09213, section 3.4; TTT/TTT.py): the nearest reasoning example of a question is retrieved, the
model takes a step on it, answers, and is restored.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lab.core.types import Plain


class Adaptation(Plain):
    """How a model is adapted to each question, or one of the three controls."""

    mode: Literal["none", "nearest", "random", "context"] = Field(
        "none", description="nearest: train on the nearest examples; random: on random ones (a control); "
        "context: show the nearest in the prompt instead of training (a control)."
    )
    dataset: str = Field("", description="Where the examples come from: a dataset, as training names it.")
    neighbours: int = Field(1, ge=1, le=16, description="Examples per question.")
    scope: Literal["lora", "full"] = Field("lora", description="An ephemeral LoRA, or every weight as in the paper.")
    steps: int = Field(1, ge=1, le=100, description="Optimiser steps per question.")
    learning_rate: float = Field(1e-3, gt=0, le=1, description="Of Adam; the paper's full-parameter step has 1e-5.")
    rank: int = Field(8, ge=1, le=256, description="Of the ephemeral LoRA.")
    loss_on: Literal["completion", "all"] = Field("completion", description="The reply, or every token (the paper).")
    embedder: str = Field("tfidf", description="'tfidf', or a sentence encoder: a local folder or a hub id.")
    pooling: Literal["cls", "mean"] = Field("cls", description="Of an encoder: cls and cosine, or mean and L2 (paper).")
    seed: int = Field(0, ge=0, description="Of the random examples and of the LoRA's start.")


class Neighbour(Plain):
    """A retrieved example."""

    id: str
    dataset: str
    question: str
    reply: str  # what the model was trained on or shown
    similarity: float


class AdaptationReport(Plain):
    """What a model was adapted to, and proof that nothing of it stayed."""

    mode: str
    neighbours: tuple[Neighbour, ...]
    n_excluded: int = 0  # near-duplicates of the question itself, never used
    loss_before: float | None = None
    loss_after: float | None = None
    seconds: float = 0.0
    scope: str = ""  # lora or full, where it was trained
    changed_frac: float | None = None  # of all weights, by training in full: a small step may round to nothing
    weights_sha256: str = ""  # of the shared weights, the same before and after
    proof: str = ""  # how 'after' was seen: sha256, or checksum (large models between two hashes); "": not yet dropped
