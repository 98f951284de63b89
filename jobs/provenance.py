"""With what a job ran: code revision, package versions, machine; and what of it is different now."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from lab.data.jsonl import resolve_dataset

import lab
from lab.bases.cards import bases
from lab.core.errors import LabError
from lab.data.dataset import fingerprint
from storage.tables import Job

ROOT = Path(lab.__file__).parent.parent
PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "tokenizers", "numpy", "safetensors")


def provenance() -> dict[str, Any]:
    """Taken by the worker when a job starts."""
    return {"code": code_revision(), "packages": package_versions(), "machine": machine()}


def code_revision() -> dict[str, Any]:
    """{"revision", "dirty"} of the repository; revision None where there is no git (a container, a Space)."""
    revision = _git("rev-parse", "HEAD")
    if revision is None:
        return {"revision": os.environ.get("LAB_REVISION"), "dirty": None}
    return {"revision": revision, "dirty": bool(_git("status", "--porcelain", "--untracked-files=no"))}


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


@cache
def package_versions() -> dict[str, str]:
    """Read from the installed metadata; nothing is imported."""
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


@cache
def machine() -> dict[str, Any]:
    return {
        "host": platform.node(), "system": f"{platform.system()} {platform.release()}", "cpu": platform.machine(),
        "cores": cores(), "memory_gib": memory_gib(), "gpus": gpu_names(),
    }


def cores() -> int:
    """Cores this process may use, which in a container is less than the machine has."""
    return len(os.sched_getaffinity(0))


def memory_gib() -> float:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)


@cache
def gpu_names() -> list[str]:
    """What nvidia-smi lists; empty without a driver."""
    try:
        query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
        done = subprocess.run(query, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()] if done.returncode == 0 else []


def differences(job: Job) -> list[str]:
    """One sentence for each thing that is not as it was when the job ran; empty when all is the same."""
    then, found = job.provenance, []
    if not then:
        return ["The job never started, so there is nothing to compare with."]
    present = provenance()
    for group in ("code", "packages", "machine"):
        before, after = then.get(group, {}), present[group]
        for name in sorted({*before, *after}):
            if before.get(name) != after.get(name):
                found.append(f"{group} {name}: was {before.get(name)}, is {after.get(name)}")
    return found + _input_differences((job.result or {}).get("inputs") or {})


def _input_differences(inputs: dict[str, Any]) -> list[str]:
    found = []
    name, sha = inputs.get("dataset"), inputs.get("dataset_sha256")
    if name and sha:
        try:
            rows = resolve_dataset(name).load()
            if fingerprint(rows) != sha:
                found.append(f"dataset {name}: had {inputs.get('dataset_rows')} rows, has {len(rows)}; contents differ")
        except LabError as error:
            found.append(f"dataset {name}: {error}")
    if inputs.get("base") and inputs["base"] not in bases():
        found.append(f"base {inputs['base']}: is not known any more")
    return found
