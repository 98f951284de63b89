"""What is not as it was when a job ran: code, packages, machine, and the data and weights it read."""

from __future__ import annotations

from typing import Any

from jobs.provenance import provenance
from lab.bases.cards import bases
from lab.core.errors import LabError
from lab.data.jsonl import resolve_dataset
from lab.training._inputs import inputs
from lab.training.specs import SftSpec
from storage.tables import Job


def differences(job: Job) -> list[str]:
    """One sentence for each thing that is different now; empty when all that was recorded is the same."""
    if not job.provenance:
        return ["The job never started, so there is nothing to compare with."]
    found, present = [], provenance()
    for group, now in present.items():
        then = job.provenance.get(group, {})
        for name in sorted({*then, *now}):
            if then.get(name) != now.get(name):
                found.append(f"{group} {name}: was {then.get(name)}, is {now.get(name)}")
    then = (job.result or {}).get("inputs")
    return found + (_input_differences(SftSpec.model_validate(job.spec), then) if then else [])


def _input_differences(spec: SftSpec, then: dict[str, Any]) -> list[str]:
    try:
        rows = resolve_dataset(spec.dataset).load()[: spec.max_rows or None]
        now = inputs(spec, rows, bases()[spec.base], commit=then["base_revision"])
    except (LabError, OSError) as error:
        return [f"inputs: {error}"]
    found = []
    if now["dataset_sha256"] != then["dataset_sha256"]:
        counts = f"had {then['dataset_rows']} rows, has {now['dataset_rows']}"
        found.append(f"dataset {spec.dataset}: {counts}; their content differs")
    if now["base_revision"] != then["base_revision"]:
        found.append(f"base {spec.base}: its weights are different")
    return found
