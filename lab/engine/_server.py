"""The engine's process: load a base, serve it over loopback HTTP, end when idle or asked to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from lab.bases.cards import bases
from lab.core.context import Context, Stopped
from lab.engine._hf import LoadedBase
from lab.engine.api import Activity, Backend, build_app
from lab.engine.listening import listening
from lab.engine.specs import EngineSpec

LOOK_EVERY_S = 0.25
GAVE_WAY = " and another job waits for its device"


def serve(spec: EngineSpec, context: Context) -> dict[str, Any]:
    """Announce {"url", "base"} once the base answers; return when nobody has asked for `idle_timeout_s`, or
    for `give_way_after_s` while another job waits for the device it holds.

    Raises Stopped when asked to stop; answers that are being written then have two seconds left.
    """
    started = time.monotonic()
    context.log(f"loading {spec.base}")
    with open_backend(spec, context.stop_requested) as (engine, check):
        activity = Activity()
        with listening(build_app(engine, activity)) as url:
            context.announce(url=url, base=spec.base)
            context.log(f"serving {spec.base} at {url}, {time.monotonic() - started:.1f} s after the start")
            ended = _until_idle(spec, context, activity, check)
    context.log(f"nobody asked for {activity.idle_s:.0f} s{GAVE_WAY if ended == 'gave way' else ''}: the engine ends")
    return {"base": spec.base, "seconds": time.monotonic() - started, "ended": ended}


@contextmanager
def open_backend(
    spec: EngineSpec, stopped: Callable[[], bool] = lambda: False
) -> Iterator[tuple[Backend, Callable[[], None]]]:
    """What answers while the block runs, and a check that raises LabError when it no longer can.

    Raises Stopped when `stopped` says so before it answers, and LabError where the base, or vLLM, is not to be had.
    """
    card, size = bases()[spec.base], {"precision": spec.precision, "max_rows": spec.max_rows}
    if spec.backend == "vllm":
        from lab.engine._vllm import vllm_engine

        with vllm_engine(card, spec.max_new_tokens, stopped, **size) as served:
            yield served
        return
    yield LoadedBase(card, spec.max_new_tokens, **size), lambda: None


def _until_idle(spec: EngineSpec, context: Context, activity: Activity, check: Callable[[], None]) -> str:
    """Returns 'idle', or 'gave way' when another job waits. Announces whether it is idle, for who needs its place."""
    told: bool | None = None
    while activity.idle_s < spec.idle_timeout_s:
        check()
        if context.stop_requested():
            raise Stopped
        idle = activity.idle_s >= spec.give_way_after_s
        if idle and context.yield_requested():
            return "gave way"
        if idle != told:
            context.announce(idle=idle)
            told = idle
        time.sleep(min(LOOK_EVERY_S, spec.idle_timeout_s))
    return "idle"
