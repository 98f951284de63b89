"""Runs made by hand: right and wrong written out, so that every figure of a report can be checked on paper."""

from __future__ import annotations

from lab.reports.records import ModelRun, Sample

SETTINGS = {"max_new_tokens": 128, "temperature": 0.0, "seed": 0}


def made_run(arm: str, verdicts: str, **changes: object) -> ModelRun:
    """One character a question: 1 right, 0 wrong, u wrong and unparsed, t wrong, cut and unparsed."""
    samples = tuple(
        Sample(f"q{i}", mark == "1", parsed=mark in "10", truncated=mark == "t", n_tokens=10 * (i + 1))
        for i, mark in enumerate(verdicts)
    )
    values = {
        "model": arm, "base": "demo-llama", "arm": arm, "benchmark": "medical", "benchmark_version": "1",
        "samples": samples, "dataset": "" if arm == "base" else "demo-medical",
        "seed": None if arm == "base" else 0, "settings": SETTINGS, "seconds": 2.0,
    }
    return ModelRun(**(values | changes))
