"""Errors a person is meant to read.

A `LabError` says what is wrong with the value, where, and what to do; it is shown as it is. Anything else that
escapes is a bug: its traceback goes to the job's log and the page shows one plain sentence.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

Reason = Literal[
    "spec", "data", "disk", "memory", "dependency", "killed", "cancelled", "lost", "cluster", "endpoint", "bug"
]


class LabError(Exception):
    """A sentence for the user. `reason` is stored with a failed job and decides what the page advises."""

    reason: Reason = "data"

    def __init__(self, message: str, reason: Reason | None = None):
        super().__init__(message)
        if reason is not None:
            self.reason = reason


@dataclass(frozen=True)
class Fault:
    """One wrong field of a spec: where, what was given, and what would be right."""

    field: str
    message: str
    value: object = None

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class SpecError(LabError):
    """All faults of one spec at once (exit code 2 on the command line)."""

    reason: Reason = "spec"

    def __init__(self, faults: Iterable[Fault], what: str = "spec"):
        self.faults = tuple(faults)
        count = len(self.faults)
        lines = "\n".join(f"  {fault}" for fault in self.faults)
        super().__init__(f"{what}: {count} fault{'' if count == 1 else 's'}\n{lines}")


class UnknownName(LabError):
    """A name that is not registered; suggests the nearest one and lists what there is."""

    reason: Reason = "spec"

    def __init__(self, what: str, name: str, known: Iterable[str]):
        self.what, self.name, self.known = what, name, tuple(sorted(known))
        super().__init__(f"unknown {what} '{name}'. {nearest(name, self.known)}")


def nearest(name: str, known: Iterable[str]) -> str:
    """'Did you mean x? Known: …' for a mistyped name."""
    known = sorted(known)
    matches = get_close_matches(str(name), known, n=1, cutoff=0.5)
    hint = f"Did you mean '{matches[0]}'? " if matches else ""
    return f"{hint}Known: {', '.join(known) or 'none'}."
