"""Complex chains of thought of verifiable problems, as a job (HuatuoGPT-o1). No torch here; listing tasks imports this.

The job leaves complex.jsonl and dropped.jsonl; with `ablation` also complex-matched.jsonl, simple.jsonl and
direct.jsonl, which hold the same problems, all verified.
"""

from __future__ import annotations

from lab.core.task import Needs, Task
from lab.synthesis.leaving import needs_of
from lab.synthesis.specs import ReasoningSpec


def roles_of(spec: ReasoningSpec) -> dict[str, str]:
    """Whom a job asks: role → model as the spec names it, or 'rule', which is nobody."""
    return {"teacher": spec.teacher, "verifier": spec.verifier or spec.teacher}


def needs(spec: ReasoningSpec) -> Needs:
    return needs_of(roles_of(spec).values())


TASK = Task(
    kind="reasoning",
    spec=ReasoningSpec,
    run="lab.synthesis._reasoning:make_reasoning",
    summary="Search verified chains of thought for problems with a short true answer (HuatuoGPT-o1).",
    needs=needs,
    resumes=True,
)
