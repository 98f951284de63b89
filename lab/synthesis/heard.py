"""Heard: the last chunk of a generation, whoever made it, as the reply a machine takes its step with."""

from __future__ import annotations

from lab.engine.protocol import Chunk, Stats
from lab.synthesis.machine import Ask, Finish, Reply
from lab.synthesis.spending import estimated_tokens

MOST_WORDS = 500  # characters of a refusal that are kept


def reply_of(ask: Ask, chunk: Chunk) -> Reply | None:
    """What the end of a generation says; None for a failure. Tokens that nobody counted are estimated."""
    if (stats := chunk.stats) is None or stats.finish_reason in ("cancelled", "error"):
        return None
    n_prompt, n_completion = stats.n_prompt_tokens, stats.n_think_tokens + stats.n_answer_tokens
    if not chunk.counted:
        n_prompt = sum(estimated_tokens(message["content"]) for message in ask.messages)
        n_completion = estimated_tokens(stats.think_text + stats.final_text)
    return Reply(
        text=_whole(stats.final_text), think=_whole(stats.think_text), finish=_finish(stats),
        n_prompt_tokens=n_prompt, n_completion_tokens=n_completion, seconds=round(stats.seconds, 3),
    )


def _finish(stats: Stats) -> Finish:
    return "stop" if stats.finish_reason == "stop" else "length" if stats.finish_reason == "length" else "eos"


def refusal(words: str) -> Reply:
    """What an item gets for a request that will not be answered."""
    return Reply(text=_whole(words[:MOST_WORDS]), finish="refused")


def _whole(text: str) -> str:
    """Half a character (a lone surrogate, which JSON lets through) cannot be written to any file."""
    return text.encode("utf-8", "replace").decode()
