"""How soon a training job takes its first step, warm and cold, and what memory that costs. Run by hand:

    python -m tests.perf.warm_start [REPETITIONS] [THREADS]

The trace arm of the demo study, started by the launchers alone, turn by turn: from the call to the time in the first
metric event. A worker adds up to one tick (0.25 s) and the claim. Each job is killed after its first step.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.launchers import local
from jobs.launchers.order import Order
from jobs.launchers.warm import WarmLauncher
from jobs.processes import sweep
from jobs.provenance import ROOT
from lab.core.context import write_json
from lab.core.spec import load_spec, read_recipe
from lab.studies.spec import StudySpec
from storage.files import Home, JobFolder

RECIPE = ROOT / "lab" / "recipes" / "demo" / "study.yaml"
PATIENCE_S = 120.0


@dataclass(frozen=True)
class Measured:
    """Of one start, in seconds and MiB. `cpu_s` and `pss_mib` (its share of memory) are the job's at its first step.

    On a busy machine the seconds of the clock say more about its load; `cpu_s` does not.
    """

    process_s: float
    running_s: float
    step_s: float
    cpu_s: float
    pss_mib: float


def trace_arm() -> dict[str, Any]:
    study = load_spec(StudySpec, read_recipe(RECIPE)[1])
    return next(arm for arm in study.variants() if arm.target == "trace").as_dict()


def prepare(home: Path, uid: str, threads: int) -> Order:
    folder = JobFolder(home / uid)
    folder.prepare()
    write_json(folder.job_json, {"uid": uid, "kind": "sft", "attempt": 1, "spec": trace_arm(), "models": {}})
    return Order(uid, folder, 1, ("cpu:0",), threads, warm=True)


def measure(order: Order, warm: WarmLauncher | None) -> Measured:
    started = time.time()
    identity = warm.fork(order) if warm else local.start(order).identity
    assert identity is not None, "the warm launcher did not fork"
    process_s = time.time() - started
    running_at = 0.0
    while (step_at := first_metric(order.folder)) is None:
        running_at = running_at or (time.time() if "running" in read(order.folder.status) else 0.0)
        assert identity.alive(), read(order.folder.log)[-2000:]
        assert time.time() - started < PATIENCE_S
        time.sleep(0.005)
    pid = identity.pid
    found = Measured(process_s, running_at - started, step_at - started, cpu_s(pid), pss_mib(pid))
    sweep(order.uid)
    return found


def first_metric(folder: JobFolder) -> float | None:
    events = (json.loads(line) for line in read(folder.events).splitlines() if '"metric"' in line)
    return next((event["t"] for event in events), None)


def read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pss_mib(pid: int, name: str = "Pss") -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024


def warmed_up(home: Path) -> tuple[WarmLauncher, float]:
    warm, started = WarmLauncher(Home(home)), time.monotonic()
    warm.start()
    while warm.state() == "warming":
        time.sleep(0.05)
    assert warm.state() == "ready", f"{warm.reason}\n{read(home / 'warm.log')}"
    return warm, time.monotonic() - started


def main(repetitions: int, threads: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        warm, ready_s = warmed_up(home)
        assert warm.pid is not None
        print(f"load {os.getloadavg()[0]:.1f}; server ready after {ready_s:.1f} s; its RSS "
              f"{pss_mib(warm.pid, 'Rss'):.0f} MiB, PSS {pss_mib(warm.pid):.0f} MiB; {threads} thread(s) a job")
        found: dict[str, list[Measured]] = {"warm": [], "cold": []}
        for turn in range(repetitions):
            for name, launcher in (("warm", warm), ("cold", None)):
                found[name].append(measure(prepare(home, f"{name}{turn}", threads), launcher))
        warm.stop()
    print(f"{'median (least–most)':>19} {'process':>20} {'running':>20} {'first step':>20} {'CPU':>20} {'PSS':>20}")
    for name, runs in found.items():
        cells = [spread([getattr(run, field) for run in runs]) for field in Measured.__dataclass_fields__]
        print(f"{name:>19} " + " ".join(f"{cell:>20}" for cell in cells))


def spread(values: list[float]) -> str:
    digits = 0 if max(values) > 50 else 2
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


if __name__ == "__main__":
    main(*(int(value) for value in (*sys.argv[1:], *("5", "1")[len(sys.argv) - 1:])))
