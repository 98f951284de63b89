"""The worker: claims jobs, leases devices, starts a process for each, reads in what they report, ends what should end.

It owns the state of every job that has left the queue. It may be killed at any moment: the job processes go on, and the
next worker of the machine, or another one that lives there, takes them over. Several workers may serve one store.
"""

from __future__ import annotations

import os
import threading
import time
import traceback

from sqlmodel import select

from jobs.adoption import adopt_abandoned, forget_old_names
from jobs.clusters.every import Clusters
from jobs.devices import cpu_slots, find_devices
from jobs.energy import look_up_this_machine
from jobs.keeper import WorkerLock
from jobs.leases import claim, register_devices
from jobs.line import cancel_hopeless
from jobs.making_room import make_room, may_leave
from jobs.processes import own_identity
from jobs.starting import Place, refuse, start_job
from jobs.watching import Patience, look_after
from jobs.worker_state import WorkerOptions, WorkerState
from lab.core.errors import LabError
from storage.clock import store_now
from storage.database import Store
from storage.doorbell import Doorbell
from storage.queries.queue import devices, ready_jobs
from storage.tables import Job, Worker

TICK_S = 0.5
LISTEN_S = 0.05
HEARTBEAT_S = 2.0
DEVICES_EVERY_S = 10.0
ADOPT_EVERY_S = 1.0
WARMING_S = 30.0
LEAVING_S = 3.0


def run_worker(store: Store, options: WorkerOptions | None = None, stop: threading.Event | None = None) -> None:
    """Work until `stop` is set, or, when kept, until nothing is left to do and no keeper lives.

    Raises LabError when another worker of this label serves this store here. Jobs that run are left running.
    """
    options, stop = options or WorkerOptions(), stop or threading.Event()
    lock = WorkerLock(store.home, options.host, options.label)
    state = WorkerState(store, options)
    try:
        _sign_on(state)
        look_up_this_machine()
        if options.warm:
            from jobs.launchers.warm import WarmLauncher

            state.warm = WarmLauncher(store.home)
        clusters, doorbell = _look_after_clusters(state), Doorbell(store.write_engine)
        while not stop.is_set() and lock.still_there():
            if not _tick_safely(state):
                stop.wait(5 * TICK_S)
            elif options.kept and may_leave(state):
                break
            _wait(stop, doorbell)
        state.left.set()
        clusters.join(LEAVING_S)
        if not clusters.is_alive():  # else it may be handing a job to Slurm: nobody takes over before this process ends
            _sign_off(state)
    finally:
        state.left.set()
        if state.warm is not None:
            state.warm.stop()
        lock.release()


def _wait(stop: threading.Event, doorbell: Doorbell) -> None:
    """Until the next tick is due, or a new job has come."""
    until = time.monotonic() + TICK_S
    while time.monotonic() < until and not stop.wait(LISTEN_S) and not doorbell.rang():
        continue


def _look_after_clusters(state: WorkerState) -> threading.Thread:
    """In a thread of its own: a controller that is away makes Slurm's commands wait for half a minute."""
    options = state.options
    patience = Patience(options.grace_s, options.most_losses)
    clusters = Clusters(state.store, state.name, options.host, patience, options.cluster_settle_s)

    def keep_looking() -> None:
        while not state.left.is_set():
            try:
                clusters.look()
            except LabError as error:
                state.say(str(error))
            except Exception:  # a bug now must not leave every cluster unattended for good
                state.say(traceback.format_exc())
            state.left.wait(options.cluster_poll_s)

    thread = threading.Thread(target=keep_looking, name="clusters", daemon=True)
    thread.start()
    return thread


def _sign_on(state: WorkerState) -> None:
    me, options = own_identity(), state.options
    state.name = f"{options.host}/{options.label}:{me.pid}:{me.start_ticks}"
    with state.store.write() as session:
        forget_old_names(session, options.host)
        session.merge(Worker(name=state.name, host=options.host, pid=os.getpid(), start_ticks=me.start_ticks,
                             boot_id=me.boot_id, heartbeat_at=store_now(session)))
    _look_at_devices(state)
    with state.store.read() as session:
        mine = [device.title for device in devices(session) if device.host == options.host]
    state.say(f"worker {state.name} serves {state.store.place} with {', '.join(mine) or 'nothing to lease'}")


