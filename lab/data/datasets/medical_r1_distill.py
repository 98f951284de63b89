"""medical-r1-distill: verifiable medical problems with the native traces of DeepSeek-R1.

FreedomIntelligence/Medical-R1-Distill-Data, config en. A row, shortened:

    {"question": "A 45-year-old man …", "reasoning (reasoning_content)": "Okay, so …", "response (content)": "The …"}

The rows carry no short answer, so the gold answer is the whole reply unless it states one.
"""

from __future__ import annotations

from lab.core.types import Example
from lab.data.dataset import Dataset, Record, text
from lab.data.hub import HubSource
from lab.data.normalise import split_reply
from lab.data.pair_rows import digest
from lab.data.short_answer import short_answer

THINKING, REPLY = "reasoning (reasoning_content)", "response (content)"


def read(record: Record) -> Example | str:
    """One row as an example, or why not."""
    question, thinking = text(record, "question"), text(record, THINKING)
    if not question:
        return "no question"
    if not thinking:
        return "no trace"
    reply = split_reply(text(record, REPLY), thinking)
    return reply.fault or Example(
        id=f"r1-distill-{digest(question)}", question=question, trace=reply.trace, answer=reply.answer,
        gold=short_answer(reply.answer), source="Medical-R1-Distill-Data",
    )


DATASET = Dataset(
    name="medical-r1-distill",
    title="Medical-R1-Distill-Data",
    description="22,000 verifiable medical problems answered by DeepSeek-R1, with its traces.",
    source="FreedomIntelligence/Medical-R1-Distill-Data",
    license="apache-2.0",
    hub=HubSource("FreedomIntelligence/Medical-R1-Distill-Data", ("medical_r1_distill_sft.json",),
                  ("question", THINKING, REPLY), revision="17b09da0329fcd8b8d4f7d2d7f4885ebf4e16ee2"),
    row=read,
    n_rows=22_000,
    citation="Chen et al., HuatuoGPT-o1, Towards Medical Complex Reasoning with LLMs, arXiv 2412.18925",
)
