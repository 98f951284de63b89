"""Memory of a run that compares itself with its start: as other training, and a second model where one is read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lab.bases.cards import bases
from lab.core.task import Needs
from lab.training import memory


def needs(spec: Any, rows_per_pass: int, reads_again: bool) -> Needs:
    """`rows_per_pass`: sequences of one forward pass. `reads_again`: the reference is whole weights of its own; with an
    adapter it is a copy of the adapter, or none."""
    found = memory.needs(spec.model_copy(update={"micro_batch_size": rows_per_pass}))
    if not reads_again or not found.memory_mib:
        return found
    again = bases()[spec.base].parameters * memory.MASTER // memory.MIB
    return replace(found, memory_mib=found.memory_mib + again)
