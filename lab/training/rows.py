"""From examples to training rows: the prompt as the model will be asked, the completion it should give, both in tokens.

Prompt and completion are tokenised apart, because at inference the model continues a prompt that was tokenised alone.
A row that is too long is dropped and counted, never cut: a thought without its end teaches not to end. Whether it is
too long is decided by its form with the trace, whatever the target: so all arms train on the same rows. No torch here;
a tokenizer is handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lab.core.errors import LabError
from lab.core.types import Example, StyleName, Target
from lab.data.chat import prompt_completion
from lab.data.targets import target_text
from lab.data.transforms import as_taught
from lab.training.specs import SftSpec


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
    n_trace_tokens: int = 0  # of one pass over the kept rows in their form with the trace
    n_over: int = 0  # kept because their trace fits, though under this target they are longer than max_length

    @property
    def n_tokens(self) -> int:
        """Tokens of one pass, prompts included."""
        return sum(map(len, self.kept))

    def passes(self, match: str) -> float:
        """How many times as often these rows are read for this arm to read as many tokens as the one with traces."""
        return self.n_trace_tokens / self.n_tokens if match == "tokens" else 1.0


def render(
    examples: Sequence[Example], tokenizer: Any, target: Target, style: StyleName
) -> tuple[list[str], list[str]]:
    """Prompts and completions as text, chat marks included; a completion ends with the end of the turn.

    The examples are as `transforms.as_taught` leaves them. A template that rewrites the assistant's words or ends its
    turn otherwise is refused: the model would learn something else than the example says, or would not learn to stop.
    All rows go through the template in one call: a call a row costs three times as much.
    """
    chats = [prompt_completion(example, target, style) for example in examples]
    prompts = tokenizer.apply_chat_template(
        [chat["prompt"] for chat in chats], tokenize=False, add_generation_prompt=True
    )
    completions = [chat["completion"][0]["content"] + tokenizer.eos_token for chat in chats]
    wholes = tokenizer.apply_chat_template([chat["prompt"] + chat["completion"] for chat in chats], tokenize=False)
    for example, whole, prompt, completion in zip(examples, wholes, prompts, completions, strict=True):
        if not whole.startswith(prompt + completion):
            raise LabError(
                f"row '{example.id}': this base's chat template does not write prompt + answer + "
                f"'{tokenizer.eos_token}', so the model would not be trained on the row as it stands. Use a template "
                "that keeps the answer's words (chat_template in the base's card)", "data",
            )
    return prompts, completions


def tokenise(
    examples: Sequence[Example], tokenizer: Any, target: Target, style: StyleName
) -> list[Row]:
    """Every example under one target, nothing dropped. `style` is how thinking is marked."""
    if not examples:
        return []
    prompts, completions = render(examples, tokenizer, target, style)
    ids = zip(_ids(prompts, tokenizer), _ids(completions, tokenizer), strict=True)
    return [Row(example.id, *parts) for example, parts in zip(examples, ids, strict=True)]


def _ids(texts: list[str], tokenizer: Any) -> list[list[int]]:
    return tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else []


def longest_forms(
    examples: Sequence[Example], rows: Sequence[Row], tokenizer: Any, target: Target, style: StyleName
) -> list[int]:
    """Tokens of each example with its trace; without one, as it is. `rows` are its form under `target`.

    `examples` are as the dataset has them: a shuffled trace is another trace.
    """
    lengths = list(map(len, rows))
    if target == "trace":
        return lengths
    traced = [place for place, example in enumerate(examples) if example.trace]
    completions = [target_text(examples[place], "trace", style) + tokenizer.eos_token for place in traced]
    for place, ids in zip(traced, _ids(completions, tokenizer), strict=True):
        lengths[place] = len(rows[place].prompt_ids) + len(ids)  # both forms have the same prompt
    return lengths


def chosen(examples: Sequence[Example], max_rows: int) -> Sequence[Example]:
    """The first rows; 0 means all."""
    return examples[:max_rows] if max_rows else examples


def build_rows(
    spec: SftSpec, examples: Sequence[Example], tokenizer: Any, style: StyleName
) -> Rows:
    """What this job trains on. `examples` are as the dataset has them.

    Raises LabError when there is nothing to train on, saying why.
    """
    examples = chosen(examples, spec.max_rows)
    if not examples:
        raise LabError(f"dataset '{spec.dataset}' is empty: there is nothing to train on", "data")
    rows = tokenise(as_taught(examples, spec.target, spec.seed), tokenizer, spec.target, style)
    lengths = longest_forms(examples, rows, tokenizer, spec.target, style)
    fitting = [(row, length) for row, length in zip(rows, lengths, strict=True) if length <= spec.max_length]
    if not fitting:
        raise LabError(
            f"none of the {len(examples)} rows of '{spec.dataset}' fits max_length {spec.max_length}: the shortest has "
            f"{min(lengths)} tokens, the longest {max(lengths)}. Raise max_length or use a dataset with shorter rows",
            "data",
        )
    kept = [row for row, _ in fitting]
    n_over = sum(len(row) > spec.max_length for row in kept)
    return Rows(kept, len(rows) - len(kept), sum(length for _, length in fitting), n_over)
