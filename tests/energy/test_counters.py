"""RAPL files and an NVML written by hand: what they count becomes joules, once."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from lab.energy import nvml, rapl


def _domain(root: Path, folder: str, name: str, microjoules: int) -> Path:
    (root / folder).mkdir(parents=True)
    (root / folder / "name").write_text(name + "\n")
    (root / folder / "max_energy_range_uj").write_text("1000000\n")
    (root / folder / "energy_uj").write_text(f"{microjoules}\n")
    return root / folder / "energy_uj"


def test_packages_and_their_memory_are_counted_and_the_board_is_not(tmp_path: Path) -> None:
    _domain(tmp_path, "intel-rapl:0", "package-0", 0)
    _domain(tmp_path, "intel-rapl:0:0", "dram", 0)
    _domain(tmp_path, "intel-rapl:1", "package-1", 0)
    _domain(tmp_path, "intel-rapl:2", "psys", 0)
    found = rapl.counters(tmp_path)
    assert (len(found["cpu"]), len(found["memory"])) == (2, 1)


def test_a_counter_that_wraps_around_goes_on(tmp_path: Path) -> None:
    energy = _domain(tmp_path, "intel-rapl:0", "package-0", 900_000)
    counter = rapl.counters(tmp_path)["cpu"][0]
    energy.write_text("950000")
    assert counter.joules_since() == pytest.approx(0.05)
    energy.write_text("150000")  # 50,000 to the top of the range, 150,000 from its bottom
    assert counter.joules_since() == pytest.approx(0.2)


def test_counters_that_may_not_be_read_are_none(tmp_path: Path) -> None:
    _domain(tmp_path, "intel-rapl:0", "package-0", 0).unlink()
    assert rapl.counters(tmp_path) == {"cpu": [], "memory": []} == rapl.counters(tmp_path / "nowhere")


class FakeNvml(ModuleType):
    """A driver with two cards. `millijoules` and `milliwatts` are what they will show, in turn."""

    class NVMLError(Exception):
        pass

    def __init__(self, millijoules: list[int], milliwatts: list[int]):
        super().__init__("pynvml")
        self.millijoules, self.milliwatts, self.asked = millijoules, milliwatts, []

    def nvmlInit(self) -> None:
        return

    def nvmlDeviceGetCount(self) -> int:
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> str:
        return f"GPU-{'ab'[index]}000"

    def nvmlDeviceGetUUID(self, handle: str) -> str:
        return handle

    def nvmlDeviceGetName(self, handle: str) -> bytes:
        return b"NVIDIA H100"

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: str) -> int:
        self.asked.append(handle)
        if not self.millijoules:
            raise self.NVMLError("not supported")
        return self.millijoules.pop(0)

    def nvmlDeviceGetPowerUsage(self, handle: str) -> int:
        return self.milliwatts.pop(0)


def _with(monkeypatch: pytest.MonkeyPatch, fake: FakeNvml) -> FakeNvml:
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    return fake


def test_only_the_leased_card_is_metered_by_its_counter(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = _with(monkeypatch, FakeNvml([5_000_000, 5_700_000, 8_600_000], []))
    (card,), faults = nvml.cards({"CUDA_VISIBLE_DEVICES": "GPU-b000"})
    for _ in range(3):
        card.read(10.0)
    assert card.joules == pytest.approx(3600.0) and not faults  # 1 Wh, however often it was read
    assert set(fake.asked) == {"GPU-b000"} and card.name == "NVIDIA H100"


def test_a_card_without_a_counter_is_integrated_from_its_power(monkeypatch: pytest.MonkeyPatch) -> None:
    _with(monkeypatch, FakeNvml([], [100_000, 300_000, 300_000]))
    (card,), _ = nvml.cards({"CUDA_VISIBLE_DEVICES": "0"})
    for seconds in (0.0, 10.0, 5.0):
        card.read(seconds)
    assert card.how == "power" and card.joules == pytest.approx(200 * 10 + 300 * 5)


def test_a_driver_that_was_loaded_anew_subtracts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    _with(monkeypatch, FakeNvml([9_000, 10_000, 500, 1_500], []))
    (card,), _ = nvml.cards({"CUDA_VISIBLE_DEVICES": "0"})
    for _ in range(4):
        card.read(1.0)
    assert card.joules == pytest.approx(2.0)


def test_a_slice_of_a_card_and_an_unknown_one_are_told_and_not_metered(monkeypatch: pytest.MonkeyPatch) -> None:
    _with(monkeypatch, FakeNvml([], []))
    cards, faults = nvml.cards({"CUDA_VISIBLE_DEVICES": "MIG-77,GPU-zzz,7"})
    assert not cards and len(faults) == 3 and "slice" in faults[0] and "no such GPU" in faults[2]


def test_a_job_without_a_gpu_asks_no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)  # importing it would fail
    assert nvml.cards({}) == nvml.cards({"CUDA_VISIBLE_DEVICES": ""}) == ([], [])
    assert "not metered" in nvml.cards({"CUDA_VISIBLE_DEVICES": "0"})[1][0]
