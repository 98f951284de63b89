"""`queue`, `move`, `devices` and `forget`: the line, who holds what, and a machine that is gone for good."""

from __future__ import annotations

import argparse
import json

from jobs.adoption import forget_machine
from jobs.cli.text import aligned, as_dict, duration
from jobs.line import move, pause
from storage.database import Store, open_store
from storage.queries.jobs import workers
from storage.queries.queue import devices, is_paused, line
from storage.tables import Job, now

LINE = ("no.", "job", "name", "priority", "waits", "starts in about")


def queue(options: argparse.Namespace) -> int:
    """Show the line, or pause it, or let it go on."""
    store = open_store()
    if options.action:
        pause(store, options.action == "pause")
    rows, paused, n_workers = _line(store)
    if options.json:
        print(json.dumps({"paused": paused, "workers": n_workers, "line": rows}))
        return 0
    if paused:
        print("The queue is paused: nothing new starts. `python -m jobs queue resume` lets it go on.")
    if not n_workers:
        print("No worker is running, so nothing starts. Start one: python -m jobs worker")
    cells = [[str(row["place"]), str(row["job"]), row["name"], str(row["priority"]), row["waits"],
              duration(row["seconds"]) or "not known"] for row in rows]
    print(aligned(LINE, cells) if cells else "Nothing waits.")
    return 0


def _line(store: Store) -> tuple[list[dict], bool, int]:
    with store.read() as session:
        places, paused, n_workers = line(session), is_paused(session), len(workers(session))
        jobs = [session.get_one(Job, job_id) for job_id in places]
        rows = [
            {"place": places[job.id].number, "job": job.id, "name": job.name, "priority": job.priority,
             "waits": duration((now() - job.created_at).total_seconds()), "seconds": places[job.id].seconds,
             "run_on": job.run_on, "lane": job.lane}
            for job in jobs
        ]
    return rows, paused, n_workers


def move_job(options: argparse.Namespace) -> int:
    store = open_store()
    job = move(store, options.id, options.to)
    with store.read() as session:
        place = line(session)[job.id].number
    print(f"job {job.id} ({job.name}) is no. {place} in line")
    return 0


def list_devices(options: argparse.Namespace) -> int:
    """Every machine's devices, who holds them, and the workers that live."""
    store = open_store()
    with store.read() as session:
        found, living = devices(session), workers(session)
        holders = {device.job_id: session.get_one(Job, device.job_id) for device in found if device.job_id}
    if options.json:
        print(json.dumps({"devices": [as_dict(row) for row in found], "workers": [as_dict(row) for row in living]}))
        return 0
    rows = []
    for device in found:
        holder = holders.get(device.job_id)
        memory = f"{device.free_mib / 1024:.0f} of {device.memory_mib / 1024:.0f} GiB free" if device.memory_mib else ""
        state = device.blocked or (f"job {holder.id} ({holder.name})" if holder else "free")
        since = duration((now() - device.leased_at).total_seconds()) if holder and device.leased_at else ""
        rows.append([device.host, device.title or device.name, memory, state, since])
    print(aligned(("machine", "device", "memory", "held by", "for"), rows) if rows else
          "No device is known yet: a worker writes down what its machine has when it starts.")
    for worker in living:
        age = duration((now() - worker.heartbeat_at).total_seconds())
        print(f"worker {worker.name}: last sign of life {age} ago")
    return 0


def forget(options: argparse.Namespace) -> int:
    """Give up a machine that does not come back; its jobs go back to the line."""
    jobs = forget_machine(open_store(), options.machine)
    print(f"{options.machine} is forgotten; {len(jobs)} job(s) went back to the line"
          + (": " + ", ".join(f"{job.id} ({job.name})" for job in jobs) if jobs else ""))
    return 0
