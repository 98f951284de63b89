"""The engine's process: load a base, serve it over loopback HTTP, end when idle or asked to stop."""

from __future__ import annotations

import time
from typing import Any

from lab.bases.cards import bases
from lab.core.context import Context, Stopped
from lab.engine._hf import LoadedBase
from lab.engine.api import Activity, build_app
from lab.engine.listening import listening
from lab.engine.specs import EngineSpec

LOOK_EVERY_S = 0.25


def serve(spec: EngineSpec, context: Context) -> dict[str, Any]:
    """Announce {"url", "base"} once the base answers; return when nobody has asked for `idle_timeout_s`.

    Raises Stopped when asked to stop; answers that are being written then have two seconds left.
    """
    started = time.monotonic()
    context.log(f"loading {spec.base}")
    engine = LoadedBase(bases()[spec.base], spec.max_new_tokens)
    activity = Activity()
    with listening(build_app(engine, activity)) as url:
        context.announce(url=url, base=spec.base)
        context.log(f"serving {spec.base} at {url}, {time.monotonic() - started:.1f} s after the start")
        while activity.idle_s < spec.idle_timeout_s:
            if context.stop_requested():
                raise Stopped
            time.sleep(min(LOOK_EVERY_S, spec.idle_timeout_s))
    context.log(f"nobody asked for {spec.idle_timeout_s:g} s, so the engine ends")
    return {"base": spec.base, "seconds": time.monotonic() - started, "ended": "idle"}