def _look_at_devices(state: WorkerState) -> None:
    options = state.options
    find = find_devices if options.gpus else cpu_slots
    found = find(options.slots, options.chat_slots)
    with state.store.write() as session:
        register_devices(session, options.host, found)
    state.has_gpus = any(device.kind == "gpu" for device in found)
    state.done_at["devices"] = time.monotonic()


def _sign_off(state: WorkerState) -> None:
    try:
        with state.store.write() as session:
            row = session.get(Worker, state.name)
            if row:
                session.delete(row)
    except Exception:  # LAB_HOME may be gone: that is why we leave
        state.say("left without signing off")


def _tick_safely(state: WorkerState) -> bool:
    """One tick; a full disk or a busy store makes the worker wait, never end. False: it should wait longer."""
    try:
        tick(state)
    except LabError as error:
        state.say(str(error))
        return False
    except Exception:  # a bug in one tick must not leave every job unattended
        state.say(traceback.format_exc())
        return False
    return True


def tick(state: WorkerState) -> None:
    """Look after what runs, take over what dead workers left, then start what may start."""
    if state.warm is not None:
        state.warm.start()  # cheap while there is one
    if state.due("heartbeat", HEARTBEAT_S):
        _beat(state)
    if state.due("adopt", ADOPT_EVERY_S):
        found = adopt_abandoned(state.store, state.name, state.options.host, state.watched)
        state.watched |= found
        for job_id in found:
            state.say(f"job {job_id} taken over")
    _look_after_all(state)
    with state.store.read() as session:  # the cheap question first: most of the time nothing waits
        waiting = session.exec(select(Job.id).where(Job.state == "queued").limit(1)).first() is not None
        line = ready_jobs(session) if waiting else []
    if state.has_gpus and state.due("devices", DEVICES_EVERY_S):
        _look_at_devices(state)
    if waiting:
        while _start_next(state):
            continue
    make_room(state, line)


def _look_after_all(state: WorkerState) -> None:
    patience = Patience(state.options.grace_s, state.options.most_losses)
    for job_id, watched in list(state.watched.items()):
        try:
            if look_after(state.store, watched, patience):
                del state.watched[job_id]
                state.say(f"job {job_id} ended")
        except (OSError, LabError) as error:  # its folder or the store cannot be read or written now
            state.say(f"job {job_id}: {error}")
        except Exception:  # a bug that one job brings out must not leave its neighbours unattended
            state.say(f"job {job_id}: {traceback.format_exc()}")


def _beat(state: WorkerState) -> None:
    with state.store.write() as session:
        row = session.get(Worker, state.name)
        if row is None:  # another worker took us for dead, which a restored store may make it do
            me = own_identity()
            row = Worker(name=state.name, host=state.options.host, pid=me.pid, start_ticks=me.start_ticks,
                         boot_id=me.boot_id)
        row.heartbeat_at = store_now(session)
        session.add(row)


def _start_next(state: WorkerState) -> bool:
    """Claim and start one job. False when none may start now."""
    if state.warm is not None and state.warm.state() == "warming" and (state.warm.age_s or 0) < WARMING_S:
        return False  # it is ready within seconds, and a cold start beside it would take longer than both
    with state.store.write() as session:
        cancel_hopeless(session)
        job = claim(session, state.name, state.options.host)
    if job is None:
        return False
    try:
        place = Place(_n_sharing(state), state.options.min_free_mib, state.warm)
        state.watched[job.id] = start_job(state.store, job, place)
        state.say(f"job {job.id} ({job.name}) started")
    except Exception as error:  # whatever stands in the way becomes the job's reason
        if isinstance(error, LabError) and error.reason == "lost":
            raise  # the store cannot be reached, which is not the job's fault: it is found as abandoned, and put back
        refuse(state.store, job, error)
        state.say(f"job {job.id} ({job.name}) could not start: {error}")
    return True


def _n_sharing(state: WorkerState) -> int:
    """Devices that share the machine's cores: GPUs, or CPU slots for work."""
    with state.store.read() as session:
        return sum(device.host == state.options.host and device.kind != "chat" for device in devices(session))


