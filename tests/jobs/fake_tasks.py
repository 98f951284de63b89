"""Tiny tasks for tests of the queue: they sleep, echo, fail, and leave what real tasks leave."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from typing import ClassVar, Literal

from pydantic import Field

from lab.core.context import Context, Stopped
from lab.core.errors import LabError
from lab.core.spec import Spec
from lab.core.task import Needs, Task

DEAF_CHILD = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


class EchoSpec(Spec):
    kind: ClassVar[str] = "echo"
    text: str = Field("hello", description="What is said.")
    steps: int = Field(3, ge=1, le=10_000, description="Metric points.")
    pause_s: float = Field(0.0, ge=0, le=60, description="Seconds between steps.")
    nan_at: int = Field(-1, ge=-1, description="Step at which the loss is not a number.")


class FailSpec(Spec):
    kind: ClassVar[str] = "fail"
    how: Literal["lab", "bug", "memory", "disk", "kill", "exit"] = Field("lab", description="How.")


class ClimbSpec(Spec):
    kind: ClassVar[str] = "climb"
    steps: int = Field(10, ge=1, description="How high.")
    pause_s: float = Field(0.0, ge=0, description="Seconds between steps.")
    save_every: int = Field(0, ge=0, description="Steps between two checkpoints; 0: only when asked to stop.")


class DeafSpec(Spec):
    kind: ClassVar[str] = "deaf"
    seconds: float = Field(60, gt=0, description="How long it does not listen.")


class ServiceSpec(Spec):
    kind: ClassVar[str] = "service"
    idle: bool = Field(True, description="Whether nobody asks it anything.")


class UsesSpec(Spec):
    kind: ClassVar[str] = "uses"
    model: str = Field(description="A model of a job.")


def echo(spec: EchoSpec, context: Context) -> dict:
    context.log(f"it says: {spec.text}")
    for step in range(spec.steps):
        if context.stop_requested():
            raise Stopped
        loss = float("nan") if step == spec.nan_at else 1 / (step + 1)
        context.metric(step, loss=loss)
        context.progress(step + 1, spec.steps, "speaking")
        time.sleep(spec.pause_s)
    context.announce(said=spec.text)
    context.save("said.json", {"text": spec.text})
    return {"text": spec.text, "threads": os.environ["OMP_NUM_THREADS"]}


def fail(spec: FailSpec, context: Context) -> dict:
    if spec.how == "lab":
        raise LabError("row 7 of x.jsonl has no answer. Add one.", "data")
    if spec.how == "bug":
        raise ValueError("first line\nsecond line")
    if spec.how == "memory":
        raise MemoryError("cannot allocate")
    if spec.how == "disk":
        raise OSError(errno.ENOSPC, "No space left on device")
    if spec.how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if spec.how == "exit":
        os._exit(5)
    raise AssertionError(spec.how)


def climb(spec: ClimbSpec, context: Context) -> dict:
    """Adds the numbers of its steps up, and goes on from its last whole checkpoint."""
    whole = context.checkpoints.last_whole()
    begun = whole.step if whole else 0
    total = json.loads((whole.folder / "sum.json").read_text()) if whole else 0
    context.rewind(begun - 1)
    context.save("begun.json", {"begun_at": begun})
    for step in range(begun, spec.steps):
        if context.stop_requested():
            _save(context, step, total)
            raise Stopped(f"saved at step {step}")
        if spec.save_every and step and step % spec.save_every == 0:
            _save(context, step, total)
        total += step
        context.metric(step, height=step)
        context.progress(step + 1, spec.steps, "climbing")
        time.sleep(spec.pause_s)
    return {"sum": total, "begun_at": begun}


def _save(context: Context, step: int, total: int) -> None:
    context.checkpoints.path(step).mkdir(parents=True, exist_ok=True)
    (context.checkpoints.path(step) / "sum.json").write_text(json.dumps(total))
    context.checkpoints.seal(step)


def deaf(spec: DeafSpec, context: Context) -> dict:
    """Ignores SIGTERM, with a child that ignores it too and one in a session of its own."""
    children = [
        subprocess.Popen([sys.executable, "-c", DEAF_CHILD]),
        subprocess.Popen([sys.executable, "-c", DEAF_CHILD], start_new_session=True),
    ]
    (context.folder / "pids.json").write_text(json.dumps([child.pid for child in children]))
    context.announce(ready=True)
    time.sleep(spec.seconds)
    return {}


def service(spec: ServiceSpec, context: Context) -> dict:
    context.announce(url="http://127.0.0.1:1", idle=spec.idle)
    while not context.stop_requested():
        if spec.idle and context.yield_requested():
            return {"ended": "gave way"}
        time.sleep(0.05)
    raise Stopped


TASKS = [
    Task("echo", EchoSpec, "tests.jobs.fake_tasks:echo", "Says something."),
    Task("fail", FailSpec, "tests.jobs.fake_tasks:fail", "Fails as told."),
    Task("climb", ClimbSpec, "tests.jobs.fake_tasks:climb", "Adds numbers, with checkpoints.", resumes=True),
    Task("deaf", DeafSpec, "tests.jobs.fake_tasks:deaf", "Does not listen."),
    Task("service", ServiceSpec, "tests.jobs.fake_tasks:service", "Runs beside the queue.",
         needs=lambda spec: Needs(lane="chat")),
    Task("uses", UsesSpec, "tests.jobs.fake_tasks:echo", "Needs the model of another job."),
]
