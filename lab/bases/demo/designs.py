"""The two designs: architecture, special tokens and chat template of each embedded base."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lab.bases.demo.pretraining_text import ChatMarks

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Design:
    """Everything that tells one embedded base from the other; `build` needs nothing else."""

    name: str
    title: str
    family: Literal["llama", "qwen2"]
    stands_in_for: str
    seed: int
    n_merges: int  # of the tokenizer, beside the number tokens
    special: tuple[str, ...]  # the first is padding; order fixes the ids
    begin: str  # starts every document in pre-training (and, for Llama, every chat)
    end_of_turn: str
    marks: ChatMarks
    hidden: int = 128
    layers: int = 4
    heads: int = 4
    kv_heads: int = 4
    feed_forward: int = 384
    context: int = 512

    @property
    def folder(self) -> Path:
        return HERE / self.name

    def template(self) -> str:
        """The chat template, as a file of its own so that it can be read and diffed."""
        return (HERE / "templates" / f"{self.family}.jinja").read_text(encoding="utf-8")


DEMO_LLAMA = Design(
    name="demo-llama",
    title="Demo Llama",
    family="llama",
    stands_in_for="Meditron3-8B (Llama architecture)",
    seed=11,
    n_merges=860,
    special=("<|pad|>", "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
    begin="<|begin_of_text|>",
    end_of_turn="<|eot_id|>",
    marks=ChatMarks(
        user="<|start_header_id|>user<|end_header_id|>\n\n",
        assistant="<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        end="<|eot_id|>",
    ),
)

DEMO_QWEN2 = Design(
    name="demo-qwen2",
    title="Demo Qwen2",
    family="qwen2",
    stands_in_for="Medicouenne-7B (Qwen2 architecture)",
    seed=23,
    n_merges=840,
    special=("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
    begin="<|endoftext|>",
    end_of_turn="<|im_end|>",
    marks=ChatMarks(
        user="<|im_start|>user\n",
        assistant="<|im_end|>\n<|im_start|>assistant\n",
        end="<|im_end|>",
    ),
    kv_heads=2,
    feed_forward=416,
)

DESIGNS = {design.name: design for design in (DEMO_LLAMA, DEMO_QWEN2)}
