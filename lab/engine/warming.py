"""A model in memory for a job: loaded, and past its first token. Importing this loads no torch; calling it does."""

from __future__ import annotations

from typing import Any

from lab.bases.cards import bases
from lab.core.types import ModelSource
from lab.engine.protocol import GenerationOptions

FIRST = [{"role": "user", "content": "1+1?"}]


def warm_engine(source: ModelSource, engine: Any = None) -> Any:
    """The model in memory, after a first token: no question pays for lazy set-up. `engine` is used again if it fits.

    A `LoadedBase`, or for a remote model the `RemoteEngine` that asks its endpoint; both generate alike.
    """
    if source.kind == "remote":
        from lab.engine.remote import RemoteEngine

        return RemoteEngine(source)
    if engine is None or engine.base != source.base:
        from lab.engine._hf import LoadedBase

        engine = LoadedBase(bases()[source.base])
    engine.load(source)
    engine.generate_batch(source.label, [FIRST], GenerationOptions(max_new_tokens=1))
    return engine
