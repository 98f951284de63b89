"""What is not as it was when a job ran: code, packages, machine, and the data and weights it read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jobs.provenance import provenance
from lab.bases.cards import bases
from lab.core.errors import LabError
from lab.core.types import Plain
from lab.data.dataset import fingerprint
from lab.data.pairs import resolve_pairs
from lab.data.resolving import resolve_dataset
from lab.training._inputs import weights_sha256
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
    return found + (_input_differences(job.spec, then) if then else [])


def _input_differences(spec: dict[str, Any], then: dict[str, Any]) -> list[str]:
    """What a training job of any kind read, against what is there now."""
    found = []
    try:
        for what in ("dataset", "pairs"):
            if f"{what}_sha256" in then and not str(spec[what]).startswith("job:"):  # what a job left does not change
                found += _row_differences(what, _rows(what, spec), then)
        card = bases()[then["base"]]
        if "base_revision" in then and card.path and weights_sha256(Path(card.location())) != then["base_revision"]:
            found.append(f"base {card.name}: its weights are different")
    except (LabError, OSError) as error:
        found.append(f"inputs: {error}")
    return found


def _rows(what: str, spec: dict[str, Any]) -> list[Plain]:
    rows = resolve_dataset(spec[what]).load() if what == "dataset" else resolve_pairs(spec[what]).read().rows
    return list(rows)[: spec.get("max_rows") or None]


def _row_differences(what: str, rows: list[Plain], then: dict[str, Any]) -> list[str]:
    if fingerprint(rows) == then[f"{what}_sha256"]:
        return []
    counts = f"had {then[f'{what}_rows']} rows, has {len(rows)}"
    return [f"{what} {then[what]}: {counts}; their content differs"]
