"""m23k and m1k: medical multiple choice with DeepSeek-R1 traces that reach the right answer.

UCSC-VLAA/m23k-tokenized and UCSC-VLAA/m1k-tokenized; m1 (arXiv 2504.00869): 192,023 questions, less those a 7B or 32B
model solves, 23,493 that R1 answers correctly, 1,000 of them spread over MeSH domains. A row, shortened:

    {"prompt": "A 23-year-old man … Which is most likely?\\nA. Asthma\\nB. …", "answer_idx": 1, "answer_letter": "B",
     "answer_string": "…", "reasoning": "Okay, let me …", "distilled_answer_string": "… \\boxed{B}", "source": "…",
     "text": "<|im_start|>user …"}

The column `text` is the row rendered for Qwen; it is not used. Lettered options at the end of the prompt become
options of the example, so that every dataset asks its questions in one form.
"""

from __future__ import annotations

import re
from dataclasses import replace

from lab.core.types import Example
from lab.data.dataset import Dataset, Record, text
from lab.data.hub import HubSource
from lab.data.normalise import split_reply
from lab.data.pair_rows import digest

OPTION = re.compile(r"^\(?([A-Z])[.):][ \t]*(\S.*)$")
COLUMNS = ("prompt", "reasoning", "distilled_answer_string", "answer_letter", "answer_string")


def read(record: Record) -> Example | str:
    """One row as an example, or why not."""
    prompt, letter, thinking = (text(record, name) for name in ("prompt", "answer_letter", "reasoning"))
    if not prompt:
        return "no question"
    if not thinking:
        return "no trace"
    reply = split_reply(text(record, "distilled_answer_string"), thinking)
    if reply.fault:
        return reply.fault
    question, options = split_options(prompt)
    known = letter in options
    return Example(
        id=f"m1-{digest(prompt)}", question=question if known else prompt, options=options if known else None,
        trace=reply.trace, answer=reply.answer, gold=letter if known else (text(record, "answer_string") or letter),
        verifier="choice" if known else "exact", source=text(record, "source") or "m23k",
    )


def split_options(prompt: str) -> tuple[str, dict[str, str]]:
    """The question and the options that stand at its end, lettered from A on; no options where it has none such."""
    lines = prompt.rstrip().split("\n")
    options: dict[str, str] = {}
    while lines and (found := OPTION.match(lines[-1].strip())):
        options[found[1]] = found[2].strip()
        lines.pop()
    options = dict(reversed(options.items()))
    if len(options) < 2 or list(options) != [chr(ord("A") + place) for place in range(len(options))]:
        return prompt, {}
    return "\n".join(lines).strip(), options


DATASET = Dataset(
    name="m23k",
    title="m23k",
    description="23,493 medical exam questions with DeepSeek-R1 traces that reach the keyed answer.",
    source="UCSC-VLAA/m23k-tokenized",
    license="not stated on the hub (the questions keep the licences of their exam sets)",
    hub=HubSource("UCSC-VLAA/m23k-tokenized", ("data/train-*.parquet",), COLUMNS),
    row=read,
    n_rows=23_493,
    citation="Huang et al., m1: Unleash the Potential of Test-Time Scaling for Medical Reasoning, arXiv 2504.00869",
    revision_note="no commit hash of this repository is on record here; 'main' and the schema check stand in for it",
)
VARIANTS = (
    replace(DATASET, load=None, name="m1k", title="m1k", n_rows=1000, source="UCSC-VLAA/m1k-tokenized",
            hub=replace(DATASET.hub, id="UCSC-VLAA/m1k-tokenized"),
            description="1,000 questions of m23k spread over MeSH domains: the nearest public set to the "
                        "'Medical-QA-Reasoning' of the Meditron thesis, whose identity is not known."),
)
