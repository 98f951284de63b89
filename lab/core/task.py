"""Task: the function that carries a Spec out, given a Context.

`run` is named as 'module:function' so that listing tasks never imports torch; the runner loads it in the job's process.
A task returns a JSON-ready dict of its result, which is stored as `result.json` in the job's folder.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from lab.core.spec import Spec

Lane = Literal["work", "chat"]


@dataclass(frozen=True)
class Needs:
    """What a job must hold while it runs.

    `devices`: GPUs where the machine has some, CPU slots otherwise. `memory_mib`: estimated use of each device's
    memory, 0 when unknown. `lane`: on a machine without GPUs, interactive services hold slots of their own ("chat"),
    so that a question need not wait for a grid of trainings.
    """

    devices: int = 1
    memory_mib: int = 0
    lane: Lane = "work"


@dataclass(frozen=True)
class Task:
    """One kind of job."""

    kind: str
    spec: type[Spec]
    run: str  # 'package.module:function', called as function(spec, context) -> dict
    summary: str
    needs: Callable[[Any], Needs] = lambda spec: Needs()
    resumes: bool = False  # goes on from its last whole checkpoint when it is started again
    warm: bool = False  # imports torch: is forked from the warm launcher where there is one

    def load(self) -> Callable[..., dict[str, Any]]:
        module, _, name = self.run.partition(":")
        return getattr(importlib.import_module(module), name)
