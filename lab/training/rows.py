"""From examples to training rows: the prompt as the model will be asked, the completion it should give, both in tokens.

Prompt and completion are tokenised apart, because at inference the model continues a prompt that was tokenised alone.
A row that is too long is dropped and counted, never cut: a thought without its end teaches not to end. Whether it is
too long is decided by its longest form, with the trace, whatever the target: so arms of a pair train on the same rows.
No torch here; a tokenizer is handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lab.core.errors import LabError
from lab.core.types import Example
from lab.data.chat import prompt_completion
from lab.training.specs import SftSpec, TrainedTarget


@dataclass(frozen=True)
class Row:
    """One example as the trainer sees it. Only the completion is learned."""

    id: str
    prompt_ids: list[int]
    completion_ids: list[int]

    def __len__(self) -> int:
        return len(self.prompt_ids) + len(self.completion_ids)


@dataclass(frozen=True)
class Rows:
    """The rows that fit, in the dataset's order, and how many did not."""

    kept: list[Row]
    n_dropped: int

    @property
    def n_tokens(self) -> int:
        """Tokens of one pass, prompts included."""
        return sum(map(len, self.kept))


def render(example: Example, tokenizer: Any, target: TrainedTarget, style: str) -> tuple[str, str]:
    """(prompt, completion) as text, chat marks included; the completion ends with the end of the turn.

    A template that rewrites the assistant's words or ends its turn otherwise is refused: the model would learn
    something else than the example says, or would not learn to stop.
    """
    messages = prompt_completion(example, target, style)
    prompt = tokenizer.apply_chat_template(messages["prompt"], tokenize=False, add_generation_prompt=True)
    whole = tokenizer.apply_chat_template(messages["prompt"] + messages["completion"], tokenize=False)
    completion = messages["completion"][0]["content"] + tokenizer.eos_token
    if not whole.startswith(prompt + completion):
        raise LabError(
            f"row '{example.id}': this base's chat template does not write prompt + answer + '{tokenizer.eos_token}', "
            "so the model would not be trained on the row as it stands. Use a template that keeps the answer's words",
            "data",
        )
    return prompt, completion


def tokenise(examples: Sequence[Example], tokenizer: Any, target: TrainedTarget, style: str) -> list[Row]:
    """Every example under one target, nothing dropped. `style` is how the base marks its thinking."""
    if not examples:
        return []
    prompts, completions = zip(*(render(example, tokenizer, target, style) for example in examples), strict=True)
    prompt_ids = tokenizer(list(prompts), add_special_tokens=False)["input_ids"]
    completion_ids = tokenizer(list(completions), add_special_tokens=False)["input_ids"]
    return [Row(*parts) for parts in zip((e.id for e in examples), prompt_ids, completion_ids, strict=True)]


def longest_forms(examples: Sequence[Example], tokenizer: Any, style: str) -> list[int]:
    """Tokens of each example in its longest form: with its trace if it has one."""
    plain = tokenise(examples, tokenizer, "answer", style)
    traced = iter(tokenise([example for example in examples if example.trace], tokenizer, "trace", style))
    pairs = zip(examples, plain, strict=True)
    return [max(len(row), len(next(traced))) if example.trace else len(row) for example, row in pairs]


def chosen(examples: Sequence[Example], max_rows: int) -> Sequence[Example]:
    """The first rows; 0 means all."""
    return examples[:max_rows] if max_rows else examples


def build_rows(spec: SftSpec, examples: Sequence[Example], tokenizer: Any, style: str) -> Rows:
    """What this job trains on. Raises LabError when there is nothing to train on, saying why."""
    examples = chosen(examples, spec.max_rows)
    if not examples:
        raise LabError(f"dataset '{spec.dataset}' is empty: there is nothing to train on", "data")
    rows = tokenise(examples, tokenizer, spec.target, style)
    lengths = longest_forms(examples, tokenizer, style)
    kept = [row for row, length in zip(rows, lengths, strict=True) if length <= spec.max_length]
    if not kept:
        raise LabError(
            f"none of the {len(examples)} rows of '{spec.dataset}' fits max_length {spec.max_length}: the shortest has "
            f"{min(lengths)} tokens, the longest {max(lengths)}. Raise max_length or use a dataset with shorter rows",
            "data",
        )
    return Rows(kept, len(rows) - len(kept))
