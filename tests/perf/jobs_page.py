"""How long the Jobs page takes with 1,000 jobs: its handlers on the server, and the page in a browser. Run by hand:

    python -m tests.perf.jobs_page [--queued 220] [--rounds 40] [--browser]

The store is made anew: finished trainings and benchmarks with their events, a line of waiting jobs half of which need
another one, two running trainings, and for one of them 20,000 steps of three curves.
"""

from __future__ import annotations

import argparse
import os
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from lab.core.settings import Settings
from lab.ui.app_state import LabApp
from lab.ui.home.now import lately, running_now
from lab.ui.pages.jobs import drawing
from storage.database import Store, open_store
from storage.tables import Device, Job, JobDependency, JobEvent, Metric, Worker, now

N_JOBS, N_POINTS = 1000, 20_000
SPEC = {"base": "demo-llama", "dataset": "demo-medical", "target": "trace", "seed": 0, "epochs": 3, "batch_size": 24,
        "learning_rate": 0.002, "max_length": 256, "lora_r": 32, "model": "demo-llama", "benchmark": "demo-medical"}
PROVENANCE = {"code": {"revision": "f3a9c1d", "dirty": False}, "machine": {"host": "bench", "cpus": 2, "gpus": []},
              "packages": {"torch": "2.13.0", "transformers": "5.23.0", "trl": "1.16.0", "peft": "0.21.2"}}
WORDS = {"queued": ("queued",), "running": ("queued", "starting", "running"),
         "succeeded": ("queued", "starting", "running", "succeeded"),
         "failed": ("queued", "starting", "running", "lost", "queued", "starting", "running", "failed")}


def seed(store: Store, n_queued: int) -> int:
    """Fill the store; the number of the job with long curves."""
    states = ["succeeded"] * (N_JOBS - n_queued - 52) + ["failed"] * 50 + ["running"] * 2 + ["queued"] * n_queued
    with store.write() as session:
        jobs = [_job(number, state) for number, state in enumerate(states, 1)]
        session.add_all(jobs)
        session.flush()
        session.add_all(JobEvent(job_id=job.id, state=word, why="attempt 1 on cpu:0" if word == "starting" else "")
                        for job in jobs for word in WORDS[job.state])
        waiting = [job for job in jobs if job.state == "queued"]
        session.add_all(JobDependency(job_id=later.id, needs_id=first.id)
                        for first, later in zip(waiting[::2], waiting[1::2], strict=False))
        running = [job for job in jobs if job.state == "running"]
        session.add_all(Device(host="bench", name=f"cpu:{i}", kind="cpu", title=f"CPU slot {i}", job_id=job.id,
                               leased_at=now()) for i, job in enumerate(running))
        session.add(Worker(name="bench/main:1:1", host="bench", pid=1, heartbeat_at=now() + timedelta(days=1)))
        session.add_all(
            Metric(job_id=running[0].id, step=step, name=name, value=0.4 + 3 * 0.9997**step + (step * 37 % 100) / 500)
            for step in range(1, N_POINTS + 1) for name in ("loss", "tokens_per_s", "learning_rate")
        )
    log = store.home.job(running[0].uid).log
    log.parent.mkdir(parents=True)
    log.write_text("\n".join(f"step {step} loss 1.2345 lr 2.0e-03" for step in range(N_POINTS)), encoding="utf-8")
    assert running[0].id is not None
    return running[0].id


def _job(number: int, state: str) -> Job:
    uid, kind = secrets.token_hex(6), "benchmark" if number % 2 else "sft"
    begun = now() - timedelta(minutes=2 * (N_JOBS - number))
    ended = state in ("succeeded", "failed")
    return Job(
        uid=uid, kind=kind, name=f"demo-medical on run {number}", state=state, folder=f"jobs/{uid}", rank=number,
        spec=SPEC, spec_given=SPEC, spec_sha="0" * 12, provenance=PROVENANCE, created_at=begun, attempt=1,
        started_at=None if state == "queued" else begun, finished_at=begun + timedelta(seconds=80) if ended else None,
        reason="lost" if state == "failed" else None, message="It was lost." if state == "failed" else None,
        progress_done=40, progress_total=100, progress_text="step 40 of 100",
    )


def measure(action: Callable[[], Any], rounds: int) -> list[float]:
    """Milliseconds of each round, sorted."""
    action()
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        action()
        times.append(1000 * (time.perf_counter() - started))
    return sorted(times)


def handlers(store: Store, long_curves: int) -> dict[str, Callable[[], Any]]:
    """What a reader does on the page, as the page's own handler does it."""
    show = drawing(LabApp(store, Settings.from_env({"LAB_HOME": str(store.home)})))
    seen = show("All", "", "", 1, "", [])[-1]
    chosen = show("All", "", "", 1, str(long_curves), [])[-1]
    return {
        "open": lambda: show("All", "", "", 1, "", []),
        "poll, nothing chosen": lambda: show("All", "", "", 1, "", seen),
        "poll, long curves": lambda: show("All", "", "", 1, str(long_curves), chosen),
        "filter: queued": lambda: show("Queued", "", "", 1, "", seen),
        "filter: lost": lambda: show("Lost at least once", "", "", 1, "", seen),
        "search": lambda: show("All", "", "run 77", 1, "", seen),
        "page 30": lambda: show("All", "", "", 30, "", seen),
        "choose a job": lambda: show("All", "", "", 1, "500", seen),
        "choose long curves": lambda: drawing(LabApp(store, Settings.from_env({"LAB_HOME": str(store.home)})))(
            "All", "", "", 1, str(long_curves), seen),
        "home": lambda: _home(store),
    }


def _home(store: Store) -> None:
    with store.read() as session:
        running_now(session)
        lately(session)


def report(name: str, times: list[float]) -> None:
    p95 = times[min(len(times) - 1, round(0.95 * len(times)))]
    print(f"{name:28} {statistics.median(times):8.1f} {p95:8.1f} {times[-1]:8.1f}", flush=True)


def in_a_browser(home: Path, rounds: int) -> list[float]:
    """Milliseconds from the navigation until the list has its rows, in headless Chromium; the browser is warm."""
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import CHROMIUM, FLAGS, start_web

    port = 7950
    os.environ["LAB_WORKER"] = "off"
    web = start_web(home, port)
    try:
        with sync_playwright() as playwright:
            page = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS).new_page()

            def load() -> None:
                page.goto(f"http://127.0.0.1:{port}/jobs", wait_until="commit")
                page.wait_for_selector(".lab-table tbody tr:nth-child(20)", timeout=60_000)

            return measure(load, rounds)
    finally:
        web.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queued", type=int, default=220)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--browser", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(home=folder)
        long_curves = seed(store, options.queued)
        print(f"{N_JOBS} jobs, {options.queued} of them waiting; load {os.getloadavg()[0]:.1f}")
        print(f"{'milliseconds':28} {'median':>8} {'p95':>8} {'most':>8}")
        for name, action in handlers(store, long_curves).items():
            report(name, measure(action, options.rounds))
        if options.browser:
            report("whole page, in a browser", in_a_browser(Path(folder), 10))
        store.close()


if __name__ == "__main__":
    main()
