"""medthoughts-8k: MedQA (US, train, five options) with the traces of DeepSeek-R1 where it answers right.

hw-hwei/MedThoughts-8K; GPT-4o-mini compared R1's answers with the key and 7,716 stayed. A row, shortened:

    {"question_id": "…", "question": "A 68-year-old …", "options": {"A": "…", "B": "…", …}, "answer_idx": "C",
     "ds_answer": "**Answer: C** …", "ds_think": "Okay, let's …", "source": "MedQA/US/train"}

The licence is GPL-3.0: weights trained on it may have to be published under terms that respect it; ask before you do.
"""

from __future__ import annotations

from lab.core.types import Example
from lab.data.columns import lettered
from lab.data.dataset import Dataset, Record, text
from lab.data.hub import HubSource
from lab.data.normalise import split_reply
from lab.data.pair_rows import digest


def read(record: Record) -> Example | str:
    """One row as an example, or why not."""
    question, letter, thinking = (text(record, name) for name in ("question", "answer_idx", "ds_think"))
    if not question:
        return "no question"
    options = lettered(record.get("options"))
    if isinstance(options, str):
        return options
    if letter not in options:
        return "the gold answer is none of the options"
    if not thinking:
        return "no trace"
    reply = split_reply(text(record, "ds_answer"), thinking)
    return reply.fault or Example(
        id=f"medthoughts-{record.get('question_id') or digest(question)}", question=question, options=options,
        trace=reply.trace, answer=reply.answer, gold=letter, verifier="choice",
        source=text(record, "source") or "MedThoughts-8K",
    )


DATASET = Dataset(
    name="medthoughts-8k",
    title="MedThoughts-8K",
    description="7,716 MedQA training questions with options, answered correctly by DeepSeek-R1, with its traces.",
    source="hw-hwei/MedThoughts-8K",
    license="gpl-3.0",
    hub=HubSource("hw-hwei/MedThoughts-8K", ("MedThoughts-8K.jsonl",),
                  ("question", "options", "answer_idx", "ds_answer", "ds_think"),
                  revision="37eaef2ab52a297baec54e3b4a1804e38cc62293"),
    row=read,
    n_rows=7716,
    citation="hw-hwei, MedThoughts-8K (2025), https://huggingface.co/datasets/hw-hwei/MedThoughts-8K",
)
