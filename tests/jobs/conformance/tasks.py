"""A task of several processes that is small enough for a test: each step is one sum over all of them."""

from __future__ import annotations

import json
import os
import time
from typing import ClassVar

from pydantic import Field

from lab.core.context import Context, Stopped
from lab.core.spec import Spec
from lab.core.task import Needs, Task


class MeetSpec(Spec):
    kind: ClassVar[str] = "meet"
    gpus: int = Field(2, ge=1, description="Processes.")
    steps: int = Field(5, ge=1, description="Sums.")
    pause_s: float = Field(0.0, ge=0, description="Seconds between steps.")


def meet(spec: MeetSpec, context: Context) -> dict:
    """All ranks agree on the step at which they stop, as a trainer's do; the first one saves and reports."""
    import torch.distributed as group

    group.init_process_group("gloo")
    rank, world = group.get_rank(), group.get_world_size()
    whole = context.checkpoints.last_whole()
    begun, total = (whole.step, json.loads((whole.folder / "sum.json").read_text())) if whole else (0, 0)
    context.rewind(begun - 1)
    for step in range(begun, spec.steps):
        met, stops = _sum(rank + 1, context.stop_requested())
        if stops:
            if rank == 0:
                context.checkpoints.path(step).mkdir(parents=True)
                (context.checkpoints.path(step) / "sum.json").write_text(json.dumps(total))
                context.checkpoints.seal(step)
            group.barrier()
            raise Stopped(f"saved at step {step}")
        total += met
        context.metric(step, met=met)
        context.progress(step + 1, spec.steps)
        time.sleep(spec.pause_s)
    nodes = [None] * world
    group.all_gather_object(nodes, os.environ.get("SLURMD_NODENAME", "here"))
    return {"world": world, "sum": total, "nodes": nodes, "begun_at": begun}


def _sum(number: int, stops: bool) -> tuple[int, bool]:
    """One all_reduce over gloo: of the numbers, and of who wants to stop."""
    import torch
    import torch.distributed as group

    both = torch.tensor([number, int(stops)])  # (2,)
    group.all_reduce(both)
    return int(both[0]), bool(both[1])


TASKS = [Task("meet", MeetSpec, "tests.jobs.conformance.tasks:meet", "Sums over its processes.", resumes=True,
              needs=lambda spec: Needs(devices=spec.gpus))]
