"""A process to kill: `python -m tests.synthesis.killed_drive FOLDER URL N` drives N items, as a job's process would."""

from __future__ import annotations

import sys
from pathlib import Path

from lab.core.context import MemoryContext
from lab.synthesis.driving import Driven, drive
from lab.synthesis.teachers import open_roster
from tests.synthesis.endpoint import Endpoint
from tests.synthesis.steps import Steps, items_of, spec_of


def attempt(folder: Path, url: str, n: int) -> Driven:
    spec = spec_of()
    context = MemoryContext(folder / "job", models={"remote:big": Endpoint().source(url)})
    with open_roster({"teacher": spec.teacher}, spec, context) as roster:
        return drive(Steps(), items_of(n), roster, spec, context)


if __name__ == "__main__":
    attempt(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
