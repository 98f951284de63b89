"""The meter on this machine: real processes, and codecarbon's own tracker beside it."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from lab.energy import host, rapl
from lab.energy.account import Place, account, thread_watts
from lab.energy.meter import Meter
from lab.energy.tables import look_up
from tests.energy.test_counters import FakeNvml, _domain

BUSY = "import time\nend = time.process_time() + {seconds}\nwhile time.process_time() < end: pass"


def _spin(cpu_seconds: float) -> None:
    end = time.process_time() + cpu_seconds
    while time.process_time() < end:
        continue


def _metered(folder: Path, work: Any, **environment: str) -> dict[str, Any]:
    meter = Meter(folder, 1, lambda: (), environment).start()
    work()
    meter.stop()
    return json.loads(meter.path.read_text())


def _more_than_before(folder: Path, work: Any) -> float:
    """CPU seconds of `work` alone: the meter counts from the birth of the process, which here is the tests'."""
    before = _so_far()
    return _metered(folder, work)["cpu_s"] - before


def _so_far() -> float:
    """CPU seconds of this process and of the children it has waited for."""
    return sum(os.times()[:4])


def test_a_busy_job_uses_more_than_an_idle_one_of_the_same_length(tmp_path: Path) -> None:
    idle = _more_than_before(tmp_path / "idle", lambda: time.sleep(1.0))
    busy = _more_than_before(tmp_path / "busy", lambda: _spin(1.0))
    assert busy == pytest.approx(1.0, abs=0.25) and idle < 0.2


def test_children_count_also_those_that_have_ended(tmp_path: Path) -> None:
    def work() -> None:
        subprocess.run([sys.executable, "-c", BUSY.format(seconds=0.8)], check=True)

    assert _more_than_before(tmp_path, work) > 0.75


def test_living_processes_that_carry_the_jobs_mark_count_and_others_do_not(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", BUSY.format(seconds=60)])
    try:
        time.sleep(1.0)
        with_child = host.use([child.pid])
        assert with_child.cpu_s > 0.2 and with_child.resident_gib > 0
        assert host.use([2**22 - 1]).cpu_s == 0  # gone, or never there
    finally:
        child.kill()
        child.wait()


def test_it_agrees_with_codecarbons_own_tracker_over_the_same_interval(tmp_path: Path) -> None:
    """Process mode, the CPU's power told, a country and a PUE: kWh of the CPU, and kg from kWh."""
    # It looks once a second at the share of a core, and we count seconds of the processor: 10 % apart on a machine of
    # one's own, 16 % was seen beside other tests, and once a factor of two where a look fell into a stall of the
    # machine. So the best of three intervals counts. A wrong unit or power would be off by far more in each.
    for turn in range(3):
        ours, theirs = _both(tmp_path / str(turn))
        if ours["parts"]["cpu"]["kwh"] * 1.3 == pytest.approx(theirs.cpu_energy, rel=0.35):
            break
    assert ours["parts"]["cpu"]["kwh"] * 1.3 == pytest.approx(theirs.cpu_energy, rel=0.35)
    kg_per_kwh = theirs.emissions / theirs.energy_consumed
    assert ours["kg_co2"] == pytest.approx(ours["kwh"] * 1.3 * kg_per_kwh, rel=1e-6)


def _both(folder: Path) -> tuple[dict[str, Any], Any]:
    """Our account and codecarbon's of the same four seconds of work."""
    from codecarbon import OfflineEmissionsTracker

    machine = host.machine()
    known = look_up([machine.cpu_model], [machine.memory_gib], "FRA")
    watts, _ = thread_watts(vars(machine), known)
    logging.getLogger("codecarbon").disabled = True
    tracker = OfflineEmissionsTracker(
        country_iso_code="FRA", tracking_mode="process", force_cpu_power=watts * machine.threads, pue=1.3,
        measure_power_secs=1, output_methods=[], allow_multiple_runs=True, log_level="critical",
    )
    folder.mkdir()
    tracker.start()
    before = _so_far()
    reading = _metered(folder, lambda: _spin(4.0))
    tracker.stop()
    ours = account([{**reading, "cpu_s": reading["cpu_s"] - before}], known, Place("FRA", pue=1.3))
    return ours, tracker.final_emissions_data


def test_a_package_counter_is_shared_out_by_cpu_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    energy = _domain(tmp_path / "powercap", "intel-rapl:0", "package-0", 0)
    counters = rapl.counters(tmp_path / "powercap")
    monkeypatch.setattr(rapl, "counters", lambda: counters)
    uses = iter([host.Use(5.0, 100.0, 1.0), host.Use(8.0, 112.0, 1.0)])  # 3 of the machine's 12 seconds
    monkeypatch.setattr(host, "use", lambda pids: next(uses))

    def work() -> None:
        time.sleep(0.3)
        energy.write_text("800000")  # 0.8 J

    reading = _metered(tmp_path, work)
    assert reading["joules"] == {"cpu": pytest.approx(0.2), "memory": None} and reading["cpu_s"] == 8.0


def test_a_gpus_counter_ends_up_in_the_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml([1_000, 1_000, 3_601_000], []))
    reading = _metered(tmp_path, lambda: time.sleep(0.3), CUDA_VISIBLE_DEVICES="GPU-a000")
    assert reading["gpus"] == [{"uuid": "GPU-a000", "name": "NVIDIA H100", "joules": 3600.0, "how": "counter"}]


def test_the_first_reading_is_written_at_once_for_an_attempt_that_is_killed(tmp_path: Path) -> None:
    meter = Meter(tmp_path, 3, lambda: (), {}).start()
    deadline = time.monotonic() + 60
    while not meter.path.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    first = json.loads(meter.path.read_text())
    assert first["attempt"] == 3 and not first["ended"] and first["cpu_s"] > 0
    meter.stop()
    assert json.loads(meter.path.read_text())["ended"]


def test_a_driver_that_breaks_down_costs_the_reading_and_not_the_job(tmp_path: Path, monkeypatch: Any) -> None:
    fake = FakeNvml([1_000, 2_000], [])
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    reading = _metered(tmp_path, lambda: time.sleep(0.3), CUDA_VISIBLE_DEVICES="GPU-a000")
    assert "the meter ended early: NVMLError" in reading["faults"][0]


def test_a_folder_that_cannot_be_written_disturbs_nobody(tmp_path: Path) -> None:
    (tmp_path / "energy").write_text("a file where the folder should be")
    meter = Meter(tmp_path, 1, lambda: (), {}).start()
    meter.stop()
    assert not meter.path.exists()


def test_starting_and_stopping_take_the_job_milliseconds(tmp_path: Path) -> None:
    began = time.perf_counter()
    meter = Meter(tmp_path, 1, lambda: (), {}).start()
    started = time.perf_counter()
    meter.stop()
    assert started - began < 0.5 and time.perf_counter() - started < 1.0


def test_the_meter_loads_neither_codecarbon_nor_torch() -> None:
    code = ("import sys, lab.energy.meter, jobs.energy\n"
            "print({'codecarbon', 'pandas', 'torch', 'pynvml'} & set(sys.modules))")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          cwd=Path(__file__).parents[2]).stdout.strip() == "set()"
