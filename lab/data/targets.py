"""Targets: what an example teaches. The one place where a thinking section is written, and where its marks are kept.

    trace     thinking + answer
    steps     condensed thinking + answer
    answer    the same answer, thinking removed
    gold      the bare short answer
    shuffled  control: the trace's lines in random order + answer
    wrong     control: thinking + another row's answer
"""

from __future__ import annotations

from dataclasses import dataclass

from lab.core.errors import LabError
from lab.core.types import Example, StyleName, Target

WITH_THINKING: tuple[Target, ...] = ("trace", "steps", "shuffled", "wrong")


@dataclass(frozen=True)
class Style:
    """How a model marks its thinking: a mark before it, a mark after it, and what stands between marks and text."""

    open: str
    close: str
    gap: str = "\n"  # between a mark and the text beside it
    answer_start: str = ""  # written before an answer that does not hold it

    def wrap(self, thinking: str, answer: str) -> str:
        """The whole assistant turn."""
        said = answer if self.answer_start.strip() in answer else f"{self.answer_start}{answer}"
        return f"{self.open}{self.gap}{thinking}{self.gap}{self.close}{self.gap}{said}"


THINKING_STYLES: dict[StyleName, Style] = {
    # DeepSeek-R1, Qwen3.
    "tags": Style(open="<think>", close="</think>"),
    # HuatuoGPT-o1, SFT_stage1.py; its verifier reads what stands after the second heading.
    "headings": Style(open="## Thinking", close="## Final Response", gap="\n\n"),
    # s1, data/tokenization.py. The marks are ordinary text for tokenizers that do not know them.
    "s1": Style(open="<|im_start|>think", close="<|im_start|>answer", answer_start="Answer: "),
    # FineMedLM-o1: the two sections by name, as a row of FineMed-DPO writes them; its system prompt has them in bold.
    "finemed": Style(open="### Thought", close="### Summarization", gap="\n\n"),
}


def target_text(example: Example, target: Target, style: StyleName = "tags") -> str:
    """The assistant's words for one example under one target.

    `steps`, `shuffled` and `wrong` need an example that `transforms.as_taught` has prepared. Raises LabError when the
    row has no thinking and the target needs one.
    """
    if target == "answer":
        return example.answer
    if target == "gold":
        return f"Answer: {example.gold}"
    thinking = example.steps if target == "steps" else example.trace
    if not thinking:
        raise LabError(f"row '{example.id}' has no reasoning trace: target {target} needs one on every row", "data")
    return THINKING_STYLES[style].wrap(thinking, example.answer)
