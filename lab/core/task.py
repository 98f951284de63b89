"""Task: the function that carries a Spec out, given a Context.

`run` is named as 'module:function' so that listing tasks never imports torch; the runner loads it in the job's process.
A task returns a JSON-ready dict of its result, which is stored as `result.json` in the job's folder.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lab.core.spec import Spec


@dataclass(frozen=True)
class Task:
    """One kind of job. `slots` 0: runs beside the queue (an interactive service), 1: takes one compute slot."""

    kind: str
    spec: type[Spec]
    run: str  # 'package.module:function', called as function(spec, context) -> dict
    summary: str
    slots: int = 1

    def load(self) -> Callable[..., dict[str, Any]]:
        module, _, name = self.run.partition(":")
        return getattr(importlib.import_module(module), name)
