"""Direct preference optimisation: the kind of job. What it does is in `_dpo.py`, which is the file that loads torch."""

from __future__ import annotations

from lab.core.task import Needs, Task
from lab.training import reference_memory
from lab.training.preference_specs import DpoSpec


def needs(spec: DpoSpec) -> Needs:
    """A row is a pair, so a forward pass holds twice as many sequences."""
    reads_again = spec.method == "full" and not spec.precompute_ref
    return reference_memory.needs(spec, 2 * spec.micro_batch_size, reads_again)


TASK = Task(
    kind="dpo",
    spec=DpoSpec,
    run="lab.training._dpo:train_dpo",
    summary="Prefer one reply to another (DPO), going on from a variant.",
    needs=needs,
    resumes=True,
    warm=True,
)
