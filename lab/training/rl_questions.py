"""Which questions reinforcement learning asks, which it holds out, and in what order. No torch here.

Nothing is drawn from a running generator: the questions of step k follow from the seed and k, so a run that goes on
after a stop asks what it would have asked.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lab.core.errors import LabError
from lab.core.types import Example
from lab.data.chat import prompt_messages
from lab.training.rewards import is_verifiable
from lab.training.rl_specs import RlSettings

HELD_OUT_SHARE = 10  # at most one question in so many is held out, as HuatuoGPT-o1 does


@dataclass(frozen=True)
class Question:
    """One question and its prompt: ids of the chat template with the generation prompt, (P,)."""

    example: Example
    prompt: list[int]


@dataclass(frozen=True)
class Questions:
    """What is trained on, what is held out, both in the dataset's order, and what was left out."""

    trained: list[Question]
    held_out: list[Question]
    n_too_long: int
    n_unverifiable: int

    @property
    def n_dropped(self) -> int:
        return self.n_too_long + self.n_unverifiable


def build_questions(spec: RlSettings, examples: Sequence[Example], tokenizer: Any) -> Questions:
    """Prompts of the first `max_rows` examples. Raises LabError when there is nothing to train on, saying why.

    A question whose own gold answer its verifier does not accept can only teach noise: it is dropped and counted.
    """
    examples = examples[: spec.max_rows] if spec.max_rows else examples
    sound = [example for example in examples if is_verifiable(example)]
    prompts = encode_prompts(sound, tokenizer)
    fitting = [
        Question(example, prompt)
        for example, prompt in zip(sound, prompts, strict=True) if len(prompt) <= spec.max_prompt_tokens
    ]
    if not fitting:
        raise LabError(
            f"none of the {len(examples)} questions of '{spec.dataset}' can be asked: {len(examples) - len(sound)} "
            f"without an answer that can be verified, {len(sound)} with more than max_prompt_tokens "
            f"{spec.max_prompt_tokens} tokens (the shortest has {min(map(len, prompts), default=0)})", "data",
        )
    held_out = _held_out(fitting, spec)
    return Questions(
        trained=[question for question in fitting if question.example.id not in held_out],
        held_out=[question for question in fitting if question.example.id in held_out],
        n_too_long=len(sound) - len(fitting),
        n_unverifiable=len(examples) - len(sound),
    )


def encode_prompts(examples: Sequence[Example], tokenizer: Any) -> list[list[int]]:
    """Ids of each example's prompt; straight to ids, so no second start token is added."""
    if not examples:
        return []
    chats = [prompt_messages(example) for example in examples]
    encoded = tokenizer.apply_chat_template(chats, tokenize=True, add_generation_prompt=True, return_dict=True)
    return encoded["input_ids"]


def of_step(questions: Sequence[Question], spec: RlSettings, step: int) -> list[Question]:
    """The questions of one step (from 1), each `samples_per_prompt` times in a row.

    Every pass over the questions has its own order; a step may reach from one pass into the next.
    """
    n, count = len(questions), spec.n_prompts()
    first = (step - 1) * count
    places = [_order(spec.seed, place // n, n)[place % n] for place in range(first, first + count)]
    return [questions[place] for place in places for _ in range(spec.samples_per_prompt)]


def _order(seed: int, turn: int, n: int) -> list[int]:
    order = list(range(n))
    random.Random(f"{seed}/{turn}").shuffle(order)
    return order


def _held_out(questions: Sequence[Question], spec: RlSettings) -> set[str]:
    """Ids with the smallest hashes: the same questions whatever the seed, so that runs can be compared."""
    n = min(spec.n_eval_prompts, len(questions) // HELD_OUT_SHARE)
    by_hash = sorted(questions, key=lambda question: hashlib.sha256(question.example.id.encode()).hexdigest())
    return {question.example.id for question in by_hash[:n]}
