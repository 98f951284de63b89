"""A lab whose engines are scripted, for stories of the Compare page: `python -m tests.browser.scripted_lab PORT`.

The store is the one LAB_HOME names, filled with made-up variants. Everything from the browser to the engine's HTTP is
the lab's own; only what a model says is scripted, and it does not say its own name.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import uvicorn

import lab.ui.pages.compare as page
from app import build_web
from lab.core.settings import Settings
from lab.engine.protocol import ChatRequest, Chunk, EngineClient
from lab.engine.scripted import scripted_engine
from storage.database import open_store
from storage.queries.studies import list_variants
from tests.ui.seed_store import seed_store


class Nameless(EngineClient):
    """A scripted model says its label, which a blind comparison would show as part of the answer."""

    def stream(self, request: ChatRequest) -> Iterator[Chunk]:
        for chunk in super().stream(request):
            stats = chunk.stats and chunk.stats.model_copy(
                update={"final_text": chunk.stats.final_text.replace(request.label, "**it**")})
            yield replace(chunk, text=chunk.text.replace(request.label, "**it**"), stats=stats)


class ScriptedEngines:
    """Stands where `jobs.engines.Engines` does: warm-up words first, then a client."""

    def __init__(self, url: str):
        self._url = url

    def connect(self, base: str, tell: Callable[[str], None], stopped: Callable[[], bool]) -> EngineClient:
        tell("The engine is warming up: loading weights 50\u202f% (1\u202fs).")
        time.sleep(0.3)
        return Nameless(self._url)


def main(port: int) -> None:
    settings = Settings.from_env()
    store = open_store(settings.database_url, settings.home)
    with store.read() as session:
        seeded = bool(list_variants(session)[0])
    if not seeded:
        seed_store(store)
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(scripted_engine("demo-llama", delay_s=0.03))
        page.Engines = lambda store: ScriptedEngines(url)  # type: ignore[assignment,misc]
        uvicorn.run(build_web(store, settings), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main(int(sys.argv[1]))
