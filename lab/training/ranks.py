"""Which of several training processes this one is, as torchrun and accelerate write it into the environment.

A process that runs alone is the first of one. Starting the processes is the launcher's business, not this file's.
"""

from __future__ import annotations

import os

from lab.core.errors import LabError


class StartAgain(Exception):
    """One of several ranks ran out of memory and has written down a smaller micro-batch: all of them must start anew.

    It cannot go on by itself, because the others wait for it inside a collective.
    """


def world_size() -> int:
    """How many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """0 for the one that reports, saves and decides what is kept."""
    return int(os.environ.get("RANK", "0")) if world_size() > 1 else 0


def is_first() -> bool:
    return rank() == 0


def check_world(n_asked: int) -> None:
    """A step over fewer processes than the spec says would be a smaller step."""
    if world_size() != n_asked:
        raise LabError(f"the spec asks for {n_asked} processes and this is one of {world_size()}: start it as a job, "
                       f"or set gpus to {world_size()}", "spec")
