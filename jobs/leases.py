"""Which device is whose, and which job may start next.

A lease is written in the same write transaction that changes the job's state, and write transactions are alone in the
store: nothing is claimed or leased twice, however many workers there are.

The line is kept: a job that fits this machine and has to wait for a device is not overtaken by a later one that wants
the same kind of device. So a job that needs four GPUs gets them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlmodel import Session, col, func, select, update

from jobs.devices import Found, kind_for
from storage.queries.queue import MOST_READY, is_paused, ready_jobs
from storage.tables import Device, Job, JobEvent, now

ACTIVE = ("starting", "running")
MOST_WITHOUT_DEVICE = 4  # jobs of a machine that hold none at a time: each is a process all the same
FIRST_LOOK = 12  # jobs of the line that a claim looks at first
STRANGERS_MIB = 1024  # a free card with more than this in use by others is left alone


def register_devices(session: Session, host: str, found: Iterable[Found]) -> None:
    """Write what the machine has now. A device that is gone stays only while a job holds it, blocked."""
    known = {device.name: device for device in session.exec(select(Device).where(Device.host == host))}
    for item in found:
        device = known.pop(item.name, None) or Device(host=host, name=item.name, kind=item.kind)
        device.title, device.memory_mib, device.free_mib = item.title, item.memory_mib, item.free_mib
        device.blocked, device.seen_at = _strangers(device, item), now()
        session.add(device)
    for gone in known.values():
        if gone.job_id is None:
            session.delete(gone)
        else:
            gone.blocked = "it is not there any more"
            session.add(gone)


def _strangers(device: Device, item: Found) -> str:
    used = item.memory_mib - item.free_mib
    if device.job_id is not None or used <= STRANGERS_MIB:
        return ""
    return f"{used / 1024:.1f} GiB of its memory are used by programs that the lab did not start"


def claim(session: Session, worker: str, host: str) -> Job | None:
    """The next job of this machine, now 'starting' with its devices leased. None: nothing may start."""
    if is_paused(session):
        return None
    devices = list(session.exec(select(Device).where(Device.host == host).order_by(Device.kind, Device.name)))
    without = select(func.count()).select_from(Job).where(
        col(Job.state).in_(ACTIVE), Job.host == host, Job.devices == 0)
    is_full = session.exec(without).one() >= MOST_WITHOUT_DEVICE
    for most in (FIRST_LOOK, MOST_READY):  # the first few mostly suffice, and two hundred rows take ten times as long
        line = ready_jobs(session, limit=most)
        for job in startable(line, devices):
            chosen = choose(job, devices)
            assert chosen is not None, "startable yields what can be chosen"
            if not job.devices and is_full:
                continue
            _take(session, job, chosen, (worker, host))
            return job
        if len(line) < most:
            break
    return None


def startable(line: Sequence[Job], devices: Sequence[Device]) -> Iterable[Job]:
    """The jobs of the line that may start on these devices now, in turn."""
    waited_for: set[str] = set()
    kinds = {device.kind for device in devices}
    for job in line:
        kind = kind_for(job.lane, kinds)
        if kind in waited_for and job.devices:  # what holds none takes nobody's turn
            continue
        if choose(job, devices) is not None:
            yield job
        elif could_ever(job, devices):
            waited_for.add(kind)


def choose(job: Job, devices: Sequence[Device]) -> list[Device] | None:
    """Free devices for a job, those with the least sufficient memory first; None when there are not enough."""
    fitting = [device for device in _of_kind(job, devices)
               if device.job_id is None and not device.blocked and device.free_mib >= _memory(job, device)]
    fitting.sort(key=lambda device: (device.free_mib, len(device.name), device.name))
    return fitting[: job.devices] if len(fitting) >= job.devices else None


def could_ever(job: Job, devices: Sequence[Device]) -> bool:
    """Whether the machine has enough devices of sufficient memory, were they all free."""
    fitting = [device for device in _of_kind(job, devices) if device.memory_mib >= _memory(job, device)]
    return len(fitting) >= job.devices


def _of_kind(job: Job, devices: Sequence[Device]) -> list[Device]:
    kind = kind_for(job.lane, {device.kind for device in devices})
    return [device for device in devices if device.kind == kind]


def _memory(job: Job, device: Device) -> int:
    """MiB the device must have. A CPU slot has no memory of its own, so nothing is asked of it."""
    return job.memory_mib if device.kind == "gpu" else 0


def _take(session: Session, job: Job, devices: Sequence[Device], taker: tuple[str, str]) -> None:
    """Of a worker and its machine; a job that only asks elsewhere holds no device."""
    worker, host = taker
    for device in devices:
        device.job_id, device.leased_at = job.id, now()
        session.add(device)
    begin_attempt(session, job, worker, ", ".join(device.name for device in devices))
    job.host = host
    session.add(job)


def begin_attempt(session: Session, job: Job, worker: str, on: str) -> None:
    """A queued job becomes 'starting'. What it reported before stays until its process says from where it goes on."""
    job.state, job.worker, job.attempt = "starting", worker, job.attempt + 1
    job.pid = job.start_ticks = job.boot_id = None
    job.facts, job.result = {}, None
    job.started_at, job.finished_at = now(), None
    session.add(job)
    session.add(JobEvent(job_id=job.id, state="starting", why=f"attempt {job.attempt} on {on or 'no device'}"))


def release(session: Session, job: Job) -> None:
    """Give back what a job holds. Only once no process of it is left."""
    session.exec(update(Device).where(col(Device.job_id) == job.id).values(job_id=None, leased_at=None))


def leased(session: Session, job: Job) -> tuple[str, ...]:
    """Names of the devices a job holds."""
    return tuple(session.exec(select(Device.name).where(Device.job_id == job.id).order_by(Device.name)))


def in_the_way(line: Sequence[Job], devices: Sequence[Device], services: Sequence[Job]) -> list[Job]:
    """The idle services that must end so that the first job of the line that waits for devices can start."""
    for job in line:
        if choose(job, devices) is not None or not could_ever(job, devices):
            continue
        names = {device.job_id: device for device in _of_kind(job, devices) if device.job_id is not None}
        idle = [service for service in services if service.id in names and service.facts.get("idle")]
        free = sum(device.job_id is None and not device.blocked for device in _of_kind(job, devices))
        return sorted(idle, key=lambda service: service.started_at or now())[: max(0, job.devices - free)]
    return []
