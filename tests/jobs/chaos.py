"""Chaos: a crowd of jobs, two workers and a web process, and kill -9 at random; then quiet, and the account.

All draws come from one seed; what the machine makes of them differs from run to run.
"""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from pathlib import Path

from sqlmodel import col, select

from jobs.line import pause
from jobs.queue import request_cancel, submit
from storage.database import Store
from storage.tables import ENDED, Job, JobDependency, JobEvent
from tests.jobs.chaos_faults import Expected, ending_faults, final_faults, keeper_leavings, leavings
from tests.jobs.chaos_scene import LEAVE_S, Account, Chaos, Crowd, Shape, free_port
from tests.jobs.chaos_strikes import LOOK_S, send, strike_until

QUIET_S = 150.0  # everything must have ended so long after the last strike
PAGE_S = 120.0  # so long the page may take to come, before the chaos and after it


def run_chaos(home: Path, store: Store, shape: Shape) -> Account:
    """Submit, open the page, strike, wait for the quiet, give the account. Nothing is left running in any case."""
    crowd = Crowd(home, shape, free_port())
    chaos = Chaos(store, shape, crowd, random.Random(shape.seed))
    pause(store, True)
    _submit_all(chaos)  # first: on an empty store the page would submit its demonstration
    uids = _uids(store)
    try:
        chaos.account.faults += _page_faults(chaos)
        pause(store, False)
        strike_until(chaos, time.monotonic() + shape.seconds)
        _wait_for_quiet(chaos)
        chaos.account.faults += ending_faults(store, chaos.expected) + final_faults(store) + _page_faults(chaos)
        crowd.end()
        chaos.account.faults += crowd.faults + _left_after(home, uids) + keeper_leavings(store)
    finally:
        _clear(home, uids)
    _count(chaos)
    return chaos.account


def _uids(store: Store) -> set[str]:
    with store.read() as session:
        return set(session.exec(select(Job.uid)))


def _submit_all(chaos: Chaos) -> None:
    """Of ten jobs: four climb, two talk, one fails, one is deaf and to be cancelled, one needs another; some of the
    rest are to be cancelled, too."""
    shape, prefix = chaos.shape, "warm-" if chaos.shape.warm else ""
    ids: list[int] = []
    for number in range(shape.n_jobs):
        role = number % 10
        steps = shape.steps + chaos.draw.randrange(shape.steps // 2)
        values = {"steps": steps, "pause_s": shape.step_s}
        if role < 4:
            kind, values = f"{prefix}ascent", {**values, "save_every": 5}
        else:
            kind, values = f"{prefix}talk", {**values, "fails": role == 6, "deaf": role == 7}
        ids.append(submit(chaos.store, kind, values).jobs[0].id)
        end = "failed" if role == 6 else "succeeded"
        cancelled = role == 7 or (role in (3, 9) and chaos.draw.random() < 0.6)
        states = {end, "cancelled"} if cancelled else {end}
        chaos.expected[ids[-1]] = Expected(frozenset(states), steps, "data" if role == 6 else None)
        chaos.to_cancel += ids[-1:] if cancelled else []
        if role == 8:  # in turn one that succeeds, and one that is cancelled
            _needs(chaos.store, ids[-1], ids[-4] if number % 20 == 8 else ids[-2])
    chaos.draw.shuffle(chaos.to_cancel)


def _needs(store: Store, job_id: int, other: int) -> None:
    with store.write() as session:
        session.add(JobDependency(job_id=job_id, needs_id=other))


def _wait_for_quiet(chaos: Chaos) -> None:
    started = time.monotonic()
    for job_id in chaos.to_cancel:
        request_cancel(chaos.store, job_id)
    while time.monotonic() < started + QUIET_S:
        chaos.look()
        with chaos.store.read() as session:
            left = list(session.exec(select(Job).where(col(Job.state).not_in(ENDED))))
        if not left:
            break
        time.sleep(4 * LOOK_S)
    else:
        chaos.account.faults += [f"job {job.id} ({job.kind}) is still {job.state} (wished: {job.desired}, attempt "
                                 f"{job.attempt}, worker {job.worker}, process {job.pid})" for job in left]
    chaos.account.quiet_s = time.monotonic() - started
    time.sleep(3.0)  # the workers notice by then what died last


def _page_faults(chaos: Chaos) -> list[str]:
    """The page is there, and answers."""
    end = time.monotonic() + PAGE_S
    while time.monotonic() < end:
        chaos.crowd.supervise()
        if chaos.crowd.page_answers():
            return []
        time.sleep(4 * LOOK_S)
    return [f"the page does not answer within {PAGE_S:.0f} s; see web.out"]


def _left_after(home: Path, uids: set[str]) -> list[str]:
    """A kept worker leaves once nothing is left to do and no keeper lives; that may take a moment."""
    end = time.monotonic() + LEAVE_S
    while (found := leavings(home, uids)) and time.monotonic() < end:
        time.sleep(4 * LOOK_S)
    return found


def _clear(home: Path, uids: set[str]) -> None:
    for sentence in leavings(home, uids):
        send([int(sentence.split()[1])], signal.SIGKILL)


def _count(chaos: Chaos) -> None:
    with chaos.store.read() as session:
        jobs = list(session.exec(select(Job)))
        events = list(session.exec(select(JobEvent)))
    chaos.account.states = Counter(job.state for job in jobs)
    chaos.account.attempts = sum(job.attempt for job in jobs)
    chaos.account.forked = sum(chaos.store.home.job(job.uid).exit.exists() for job in jobs)
    chaos.account.losses = sum(event.state == "lost" for event in events)
    chaos.account.takeovers = sum(event.why.startswith(("taken over", "ended while")) for event in events)
