"""The GPUs that a job holds, read through NVML (NVIDIA's pynvml): energy counter, or power where a card has none.

A job's lease of a GPU is exclusive, so the whole card's energy is the job's, idle times included. A slice of a card
(MIG) has no counter of its own: it is not metered, and the account says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

MILLI = 1e-3


@dataclass
class Card:
    """One GPU. `joules` so far; `how`: its energy counter, or the mean of two power readings times their distance."""

    nvml: Any
    handle: Any
    uuid: str
    name: str
    how: Literal["counter", "power"] = "counter"
    joules: float = 0.0
    _last_mj: int | None = field(default=None)
    _last_w: float | None = field(default=None)

    def read(self, seconds: float) -> None:
        """Take a reading, `seconds` after the last one."""
        if self.how == "counter":
            try:
                now = int(self.nvml.nvmlDeviceGetTotalEnergyConsumption(self.handle))
            except self.nvml.NVMLError:
                if self._last_mj is not None:
                    raise  # it has counted before: this is trouble, not a card without a counter
                self.how = "power"
            else:
                # A driver that is loaded anew counts from 0 again.
                self.joules += max(0, now - (now if self._last_mj is None else self._last_mj)) * MILLI
                self._last_mj = now
                return
        watts = self.nvml.nvmlDeviceGetPowerUsage(self.handle) * MILLI
        if self._last_w is not None:
            self.joules += (watts + self._last_w) / 2 * seconds
        self._last_w = watts

    def as_dict(self) -> dict[str, Any]:
        return {"uuid": self.uuid, "name": self.name, "joules": round(self.joules, 3), "how": self.how}


def cards(environment: Mapping[str, str]) -> tuple[list[Card], list[str]]:
    """The job's GPUs by CUDA_VISIBLE_DEVICES (which every lease sets), and a sentence for each that is not metered."""
    wanted = [name.strip() for name in environment.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    if not wanted or wanted == ["-1"]:
        return [], []
    try:
        import pynvml

        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        known = [(_text(pynvml.nvmlDeviceGetUUID(handle)), handle) for handle in handles]
    except Exception as error:  # no driver, no library, a library of another version
        return [], [f"the energy of {len(wanted)} GPU(s) is not metered: NVML says {type(error).__name__}: {error}"]
    found, faults = [], []
    for name in wanted:
        matching = [pair for pair in known if pair[0].startswith(name)]
        matching = known[int(name):int(name) + 1] if name.isdigit() else matching
        if len(matching) == 1:
            uuid, handle = matching[0]
            found.append(Card(pynvml, handle, uuid, _text(pynvml.nvmlDeviceGetName(handle))))
        else:
            why = "a slice of a card has no counter" if name.startswith("MIG-") else "NVML knows no such GPU"
            faults.append(f"the energy of GPU {name} is not metered: {why}")
    return found, faults


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
