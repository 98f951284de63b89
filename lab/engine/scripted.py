"""A scripted engine: the engine's HTTP with deterministic text instead of a model, for tests of pages. No torch.

A model whose label contains 'trace' thinks before it answers; any other answers at once. Words in the question change
what happens, so that a page can be tested on what goes wrong: '[unclosed]' thinks without end, '[fail]' breaks after
a few words. `python -m lab.engine.scripted --delay 0.05` serves it until interrupted.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from lab.core.errors import LabError
from lab.core.types import FinishReason, ModelSource
from lab.data.targets import THINKING_STYLES
from lab.engine.api import build_app
from lab.engine.listening import listening
from lab.engine.protocol import ChatRequest, Chunk, Stats
from lab.engine.thinking import StreamSplitter, split_thinking

STYLE = THINKING_STYLES["tags"]
THOUGHT = "The question has {n} words. I read them one by one, then I add what they say."
ANSWER = "The scripted answer of {label} to {n} words.\n\nAnswer: {n}"


@dataclass
class ScriptedBackend:
    """Stands behind `lab.engine.api` like the real backend does. One word is one token."""

    base: str = "scripted"
    delay_s: float = 0.0  # per word
    max_new_tokens: int = 512
    loaded: list[str] = field(default_factory=list)

    def labels(self) -> list[str]:
        return [self.base, *self.loaded]

    def load(self, source: ModelSource) -> None:
        if source.base != self.base:
            raise LabError(f"model '{source.label}' stands on '{source.base}', but this engine holds '{self.base}'")
        if source.label not in self.labels():
            self.loaded.append(source.label)

    def stream(self, request: ChatRequest) -> Iterator[Chunk]:
        started, splitter, words = time.perf_counter(), StreamSplitter(STYLE), []
        question = request.messages[-1]["content"]
        script = _script(request.label, question).split(" ")
        for count, word in enumerate(script[: request.max_new_tokens]):
            if "[fail]" in question and count == 3:
                raise LabError("the scripted engine was asked to fail")
            time.sleep(self.delay_s)
            words.append(word if count == 0 else f" {word}")
            yield from (Chunk(part, text) for part, text in splitter.feed(words[-1]))
        yield from (Chunk(part, text) for part, text in splitter.finish())
        finish: FinishReason = "eos" if len(words) == len(script) else "length"
        yield Chunk("end", stats=_stats(words, finish, len(question.split()), time.perf_counter() - started))


def _script(label: str, question: str) -> str:
    n = len(question.split())
    if "[unclosed]" in question:
        return f"{STYLE.open} " + "and again " * 200
    thought = f"{STYLE.open} {THOUGHT.format(n=n)} {STYLE.close} " if "trace" in label else ""
    return thought + ANSWER.format(n=n, label=label)


def _stats(words: list[str], finish: FinishReason, n_prompt: int, seconds: float) -> Stats:
    split = split_thinking("".join(words), STYLE, finish)
    n_answer = len(split.final_text.split(" ")) if split.final_text else 0
    return Stats(
        **split._asdict(),
        finish_reason=finish,
        n_prompt_tokens=n_prompt,
        n_think_tokens=len(words) - n_answer,
        n_answer_tokens=n_answer,
        seconds=seconds,
    )


@contextmanager
def scripted_engine(base: str = "scripted", delay_s: float = 0.0, port: int = 0) -> Iterator[str]:
    """The URL of a scripted engine that runs in a thread while the block lasts."""
    with listening(build_app(ScriptedBackend(base, delay_s)), port) as url:
        yield url


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="scripted", help="name of the base it pretends to hold")
    parser.add_argument("--delay", type=float, default=0.03, help="seconds per word")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    given = parser.parse_args()
    with scripted_engine(given.base, given.delay, given.port) as url:
        print(url, flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
