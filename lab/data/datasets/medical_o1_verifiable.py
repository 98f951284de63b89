"""medical-o1-verifiable: the problems of HuatuoGPT-o1 for reinforcement learning: a question and a short true answer.

FreedomIntelligence/medical-o1-verifiable-problem (arXiv 2412.18925, section 2.1): exam questions of MedQA and MedMCQA
(train) that three models do not solve, restated without options by GPT-4o. A row, shortened:

    {"Open-ended Verifiable Question": "An 88-year-old woman …", "Ground-True Answer": "Chronic subdural hematoma"}

There is no trace. The paper checks answers with a trained verifier: exact match agrees with people in 70.5 per cent of
cases, its 3B verifier in 94.0. Here the rule of `lab.verify.mention` reads the reply.
"""

from __future__ import annotations

from lab.core.types import Example
from lab.data.dataset import Dataset, Record, text
from lab.data.hub import HubSource
from lab.data.pair_rows import digest

QUESTION, ANSWER = "Open-ended Verifiable Question", "Ground-True Answer"


def read(record: Record) -> Example | str:
    """One row as an example without a trace, or why not."""
    question, gold = (text(record, name) for name in (QUESTION, ANSWER))
    if not question or not gold:
        return "no answer" if question else "no question"
    return Example(id=f"o1-problem-{digest(question)}", question=question, answer=gold, gold=gold,
                   verifier="mention", source="medical-o1-verifiable-problem")


DATASET = Dataset(
    name="medical-o1-verifiable",
    title="medical-o1-verifiable-problem",
    description="About 40,600 open medical questions with one short true answer, for reinforcement learning.",
    source="FreedomIntelligence/medical-o1-verifiable-problem",
    license="apache-2.0",
    hub=HubSource("FreedomIntelligence/medical-o1-verifiable-problem", ("medical_o1_verifiable_problem.json",),
                  (QUESTION, ANSWER), revision="46d5175eb74fdef3516d51d52e8c40db04bbdf35"),
    row=read,
    n_rows=40_600,
    citation="Chen et al., HuatuoGPT-o1, Towards Medical Complex Reasoning with LLMs, arXiv 2412.18925",
    has_traces=False,
)
