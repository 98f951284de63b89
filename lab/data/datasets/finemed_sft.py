"""finemed-sft: instructions made from medical web texts, with direct answers; by department; and the thinking part.

hongzhouyu/FineMed-SFT (FineMedLM-o1, arXiv 2501.09213; 731,992 rows in all folders together, MIT). A row, shortened:

    {"text": "Currently accepted at: JMIR …", "instruction": "What are the key differences in …", "complexity": 9,
     "quality": 9, "language": "en", "response": "…", "instruction_type": "…"}

The repository has one folder per first-level department and one with the complex instructions (complexity above 8) that
QwQ-32B-Preview answered in two sections, Thought and Summarization: the cold start. A row names no department, so the
departments are folders here; Endocrinology, of the second level, is found by its file name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lab.core.types import Example
from lab.data.dataset import Dataset, Record, text
from lab.data.hub import HubSource
from lab.data.normalise import split_reply
from lab.data.pair_rows import digest
from lab.data.short_answer import short_answer

SIMPLE = 8  # instructions up to this complexity were answered directly ('common'), those above with thinking


def read(record: Record, subject: str = "", cold_start: bool = False) -> Example | str:
    """One row as an example, or why not. `cold_start` takes only complex instructions answered with thinking."""
    question = text(record, "instruction")
    if not question:
        return "no question"
    if cold_start and not _is_complex(record.get("complexity")):
        return f"complexity {SIMPLE} or less"
    reply = split_reply(text(record, "response"))
    if reply.fault:
        return reply.fault
    if cold_start and reply.trace is None:
        return "no trace"
    return Example(
        id=f"finemed-{digest(question)}", question=question, trace=reply.trace, answer=reply.answer,
        gold=short_answer(reply.answer), subject=subject, source="FineMed-SFT",
    )


def _is_complex(complexity: object) -> bool:
    try:
        return float(str(complexity)) > SIMPLE
    except ValueError:
        return False


def reader(subject: str = "", cold_start: bool = False) -> Callable[[Record], Example | str]:
    return lambda record: read(record, subject, cold_start)


def _folder(*patterns: str) -> HubSource:
    return HubSource("hongzhouyu/FineMed-SFT", patterns, ("instruction", "response", "complexity"))


DATASET = Dataset(
    name="finemed-sft",
    title="FineMed-SFT, all medicine",
    description="Medical instructions of every department with direct answers: stage 1 of FineMedLM.",
    source="hongzhouyu/FineMed-SFT (Medicine (all))",
    license="mit",
    hub=_folder("Medicine (all)/*.jsonl"),
    row=read,
    citation="Yu et al., FineMedLM-o1, arXiv 2501.09213",
    revision_note="no full commit hash of this repository is on record here (short: 98d54c5); 'main', the folder names "
                  "and the schema check stand in for it",
    has_traces=False,
)
VARIANTS = (
    replace(DATASET, load=None, name="finemed-internal-medicine", title="FineMed-SFT, internal medicine",
            source="hongzhouyu/FineMed-SFT (InternalMedicine)", hub=_folder("InternalMedicine/*.jsonl"),
            row=reader("internal medicine"),
            description="FineMed-SFT of the department of internal medicine: stage 2 of FineMedLM."),
    replace(DATASET, load=None, name="finemed-endocrinology", title="FineMed-SFT, endocrinology",
            source="hongzhouyu/FineMed-SFT (InternalMedicine, endocrinology)", n_rows=11_477,
            hub=_folder("InternalMedicine/*[eE]ndocrinology*.jsonl"), row=reader("endocrinology"),
            description="FineMed-SFT of endocrinology: stage 3 of FineMedLM.",
            revision_note=DATASET.revision_note + "; the file is found by 'endocrinology' in its name"),
    replace(DATASET, load=None, name="finemed-cold-start", title="FineMed-SFT, cold start",
            source="hongzhouyu/FineMed-SFT (SFTo1Data)", hub=_folder("SFTo1Data/*.jsonl"),
            row=reader(cold_start=True), has_traces=True,
            description="Complex instructions (complexity above 8) answered by QwQ-32B-Preview with its thinking."),
)
