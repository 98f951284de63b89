"""finemed-dpo: one question, the long reasoning of QwQ preferred to a direct answer.

hongzhouyu/FineMed-DPO (FineMedLM-o1, arXiv 2501.09213), 32,919 rows. A row, shortened:

    {"text": "…", "complexity": 9, "quality": 9, "language": "en", "prompt": "… think step by step …",
     "chosen": "### Thought …\\n### Summarization …", "rejected": "The key differences …"}

`text` is the web page the question was made from; it is not part of the prompt. What is preferred here is long over
short as much as right over wrong: length is the confound of this set.
"""

from __future__ import annotations

from lab.core.types import Pair
from lab.data.dataset import Record
from lab.data.hub import HubSource
from lab.data.pair_rows import pair_of
from lab.data.pairs import PairSet


def read(record: Record) -> Pair | str:
    """One row as a pair, or why not."""
    return pair_of(record, "FineMed-DPO")


PAIRS = PairSet(
    name="finemed-dpo",
    title="FineMed-DPO",
    description="32,919 medical questions: a long reasoned reply of QwQ-32B-Preview preferred to a direct answer.",
    source="hongzhouyu/FineMed-DPO",
    license="apache-2.0 (as a third party recorded it; FineMed-SFT is mit)",
    hub=HubSource("hongzhouyu/FineMed-DPO", ("*.jsonl", "*.json", "*.parquet"), ("prompt", "chosen", "rejected"),
                  alternatives=True),
    row=read,
    n_rows=32_919,
    citation="Yu et al., FineMedLM-o1, arXiv 2501.09213",
    revision_note="no commit hash of this repository is on record here; 'main' and the schema check stand in for it",
)
