"""The meter of one job on one machine: a thread that adds up counters and writes them down, now and then.

It imports nothing but the standard library (and pynvml where the job holds a GPU), so it neither delays the job's first
step nor competes with it: what the readings mean in kWh is worked out later, by `account`. Several jobs share a
machine, so nothing is taken whole that is not the job's alone: CPU time and memory are those of the job's processes, a
package's energy counter is shared out by CPU time, and a GPU is metered by the job that leases it.
"""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from lab.core.context import write_json
from lab.energy import host, nvml, rapl

EVERY_S = 10.0
EVERY_WITH_POWER_S = 1.0  # a card without an energy counter is only known at the moments it is asked
LEAST_PAUSE = 300.0  # times what a reading took: on a machine of many processes it is taken less often
PATIENCE_S = 2.0  # a driver that hangs must not keep a finished job
FOLDER = "energy"  # in the job's folder: one file for each start on each machine, whose sum is the job's
PLACE = ("LAB_COUNTRY", "LAB_GRID_G_PER_KWH", "LAB_PUE")


class Meter:
    """Starts with `start`, ends with `stop`. It never raises: what it cannot read is a sentence in its file."""

    def __init__(self, folder: Path, attempt: int, pids: Callable[[], Iterable[int]],
                 environment: Mapping[str, str] = os.environ):
        self.path = folder / FOLDER / f"{attempt}-{time.time_ns()}-{platform.node() or 'machine'}.json"
        self._attempt, self._pids, self._environment = attempt, pids, dict(environment)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="energy", daemon=True)
        self._faults: list[str] = []
        self._sums = {"seconds": 0.0, "cpu_s": 0.0, "machine_cpu_s": 0.0, "memory_gib_s": 0.0}
        self._joules: dict[str, float | None] = {"cpu": None, "memory": None}
        self._cards: list[nvml.Card] = []
        self._rapl: Mapping[str, list[rapl.Counter]] = {}

    def start(self) -> Meter:
        try:
            self._thread.start()
        except RuntimeError:  # no more threads may be started here: then nothing is metered
            self._faults.append("no thread could be started")
        return self

    def stop(self) -> None:
        """Take the last reading and write it."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(PATIENCE_S)

    def _run(self) -> None:
        try:
            self._measure()
        except Exception as error:
            self._faults.append(f"the meter ended early: {type(error).__name__}: {error}")
            self._write(None)

    def _measure(self) -> None:
        machine = host.machine()
        self._rapl = rapl.counters()
        self._joules = {name: 0.0 if counters else None for name, counters in self._rapl.items()}
        self._cards, faults = nvml.cards(self._environment)
        self._faults += faults
        at, before, last = time.monotonic(), None, False
        for card in self._cards:
            card.read(0.0)
        while True:
            began = time.monotonic()
            before = self._add(began - at, before)
            at = began
            self._write(machine, ended=last)
            if last:
                return
            last = self._stop.wait(self._pause(time.monotonic() - began))

    def _pause(self, cost_s: float) -> float:
        by_power = any(card.how == "power" for card in self._cards)
        return max(EVERY_WITH_POWER_S if by_power else EVERY_S, LEAST_PAUSE * cost_s)

    def _add(self, seconds: float, before: host.Use | None) -> host.Use:
        """One reading. The first one counts what the processes have used since they were born."""
        now = host.use({os.getpid(), *self._pids()})
        cpu_s = max(0.0, now.cpu_s - (before.cpu_s if before else 0.0))
        machine_s = now.machine_cpu_s - before.machine_cpu_s if before else 0.0
        share = min(1.0, cpu_s / machine_s) if machine_s > 0 else 0.0
        self._sums["seconds"] += seconds
        self._sums["cpu_s"] += cpu_s
        self._sums["machine_cpu_s"] += machine_s
        self._sums["memory_gib_s"] += now.resident_gib * seconds
        for name, counters in self._rapl.items():
            grown = sum(counter.joules_since() for counter in counters)
            if counters:
                self._joules[name] = (self._joules[name] or 0.0) + grown * share
        for card in self._cards:
            card.read(seconds)
        return now

    def _write(self, machine: host.Machine | None, *, ended: bool = False) -> None:
        reading: dict[str, Any] = {
            "attempt": self._attempt, "host": platform.node(), "ended": ended,
            **{name: round(value, 3) for name, value in self._sums.items()},
            "machine": vars(machine) if machine else None, "joules": self._joules,
            "gpus": [card.as_dict() for card in self._cards], "faults": self._faults,
            "place": {name: self._environment[name] for name in PLACE if self._environment.get(name)},
        }
        try:
            write_json(self.path, reading)
        except OSError:  # a full disk is the job's trouble to report; the next reading may be written again
            return
