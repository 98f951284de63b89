"""Hugging Face ZeroGPU: the `spaces` package lends a GPU to a decorated function for the length of a call.

Source: spaces 0.51 (`spaces/zero/wrappers.py`). The call runs in a process that was forked from this one and may be
used again for later calls, so nothing that was loaded here after the fork is known there: each call is given all that
it needs, and what it loads stays for the next. Arguments and chunks are pickled. The package must be imported before
torch; its start-up is bound to Gradio's `launch()`, which a page that is mounted on FastAPI never calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lab.core.errors import LabError
from lab.core.types import ModelSource
from lab.engine.loaded_bases import Answer
from lab.engine.protocol import ChatRequest, Chunk

LOADING_S, READING_S, A_TOKEN_S = 15.0, 2.0, 0.06  # of a base, of a prompt, and of an answer's token: upper estimates
ADAPTING_S = 1.5  # of a step of test-time training
MOST_S = 120  # what a visitor without an account is lent at most in one piece


def lent_answer(answer: Answer, spaces: Any = None) -> Answer:
    """`answer` decorated so that it has a GPU while it runs. `spaces` None: the installed package."""
    spaces = spaces or _package()

    @spaces.GPU(duration=seconds)
    def lent(base: str, precision: str, source: ModelSource | None, request: ChatRequest) -> Iterator[Chunk]:
        yield from answer(base, precision, source, request)  # a generator of its own: `spaces` looks whether it is one

    return lent


def seconds(base: str, precision: str, source: ModelSource | None, request: ChatRequest) -> int:
    """How long the GPU is asked for; the shorter, the sooner it is lent."""
    adapting = 0.0 if request.adapt.mode in ("none", "context") else request.adapt.steps * ADAPTING_S
    return min(MOST_S, round(LOADING_S + READING_S + adapting + A_TOKEN_S * request.max_new_tokens))


def start_up() -> None:
    """Tell the Space that the app is ready; what `launch()` would do. Once, before the page is served."""
    import spaces.zero

    spaces.zero.startup()


def _package() -> Any:
    try:
        import spaces
    except ImportError:
        raise LabError("ZeroGPU lends its GPU through the package 'spaces', which is not installed: add it to "
                       "requirements.txt", "dependency") from None
    return spaces
