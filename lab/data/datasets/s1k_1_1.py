"""s1K-1.1: 1,000 hard questions with the traces of DeepSeek-R1 (and of Gemini), chosen for difficulty and spread.

simplescaling/s1K-1.1; s1: Simple test-time scaling (arXiv 2501.19393). A row, shortened:

    {"question": "Find the last three digits of …", "solution": "170", "cot_type": "math", "source_type": "qq8933/…",
     "deepseek_thinking_trajectory": "Okay, so I need …", "deepseek_attempt": "… \\boxed{170}", "deepseek_grade": "Yes",
     "deepseek_grade_reason": "…", "gemini_thinking_trajectory": "…", "gemini_attempt": "…", "gemini_grade": "No", …}

An answer is a worked explanation: without its trace it still teaches a short chain of thought. The grades are
Claude 3.5 Sonnet's; it found 630 of R1's and 536 of Gemini's answers right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lab.core.types import Example
from lab.data.dataset import Dataset, Record, text
from lab.data.hub import HubSource
from lab.data.normalise import split_reply
from lab.data.pair_rows import digest
from lab.data.short_answer import short_answer, verifier_of


def read(record: Record, model: str = "deepseek", only_correct: bool = False) -> Example | str:
    """One row as an example with the trace of `model` ('deepseek' or 'gemini'), or why not."""
    question, thinking = text(record, "question"), text(record, f"{model}_thinking_trajectory")
    if not question:
        return "no question"
    if not thinking:
        return "no trace"
    if only_correct and text(record, f"{model}_grade").lower() != "yes":
        return "not graded correct"
    reply = split_reply(text(record, f"{model}_attempt"), thinking)
    if reply.fault:
        return reply.fault
    gold = short_answer(text(record, "solution") or reply.answer)
    return Example(
        id=f"s1k-{digest(question)}", question=question, trace=reply.trace, answer=reply.answer, gold=gold,
        verifier=verifier_of(gold), subject=text(record, "cot_type"), source=text(record, "source_type") or "s1K-1.1",
    )


def reader(model: str, only_correct: bool) -> Callable[[Record], Example | str]:
    return lambda record: read(record, model, only_correct)


def columns(model: str) -> tuple[str, ...]:
    return ("question", "solution", f"{model}_thinking_trajectory", f"{model}_attempt", f"{model}_grade")


DATASET = Dataset(
    name="s1k-1.1",
    title="s1K-1.1",
    description="1,000 hard questions of mathematics and science with DeepSeek-R1's traces, right or wrong.",
    source="simplescaling/s1K-1.1",
    license="mit",
    hub=HubSource("simplescaling/s1K-1.1", ("data/train-*.parquet",), columns("deepseek"),
                  revision="96c411f1fe4c49d20f0e2a1565f61e1a28b0b84d"),
    row=read,
    n_rows=1000,
    citation="Muennighoff et al., s1: Simple test-time scaling, arXiv 2501.19393",
)
VARIANTS = (
    replace(DATASET, load=None, name="s1k-1.1-correct", title="s1K-1.1, correct only", row=reader("deepseek", True),
            n_rows=630, description="The 630 questions of s1K-1.1 whose DeepSeek-R1 answer was graded correct."),
    replace(DATASET, load=None, name="s1k-1.1-gemini", title="s1K-1.1, Gemini's traces", row=reader("gemini", False),
            hub=replace(DATASET.hub, columns=columns("gemini")),
            description="The questions of s1K-1.1 with the traces of Gemini 2.0 Flash Thinking."),
)
