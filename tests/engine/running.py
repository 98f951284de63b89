"""The engine's task, running beside a test."""

import threading
import time

from lab.engine.service import TASK


def start(context, spec):
    """(thread, outcome) of the task running beside the test."""
    outcome = {}

    def run():
        try:
            outcome["result"] = TASK.load()(spec, context)
        except BaseException as error:
            outcome["error"] = error

    thread = threading.Thread(target=run)
    thread.start()
    deadline = time.monotonic() + 30
    while "url" not in context.facts and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.02)
    return thread, outcome
