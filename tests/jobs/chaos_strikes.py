"""What the chaos does to the lab, and how often. A strike returns whether it found something to hit."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable

from jobs.processes import identify, marked
from jobs.queue import request_cancel
from tests.jobs.chaos_scene import WEB, Chaos

LOOK_S = 0.05
AMBUSH_S = 1.5


def strike_until(chaos: Chaos, end: float) -> None:
    next_at = time.monotonic() + chaos.shape.pause_s
    while time.monotonic() < end:
        chaos.look()
        if time.monotonic() > next_at:
            strike = chaos.draw.choices([row[0] for row in STRIKES], [row[1] for row in STRIKES])[0]
            if strike(chaos):
                chaos.account.strikes[strike.__name__.removeprefix("_")] += 1
            next_at = time.monotonic() + chaos.draw.expovariate(1 / chaos.shape.pause_s)
        time.sleep(LOOK_S)


def send(pids: Iterable[int], number: int) -> bool:
    """False when there was nobody to send it to."""
    pids = list(pids)
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
    return bool(pids)


def _kill_a_job(chaos: Chaos, number: int = signal.SIGKILL) -> bool:
    """The job's own process, found by its mark: also one that the store does not know yet."""
    jobs = chaos.active()
    return bool(jobs) and send(marked(chaos.draw.choice(jobs).uid)[:1], number)


def _tell_a_job_to_end(chaos: Chaos) -> bool:
    return _kill_a_job(chaos, signal.SIGTERM)


def _kill_a_worker(chaos: Chaos) -> bool:
    workers = chaos.workers()
    return bool(workers) and send([chaos.draw.choice(workers).pid], signal.SIGKILL)


def _kill_the_web(chaos: Chaos) -> bool:
    """Only one that serves its page: else it would never come to live."""
    return chaos.crowd.page_listens() and chaos.crowd.kill(WEB, chaos.draw.uniform(0, 1))


def _kill_everything(chaos: Chaos) -> bool:
    """Web, workers and jobs at once, as a power cut does."""
    chaos.crowd.kill(WEB, chaos.draw.uniform(0, 1))
    pids = [worker.pid for worker in chaos.workers()]
    pids += [pid for job in chaos.active() for pid in marked(job.uid)]
    return send(pids, signal.SIGKILL)


def _cancel_a_job(chaos: Chaos) -> bool:
    """Rather one that runs: those that wait are cancelled in plenty when the quiet begins."""
    if not chaos.to_cancel:
        return False
    running = [job.id for job in chaos.active() if job.id in chaos.to_cancel]
    chosen = (running or chaos.to_cancel)[-1]
    chaos.to_cancel.remove(chosen)
    request_cancel(chaos.store, chosen)
    return True


def _ambush(chaos: Chaos) -> bool:
    """Kill a worker between its claim of a job and the note of the job's process; sometimes cancel the job as well."""
    end, delay = time.monotonic() + AMBUSH_S, chaos.draw.uniform(0, 0.15)
    while time.monotonic() < end:
        claimed = [job for job in chaos.active() if job.state == "starting" and job.pid is None]
        if claimed:
            time.sleep(delay)
            worker = identify(int(claimed[0].worker.split(":")[1]))
            killed = worker is not None and worker in chaos.workers() and send([worker.pid], signal.SIGKILL)
            if claimed[0].id in chaos.to_cancel:
                chaos.to_cancel.remove(claimed[0].id)
                request_cancel(chaos.store, claimed[0].id)
            return killed
        chaos.crowd.supervise()
        time.sleep(0.002)
    return False


STRIKES = (
    (_kill_a_job, 34), (_tell_a_job_to_end, 12), (_kill_a_worker, 18), (_ambush, 12), (_kill_the_web, 9),
    (_kill_everything, 3), (_cancel_a_job, 12),
)
