"""`worker`: serve the queue from this terminal (or a Procfile)."""

from __future__ import annotations

import argparse
import signal
import threading

from jobs.worker import run_worker
from lab.core.errors import Fault, SpecError
from lab.core.settings import Settings
from storage.database import open_store


def work(options: argparse.Namespace) -> int:
    """Ctrl-C or SIGTERM ends the worker; the jobs it started go on, and the next worker takes them over."""
    settings = Settings.from_env()
    slots = settings.slots if options.slots is None else options.slots
    if slots < 1:
        raise SpecError([Fault("--slots", f"should be 1 or more (got {slots})", slots)], "command line")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    run_worker(open_store(), slots, stop, kept=options.kept, min_free_mib=settings.min_free_mib)
    return 0
