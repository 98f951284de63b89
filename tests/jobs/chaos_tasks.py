"""The jobs of the chaos test. Each attempt holds its devices and its job alone while it works; if it cannot, it tells.

What they leave under LAB_HOME/chaos is what the test believes: the store could be wrong about itself.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, ClassVar

from pydantic import Field

from jobs.launchers.order import DEVICES
from jobs.processes import MARK
from lab.core.context import Context, Stopped
from lab.core.errors import LabError
from lab.core.spec import Spec
from lab.core.task import Task
from tests.jobs.fake_tasks import ClimbSpec, climb

VIOLATIONS = "violations.txt"


class TalkSpec(Spec):
    """A job without checkpoints: it starts over."""

    kind: ClassVar[str] = "talk"
    steps: int = Field(10, ge=1, description="Metric points.")
    pause_s: float = Field(0.1, ge=0, description="Seconds between steps.")
    fails: bool = Field(False, description="Whether it fails at its end.")
    deaf: bool = Field(False, description="Whether it ignores requests to stop.")


class WarmTalkSpec(TalkSpec):
    kind: ClassVar[str] = "warm-talk"


class AscentSpec(ClimbSpec):
    """`climb`, alone on its devices."""

    kind: ClassVar[str] = "ascent"


class WarmAscentSpec(ClimbSpec):
    kind: ClassVar[str] = "warm-ascent"


def witness_folder(home: Path | str) -> Path:
    return Path(home) / "chaos"


@contextmanager
def alone() -> Iterator[None]:
    """Hold every leased device and the job itself, as a GPU would be held: until the process is gone."""
    folder = witness_folder(os.environ["LAB_HOME"])
    folder.mkdir(exist_ok=True)
    uid, devices = os.environ[MARK], os.environ[DEVICES].split(",")
    with ExitStack() as held:
        for name in (uid, *devices):
            file = held.enter_context((folder / f"{name}.lock").open("a"))
            if not _take(file):
                _tell(folder, f"{uid} (process {os.getpid()}): somebody else works on {name}")
        yield


def _take(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _tell(folder: Path, sentence: str) -> None:
    with (folder / VIOLATIONS).open("a") as file:
        file.write(f"{time.time():.3f} {sentence}\n")


def talk(spec: TalkSpec, context: Context) -> dict:
    with alone():
        for step in range(spec.steps):
            if context.stop_requested() and not spec.deaf:
                raise Stopped
            context.metric(step, height=step)
            context.progress(step + 1, spec.steps, "talking")
            time.sleep(spec.pause_s)
        if spec.fails:
            raise LabError("row 7 of x.jsonl has no answer. Add one.", "data")
        context.save("said.json", {"said": True})
        return {"sum": sum(range(spec.steps))}


def ascend(spec: ClimbSpec, context: Context) -> dict:
    with alone():
        result = climb(spec, context)
        (context.folder / "sum.json").write_text(json.dumps(result["sum"]))
        return result


TALK, ASCEND = "tests.jobs.chaos_tasks:talk", "tests.jobs.chaos_tasks:ascend"
TASKS = [
    Task("talk", TalkSpec, TALK, "Talks, and starts over when it is lost."),
    Task("warm-talk", WarmTalkSpec, TALK, "The same, from the warm launcher.", warm=True),
    Task("ascent", AscentSpec, ASCEND, "Climbs, with checkpoints.", resumes=True),
    Task("warm-ascent", WarmAscentSpec, ASCEND, "The same, from the warm launcher.", resumes=True, warm=True),
]
