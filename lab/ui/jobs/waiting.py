"""Why a queued job does not run yet, in words. Pure: what is known is handed in, nothing is read here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from jobs.devices import kind_for
from jobs.leases import choose, could_ever
from lab.ui.components.html import duration
from storage.tables import Device, Job

if TYPE_CHECKING:
    from storage.queries.queue import Place

MIB_PER_GIB = 1024
NAMES = {"gpu": ("GPU", "GPUs"), "cpu": ("CPU slot", "CPU slots"), "chat": ("chat slot", "chat slots")}


@dataclass(frozen=True)
class Queue:
    """What decides when waiting jobs start. `live_hosts` are the machines with a living worker."""

    places: Mapping[int, Place] = field(default_factory=dict)
    unmet: Mapping[int, Sequence[int]] = field(default_factory=dict)  # job → jobs it needs that have not succeeded
    devices: Sequence[Device] = ()
    live_hosts: frozenset[str] = frozenset()
    paused_since: datetime | None = None


@dataclass(frozen=True)
class Waiting:
    """Where a job stands in the line and why it waits. `stuck`: time alone will not start it.

    `needs` are the jobs it waits for; `why` then says the same in words.
    """

    number: int | None
    seconds: float | None
    why: str
    needs: Sequence[int] = ()
    stuck: bool = False

    @property
    def place(self) -> str:
        """'#3'; nothing for a job that is being cancelled."""
        return f"#{self.number}" if self.number else ""

    @property
    def when(self) -> str:
        """'about 12 min'; nothing where it is not known or would not be true."""
        if self.seconds is None or self.stuck:
            return ""
        return "less than a minute" if self.seconds < 60 else f"about {duration(60 * round(self.seconds / 60))}"


def waiting(job: Job, queue: Queue) -> Waiting:
    """The first that holds of: paused, no worker, needs a job, fits no machine, strangers use the card, its turn."""
    assert job.id is not None
    place, needs = queue.places.get(job.id), queue.unmet.get(job.id, ())
    number, seconds = (place.number, place.seconds) if place else (None, None)
    why, stuck = _obstacle(job, queue, bool(needs))
    if why:
        return Waiting(number, seconds, why, needs, stuck)
    if needs:
        return Waiting(number, seconds, _waits_for(needs), needs)
    why, stuck = _for_devices(job, queue) if not job.run_on else _for_cluster(job)
    return Waiting(number, seconds, why, (), stuck)


def _obstacle(job: Job, queue: Queue, has_needs: bool) -> tuple[str, bool]:
    if queue.paused_since is not None:
        return "the queue is paused", True
    if not queue.live_hosts:
        return "no worker runs", True
    if not has_needs and not job.run_on and (never := fits_nowhere(job, _by_host(queue))):
        return never, True
    return "", False


def _waits_for(needs: Sequence[int]) -> str:
    more = f" and {len(needs) - 1} more" if len(needs) > 1 else ""
    return f"waits for job {needs[0]}{more}"


def _for_cluster(job: Job) -> tuple[str, bool]:
    """A sentence on a queued job tells why its cluster cannot be asked, such as a profile that is gone."""
    text = str(job.cluster.get("text") or "")
    return (text, True) if text else ("is handed to Slurm next", False)


def came_back(job: Job) -> bool:
    """Whether it waits again because its process was lost; a retry begins without a start."""
    return job.state == "queued" and job.started_at is not None


def _by_host(queue: Queue) -> list[list[Device]]:
    """The devices of every machine that has a worker."""
    found: dict[str, list[Device]] = {host: [] for host in sorted(queue.live_hosts)}
    for device in queue.devices:
        if device.host in found:
            found[device.host].append(device)
    return list(found.values())


def fits_nowhere(job: Job, machines: Sequence[Sequence[Device]]) -> str:
    """Why no machine could run it even when idle: too few devices, or too little memory. Empty when one could."""
    if any(could_ever(job, machine) for machine in machines):
        return ""
    if not any(machines):
        return "no machine has shown its devices yet"
    own = [_of_kind(job, machine) for machine in machines]
    most = max((len(devices) for devices in own), default=0)
    kind = next((devices[0].kind for devices in own if devices), "gpu" if job.memory_mib else "cpu")
    one, many = NAMES[kind]
    if most < job.devices:
        return f"needs {job.devices} {many if job.devices > 1 else one} and the largest machine has {most}"
    # The machine's N-th largest device decides whether N of them have enough.
    best = max(sorted((device.memory_mib for device in devices), reverse=True)[job.devices - 1]
               for devices in own if len(devices) >= job.devices)
    needed, there = f"about {_gib(job.memory_mib)} GiB", f"{_gib(best)} GiB"
    if job.devices == 1:
        return f"needs {needed} and the largest {one} has {there}"
    return f"needs {needed} on each of {job.devices} {many}, and no machine has {job.devices} with more than {there}"


def _for_devices(job: Job, queue: Queue) -> tuple[str, bool]:
    machines = _by_host(queue)
    if any(choose(job, machine) is not None for machine in machines):
        return "starts next", False
    if not any(could_ever(job, [device for device in machine if not device.blocked]) for machine in machines):
        card = next(device for machine in machines for device in _of_kind(job, machine) if device.blocked)
        return f"{card.title or card.name} is not leased: {card.blocked}", True
    kind = next((devices[0].kind for devices in (_of_kind(job, machine) for machine in machines) if devices), "cpu")
    return f"waits its turn: no {NAMES[kind][0]} is free for it", False


def _of_kind(job: Job, machine: Sequence[Device]) -> list[Device]:
    kind = kind_for(job.lane, {device.kind for device in machine})
    return [device for device in machine if device.kind == kind]


def _gib(mib: int) -> str:
    return f"{mib / MIB_PER_GIB:.0f}" if mib >= 10 * MIB_PER_GIB else f"{mib / MIB_PER_GIB:.1f}"
