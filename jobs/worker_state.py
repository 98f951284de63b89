"""What a worker is told when it starts, and what it holds in memory while it works."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jobs.watching import Watched
from storage.database import Store
from storage.tables import now

if TYPE_CHECKING:
    from jobs.launchers.warm import WarmLauncher


@dataclass(frozen=True)
class WorkerOptions:
    """What a worker is told when it starts. `label` tells apart several workers of one machine."""

    slots: int = 1
    chat_slots: int = 2
    label: str = "main"
    host: str = field(default_factory=socket.gethostname)
    kept: bool = False  # end when nothing is left to do and no process that asked for a worker lives
    grace_s: float = 120.0
    most_losses: int = 3
    min_free_mib: int = 200
    gpus: bool = True
    warm: bool = False
    cluster_poll_s: float = 10.0
    cluster_settle_s: float = 60.0  # how long what a node has written may take to be seen here


@dataclass
class WorkerState:
    """What a worker holds in memory; all of it can be found again after a kill."""

    store: Store
    options: WorkerOptions
    name: str = ""
    watched: dict[int, Watched] = field(default_factory=dict)
    warm: WarmLauncher | None = None
    done_at: dict[str, float] = field(default_factory=dict)  # when what is not due at every tick was done last
    has_gpus: bool = False
    left: threading.Event = field(default_factory=threading.Event)  # the main loop has ended
    alone_since: float | None = None  # since when no keeper lives

    def say(self, text: str) -> None:
        print(f"{now():%Y-%m-%d %H:%M:%S} {text}", flush=True)

    def due(self, what: str, every_s: float) -> bool:
        """Whether it is time again; if so, it counts as done now."""
        if time.monotonic() - self.done_at.get(what, -every_s) < every_s:
            return False
        self.done_at[what] = time.monotonic()
        return True
