"""Verifiable problems of exam questions, as a job (HuatuoGPT-o1). No torch here; listing tasks imports this file.

The job leaves problems-sft.jsonl and problems-rl.jsonl, two halves by the hash of the exam question, and dropped.jsonl.
"""

from __future__ import annotations

from lab.core.task import Needs, Task
from lab.synthesis.leaving import needs_of
from lab.synthesis.specs import ProblemsSpec


def roles_of(spec: ProblemsSpec) -> dict[str, str]:
    """Whom a job asks: role → model as the spec names it."""
    return {"teacher": spec.teacher} | {f"solver:{place}": ref for place, ref in enumerate(spec.solvers)}


def needs(spec: ProblemsSpec) -> Needs:
    return needs_of(roles_of(spec).values())


TASK = Task(
    kind="problems",
    spec=ProblemsSpec,
    run="lab.synthesis._problems:make_problems",
    summary="Make verifiable problems of exam questions: filter, restate, decontaminate (HuatuoGPT-o1).",
    needs=needs,
    resumes=True,
)
