"""From submit to the first training step through a real worker, warm and cold: `python -m tests.perf.first_step [N]`.

The job is the demo study's arm with traces, cut after a few steps. A metric's time is taken in the job's process when
the step is done, the submit's when its row is written; both by this machine's clock. Warm and cold take turns.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlmodel import select

from jobs.queue import submit
from lab.core.spec import read_recipe
from storage.database import Store, open_store
from storage.queries.jobs import get_job
from storage.tables import ENDED, JobEvent, Metric

STUDY = Path(__file__).parents[2] / "lab" / "recipes" / "demo" / "study.yaml"
WARM_UP_S = 20


def spec() -> dict[str, object]:
    """The settings of the demo study's trace arm, for three steps."""
    _, study = read_recipe(STUDY)
    return {**study["training"], "base": study["bases"][0], "dataset": study["datasets"][0], "target": "trace",
            "max_steps": 3}


def one(store: Store) -> float:
    """Seconds from the submit to the first step."""
    job = submit(store, "sft", spec()).jobs[0]
    while True:
        with store.read() as session:
            if get_job(session, job.id).state in ENDED:
                queued = session.exec(select(JobEvent.at).where(JobEvent.job_id == job.id)).first()
                first = session.exec(select(Metric.at).where(Metric.job_id == job.id).order_by(Metric.id)).first()
                return (first - queued).total_seconds()
        time.sleep(0.1)


def main(n: int) -> None:
    found: dict[str, list[float]] = {"on": [], "off": []}
    with tempfile.TemporaryDirectory() as folder:
        homes = {warm: Path(folder) / warm for warm in found}
        stores = {warm: open_store(home=home) for warm, home in homes.items()}
        workers = [
            subprocess.Popen([sys.executable, "-m", "jobs", "worker"], stdout=subprocess.DEVNULL,
                             env={**os.environ, "LAB_HOME": str(home), "LAB_WARM": warm, "LAB_GPUS": "off"})
            for warm, home in homes.items()
        ]
        try:
            time.sleep(WARM_UP_S)
            for _ in range(n):
                for warm, store in stores.items():
                    found[warm].append(one(store))
        finally:
            for worker in workers:
                worker.terminate()
                worker.wait()
    print("| start | median s | range s | n |\n|---|---:|---:|---:|")
    for warm, name in (("on", "warm"), ("off", "cold")):
        values = found[warm]
        print(f"| {name} | {statistics.median(values):.1f} | {min(values):.1f} to {max(values):.1f} | {len(values)} |")
    load = os.getloadavg()[0]
    print(f"\nload average at the end {load:.1f}, {len(os.sched_getaffinity(0))} cores")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
