"""Probing: a trained model in memory answers a few questions greedily, and its replies are judged (see health.py).

The decoding loop is the engine's, so a probe hears what chat and benchmarks hear. The model is left as it was found:
modes, flags and random states unchanged. Adapters stay on. Works for full weights, PEFT models and 4-bit bases.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch

from lab.core.errors import LabError
from lab.core.types import StyleName
from lab.data.chat import prompt_messages
from lab.data.targets import THINKING_STYLES
from lab.engine._answering import opening
from lab.engine._batching import Lane
from lab.engine._decoding import decode
from lab.engine._rows import Choosing, Row
from lab.training.health import Health, Reply, judge, not_examined
from lab.training.probes import Probe

BUDGET = 1.5  # times the longest taught reply
FEWEST, MOST = 32, 4096  # bounds of the budget, in tokens
UNTAUGHT = 256  # budget where nobody wrote a reply
AT_ONCE = 16  # probes in one batch
Asked = tuple[Probe, tuple[int, ...]]  # with the ids of its taught reply, without the end of the turn


def examine(
    model: Any, tokenizer: Any, probes: Sequence[Probe], style: StyleName, max_new_tokens: int | None = None
) -> Health:
    """Ask every probe and judge the replies. `max_new_tokens`: None for BUDGET times the longest taught reply.

    A model that cannot be asked, for memory or for its layers, is flagged as not examined: its training is not lost.
    """
    if not probes:
        raise ValueError("examine needs at least one probe")
    started = time.perf_counter()
    taught = [_ids(tokenizer, probe.taught) for probe in probes]
    budget = max_new_tokens or _budget(taught)
    with _answering(model):
        try:
            replies = ask(model, tokenizer, list(zip(probes, taught, strict=True)), style, budget)
        except LabError as error:
            full = error.reason == "memory"
            return not_examined(
                "one question does not fit in memory beside what the training holds" if full else str(error))
    return judge(replies, style, time.perf_counter() - started)


def _ids(tokenizer: Any, text: str | None) -> tuple[int, ...]:
    return tuple(tokenizer(text, add_special_tokens=False)["input_ids"]) if text else ()


def _budget(taught: Sequence[Sequence[int]]) -> int:
    longest = max(map(len, taught))
    return min(MOST, max(FEWEST, round(BUDGET * longest))) if longest else UNTAUGHT


@contextmanager
def _answering(model: Any) -> Iterator[None]:
    """Evaluation mode for as long as it lasts; every module then gets back the mode it had."""
    modes = {module: module.training for module in model.modules()}
    on_gpu = next(model.parameters()).device.type == "cuda"
    model.eval()
    try:
        with torch.autocast("cuda", torch.bfloat16) if on_gpu else nullcontext():
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def ask(model: Any, tokenizer: Any, asked: list[Asked], style: StyleName, budget: int) -> list[Reply]:
    """Replies in order, at most AT_ONCE at a time; half as many where memory runs out. The model is in evaluation mode.

    LabError when one alone does not fit in memory, or when the engine cannot decode such a model.
    """
    prompts = [_prompt(tokenizer, probe) for probe, _ in asked]
    ends, context = frozenset(_end_ids(model, tokenizer)), getattr(model.config, "max_position_embeddings", None)
    rooms = [max(0, min(budget, context - len(prompt)) if context else budget) for prompt in prompts]
    rows = [Row(prompt, (), Choosing(room, ends, patient=True), lambda ids: decode(tokenizer, ids))
            for prompt, room in zip(prompts, rooms, strict=True)]
    lane = Lane(model, max_rows=AT_ONCE)
    lane.waiting.extend(row for row, room in zip(rows, rooms, strict=True) if room)
    while lane.busy:
        lane.work()
    for row in rows:
        if row.error is not None:
            raise row.error
    return [
        Reply(probe, opening(tokenizer, row.prompt, THINKING_STYLES[style]) + decode(tokenizer, row.ids),
              tuple(row.ids), row.finish == "eos", room, taught)
        for (probe, taught), row, room in zip(asked, rows, rooms, strict=True)
    ]


def _prompt(tokenizer: Any, probe: Probe) -> list[int]:
    chat = prompt_messages(probe.example)
    return list(tokenizer.apply_chat_template(chat, tokenize=True, add_generation_prompt=True, return_dict=True)
                ["input_ids"])


def _end_ids(model: Any, tokenizer: Any) -> set[int]:
    """Ids that end an answer: the tokenizer's and those of the base's generation settings, as in the engine."""
    given = model.generation_config.eos_token_id
    named = [tokenizer.eos_token_id, *(given if isinstance(given, list) else [given])]
    return {token for token in named if token is not None}
