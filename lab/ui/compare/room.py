"""What every wiring of the page shares: the app, the desk, the widgets, and how an error is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from lab.core.errors import LabError
from lab.ui.app_state import LabApp
from lab.ui.compare.desk import Desk
from lab.ui.compare.layout import Widgets
from lab.ui.compare.screen import Screen, Updates
from lab.ui.compare.watching import Watching
from lab.ui.components.html import failure


@dataclass(frozen=True)
class Room:
    """One per page."""

    app: LabApp
    desk: Desk
    w: Widgets
    screen: Screen
    watching: Watching


def told_at(place: Any, fn: Callable[..., Updates]) -> Callable[..., Updates]:
    """`fn`, with a lab error shown at a block. Its parameters stay as they are, for Gradio to read."""
    @wraps(fn)
    def told(*args: Any, **named: Any) -> Updates:
        try:
            return fn(*args, **named)
        except LabError as problem:
            return {place: failure(problem)}

    return told
