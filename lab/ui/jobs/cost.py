"""What a job has cost so far: device-hours, money where a price is set, energy once an attempt has ended. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from lab.energy.words import how, sentence

if TYPE_CHECKING:
    from storage.tables import Job

SECONDS_PER_HOUR = 3600
WAITS_IN_SLURM = ("PENDING", "REQUEUED", "SUSPENDED")
UNITS = {"gpu": "GPU-hours", "cpu": "CPU-slot-hours", "chat": "chat-slot-hours", "": "device-hours"}


@dataclass(frozen=True)
class Cost:
    """`kind` of device ('' where it is not known); `price` is of one GPU-hour, 0 where none is set."""

    hours: float
    kind: str = ""
    price: float = 0

    @property
    def words(self) -> str:
        """'1.25 GPU-hours, about 3.13 at 2.50 an hour'."""
        unit = UNITS.get(self.kind, UNITS[""])
        money = f", about {self.hours * self.price:.2f} at {self.price:.2f} an hour"
        return f"{figure(self.hours)} {unit}{money if self.price and self.kind == 'gpu' else ''}"


def cost(job: Job, moment: datetime, kind: str, price: float = 0) -> Cost:
    """All ended attempts, and the running one until `moment`."""
    seconds = job.device_seconds
    if job.state in ("starting", "running") and job.started_at and job.cluster.get("state") not in WAITS_IN_SLURM:
        seconds += max(1, job.devices) * (moment - job.started_at).total_seconds()
    return Cost(max(0.0, seconds) / SECONDS_PER_HOUR, kind, price)


def energy_facts(job: Job) -> list[tuple[str, object]]:
    """The number with its interval, and how it was found. Nothing before the first attempt has ended."""
    if not job.energy:
        return []
    found: list[tuple[str, object]] = [("energy", sentence(job.energy))]
    return found + ([("energy is", "; ".join(how(job.energy)))] if how(job.energy) else [])


def device_kind(on: str) -> str:
    """What an attempt ran on, from the names of its devices: 'gpu:GPU-2f…, gpu:GPU-9c…' → 'gpu'."""
    kinds = {name.strip().partition(":")[0] for name in on.split(",") if ":" in name}
    return kinds.pop() if len(kinds) == 1 and kinds <= set(UNITS) else ""


def figure(hours: float) -> str:
    """Three figures at most; a short run is not 0."""
    if hours == 0:
        return "0"
    if hours < 0.001:
        return "less than 0.001"
    return f"{hours:.3f}" if hours < 1 else f"{hours:.2f}" if hours < 100 else f"{hours:.0f}"
