"""The engine as a job: an interactive service beside the queue. No torch here; listing tasks imports this file."""

from lab.core.task import Task
from lab.engine.memory import needs
from lab.engine.specs import EngineSpec

TASK = Task(
    kind="engine",
    spec=EngineSpec,
    run="lab.engine._server:serve",
    summary="Hold one base in memory and answer for it and its variants, until nobody asks any more.",
    needs=needs,
    warm=True,
)
