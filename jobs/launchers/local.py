"""Start a job as one process of this machine, in a session of its own: it outlives the worker and the page."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass

from jobs.launchers.order import Order
from jobs.processes import Identity, identify


@dataclass(frozen=True)
class Started:
    """A running job process, and for a child of this process the handle that reaps it."""

    identity: Identity
    process: subprocess.Popen[bytes] | None = None


def start(order: Order) -> Started:
    """Run `python -m jobs.runner FOLDER`; output goes to the job's log."""
    with order.folder.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *order.command], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            start_new_session=True, close_fds=True, cwd=os.getcwd(), env=order.environment(),
        )
    identity = identify(process.pid)
    # A child that ended within this instant is a zombie until we reap it; it has no ticks, and is dead all the same.
    return Started(identity or Identity(process.pid, -1, "ended at once"), process)
