"""codecarbon's tables for the lab's processes: asked once for each question, in a short process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import lab
from lab.core.errors import LabError

PATIENCE_S = 120.0
ROOT = Path(lab.__file__).parent.parent


@dataclass(frozen=True)
class Known:
    """Watts and grams. A CPU that codecarbon does not know has None; `watts_per_thread` is its constant for those."""

    cpu_watts: dict[str, float | None]  # of one package, by model name
    watts_per_thread: float
    memory_watts: dict[float, float]  # of a machine's whole memory, by its GiB
    country_name: str | None
    year: int | None  # of the country's figure
    g_per_kwh: float | None  # of the country's grid
    world_g_per_kwh: float
    world_low: float  # the 5th and 95th percentile of all countries
    world_high: float


def look_up(cpu_models: Iterable[str], memory_gib: Iterable[float], country: str) -> Known:
    """Raises LabError when codecarbon cannot be asked."""
    sizes = sorted({round(gib, 1) for gib in memory_gib})
    question = json.dumps({"cpu_models": sorted(set(cpu_models)), "memory_gib": sizes, "country": country})
    told = dict(_ask(question))
    return Known(**{**told, "memory_watts": dict(zip(sizes, told["memory_watts"], strict=True))})


@lru_cache(maxsize=64)
def _ask(question: str) -> dict[str, Any]:
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    try:
        done = subprocess.run(
            [sys.executable, "-m", "lab.energy._codecarbon", question], capture_output=True, text=True,
            timeout=PATIENCE_S, stdin=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": path},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabError(f"codecarbon could not be asked: {error}", "dependency") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"it ended with code {done.returncode}"])[-1]
        raise LabError(f"codecarbon could not be asked: {last}. Install it: pip install -r requirements.txt",
                       "dependency")
    return json.loads(done.stdout)
