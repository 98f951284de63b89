"""With what a job runs: code revision, package versions, machine."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import lab
from lab.core.installed import versions_of

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
    return versions_of(PACKAGES)


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
