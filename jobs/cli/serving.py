"""`worker`: serve the queue from this terminal (or a Procfile)."""

from __future__ import annotations

import argparse
import re
import signal
import threading
from _thread import start_new_thread

from jobs.worker import run_worker
from jobs.worker_state import WorkerOptions
from lab.core.errors import Fault, SpecError
from lab.core.settings import Settings
from storage.database import open_store


def work(options: argparse.Namespace) -> int:
    """Ctrl-C or SIGTERM ends the worker; the jobs it started go on, and the next worker takes them over."""
    settings = Settings.from_env()
    slots = settings.slots if options.slots is None else options.slots
    if slots < 1:
        raise SpecError([Fault("--slots", f"should be 1 or more (got {slots})", slots)], "command line")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", options.label):
        fault = Fault("--label", "should be up to 40 letters, digits, - and _", options.label)
        raise SpecError([fault], "command line")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: start_new_thread(stop.set, ()))  # its lock is not for signal handlers
    run_worker(open_store(), WorkerOptions(
        slots=slots, chat_slots=settings.chat_slots, label=options.label, kept=options.kept, gpus=settings.gpus,
        warm=settings.warm, grace_s=settings.grace_s, most_losses=settings.most_losses,
        min_free_mib=settings.min_free_mib,
    ), stop)
    return 0
