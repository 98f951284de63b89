"""An answer bank, as a job: frozen answers of several models, for raters. No torch here."""

from lab.benchmarks.specs import AnswersSpec
from lab.core.task import Task

TASK = Task(
    kind="answers",
    spec=AnswersSpec,
    run="lab.benchmarks._answers:collect_answers",
    summary="Collect the answers of several models to the same questions, for raters to compare.",
    resumes=True,
    warm=True,
)
