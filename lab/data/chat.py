"""Examples as chat messages. The prompt does not depend on the target: arms differ in the completion alone."""

from __future__ import annotations

from lab.core.types import Example, Target
from lab.data.targets import target_text

Message = dict[str, str]


def question_text(example: Example) -> str:
    """The question, with its options one per line."""
    lines = [f"{letter}) {text}" for letter, text in (example.options or {}).items()]
    return "\n".join((example.question, *lines))


def prompt_messages(example: Example) -> list[Message]:
    """What a model is asked, the same in training, benchmarks and chat."""
    return [{"role": "user", "content": question_text(example)}]


def prompt_completion(example: Example, target: Target, style: str = "tags") -> dict[str, list[Message]]:
    """One row in the conversational prompt/completion form of TRL: the loss is on the completion only."""
    completion = [{"role": "assistant", "content": target_text(example, target, style)}]
    return {"prompt": prompt_messages(example), "completion": completion}
