"""Instructions: texts become graded, classified instructions with answers, and preference pairs (FineMedLM-o1).

The job leaves sft.jsonl (common and complex rows), pairs.jsonl (of the complex ones) and dropped.jsonl. No torch here.
"""

from __future__ import annotations

from lab.core.task import Needs, Task
from lab.synthesis.leaving import needs_of
from lab.synthesis.specs import InstructionsSpec


def roles_of(spec: InstructionsSpec) -> dict[str, str]:
    """Whom a job asks: role → model as the spec names it, "" where nobody has the role."""
    return {"teacher": spec.teacher, "thinker": spec.thinker, "judge": spec.judge}


def needs(spec: InstructionsSpec) -> Needs:
    return needs_of(roles_of(spec).values())


TASK = Task(
    kind="instructions",
    spec=InstructionsSpec,
    run="lab.synthesis._instructions:make_instructions",
    summary="Make graded instructions and preference pairs of texts, with a teacher (FineMedLM-o1).",
    needs=needs,
    resumes=True,
)
