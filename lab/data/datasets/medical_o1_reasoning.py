"""medical-o1-sft: the stage-1 data of HuatuoGPT-o1, complex chains of thought searched by GPT-4o against a verifier.

FreedomIntelligence/medical-o1-reasoning-SFT, configs en and en_mix (arXiv 2412.18925). A row, shortened:

    {"Question": "Given the symptoms of …", "Complex_CoT": "Okay, let's see …", "Response": "Considering …"}

`en_mix` adds general instructions. Since 2025-04-22 the two are apart; a revision before that has them in one file.
"""

from __future__ import annotations

from dataclasses import replace

from lab.core.types import Example
from lab.data.dataset import Dataset, Record, text
from lab.data.hub import HubSource
from lab.data.normalise import split_reply
from lab.data.pair_rows import digest
from lab.data.short_answer import short_answer


def read(record: Record) -> Example | str:
    """One row as an example, or why not."""
    question, thinking = text(record, "Question"), text(record, "Complex_CoT")
    if not question:
        return "no question"
    if not thinking:
        return "no trace"
    reply = split_reply(text(record, "Response"), thinking)
    return reply.fault or Example(
        id=f"o1-sft-{digest(question)}", question=question, trace=reply.trace, answer=reply.answer,
        gold=short_answer(reply.answer), source="medical-o1-reasoning-SFT",
    )


DATASET = Dataset(
    name="medical-o1-sft",
    title="medical-o1-reasoning-SFT",
    description="About 19,700 verifiable medical problems with the complex chain of thought and reply of HuatuoGPT-o1.",
    source="FreedomIntelligence/medical-o1-reasoning-SFT (en)",
    license="apache-2.0",
    hub=HubSource("FreedomIntelligence/medical-o1-reasoning-SFT", ("medical_o1_sft.json",),
                  ("Question", "Complex_CoT", "Response"), revision="fc2c9e8a37b38f38da6d449564a8c350b244aef4"),
    row=read,
    n_rows=19_700,
    citation="Chen et al., HuatuoGPT-o1, Towards Medical Complex Reasoning with LLMs, arXiv 2412.18925",
)
VARIANTS = (
    replace(DATASET, load=None, name="medical-o1-sft-mix", title="medical-o1-reasoning-SFT, mixed", n_rows=24_900,
            source="FreedomIntelligence/medical-o1-reasoning-SFT (en_mix)",
            hub=replace(DATASET.hub, files=("medical_o1_sft_mix.json",)),
            description="medical-o1-sft with general instructions in the same form."),
)
