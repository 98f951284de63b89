"""What every measurement is given, and how its figures of single texts become one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

DATA = "data: a list of texts."


def summed(name: str, values: Sequence[float | None]) -> dict[str, Any]:
    """The mean over the texts that have a value, how many have one, and all of them in order (None: it has none)."""
    known = [value for value in values if value is not None]
    mean = sum(known) / len(known) if known else float("nan")
    return {f"mean_{name}": mean, f"{name}_n": len(known), name: list(values)}
