"""Every kind of work that can be submitted: the tasks of the rooms below, and what expands into several of them."""

from __future__ import annotations

import importlib
import os
from functools import cache

from lab.core.registry import Registry, discover
from lab.core.spec import Spec
from lab.core.task import Task
from lab.studies.curriculum import CurriculumSpec
from lab.studies.spec import StudySpec

ROOMS = ("lab.training", "lab.benchmarks", "lab.rating", "lab.synthesis", "lab.engine")


@cache
def tasks() -> Registry[Task]:
    """Every task by kind. LAB_EXTRA_TASKS names more modules, comma-separated, each with a TASK or a TASKS list."""
    found: Registry[Task] = Registry("kind of job")
    for room in ROOMS:
        for _, task in discover(room, "TASK"):
            found.add(task.kind, task)
    for name in filter(None, os.environ.get("LAB_EXTRA_TASKS", "").split(",")):
        module = importlib.import_module(name.strip())
        for task in getattr(module, "TASKS", None) or [module.TASK]:
            found.add(task.kind, task)
    return found


@cache
def specs() -> Registry[type[Spec]]:
    """What a recipe's `kind` may be."""
    found: Registry[type[Spec]] = Registry("kind", {kind: task.spec for kind, task in tasks().items()})
    found.add(StudySpec.kind, StudySpec)
    found.add(CurriculumSpec.kind, CurriculumSpec)
    return found
