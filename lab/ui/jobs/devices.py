"""Every machine's devices and who holds them, the workers, and a banner while the queue is paused. Pure: drawn from a
Board."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from lab.ui.components.folds import fold
from lab.ui.components.html import ago, chip, duration
from lab.ui.components.markup import Html, join, tag
from lab.ui.jobs.waiting import NAMES
from storage.queries.jobs import LIVE_S

if TYPE_CHECKING:
    from lab.ui.jobs.board import Board
    from storage.tables import Device, Job, Worker

MIB_PER_GIB = 1024
MOST_OPEN = 2  # machines; with more of them each is a line to unfold
FRESH = timedelta(minutes=2)  # memory as old as that is shown without its age
FORGOTTEN = timedelta(hours=1)  # a worker that has been silent for longer is not shown


def pause_banner(board: Board) -> Html:
    """Said on top while nothing starts because the queue is paused."""
    since = board.queue.paused_since
    if since is None:
        return Html("")
    n_waiting, n_running = board.counts.get("queued", 0), board.counts.get("running", 0)
    waits = "no job waits" if not n_waiting else f"{n_waiting} job{' waits' if n_waiting == 1 else 's wait'}"
    goes_on = f" What runs goes on ({n_running})." if n_running else ""
    return tag("p", tag("b", "The queue is paused"), " (", ago(since), f"): nothing new starts, {waits}.{goes_on}",
               cls="lab-banner", role="status")


def devices_panel(board: Board) -> Html:
    """One fold a machine, and a line about the workers."""
    hosts = sorted({device.host for device in board.queue.devices})
    machines = [_machine(host, board, opened=len(hosts) <= MOST_OPEN) for host in hosts]
    if not machines:
        machines = [tag("p", "No machine has shown its devices yet: they are listed when a worker starts.", cls="note")]
    return tag("div", tag("div", *machines, cls="machines"), _workers(board.workers), cls="devices")


def _machine(host: str, board: Board, opened: bool) -> Html:
    own = [device for device in board.queue.devices if device.host == host]
    tiles = tag("ul", *(_tile(device, board) for device in own), cls="tiles")
    title = join([tag("b", host), " ", tag("small", "; ".join(_counts(own)))])
    return fold(f"machine-{host}", title, tiles, opened=opened, cls="machine")


def _counts(devices: Sequence[Device]) -> list[str]:
    """'3 of 4 GPUs in use, 1 blocked'."""
    found = []
    for kind in dict.fromkeys(device.kind for device in devices):
        own = [device for device in devices if device.kind == kind]
        blocked = sum(bool(device.blocked) for device in own)
        used = sum(device.job_id is not None for device in own)
        one, many = NAMES.get(kind, (kind, kind))
        found.append(f"{used} of {len(own)} {many if len(own) > 1 else one} in use"
                     f"{f', {blocked} blocked' if blocked else ''}")
    return found


def _tile(device: Device, board: Board) -> Html:
    holder = board.holders.get(device.job_id) if device.job_id is not None else None
    state = "blocked" if device.blocked else "held" if device.job_id is not None else "free"
    name = tag("div", tag("b", device.title or device.name), tag("small", _since(device)), cls="tile-head")
    return tag("li", name, tag("div", _use(device, holder, board), cls="tile-use"), _memory(device),
               tag("small", device.blocked, title=device.blocked, cls="why") if device.blocked else None,
               cls=f"tile {state}", title=f"{device.title} ({device.name})")


def _use(device: Device, holder: Job | None, board: Board) -> Html:
    if holder is None:
        return tag("span", "not leased" if device.blocked else "free" if device.job_id is None else
                   f"job {device.job_id}", cls="note")
    name = chip(holder.name.partition(" on ")[2] or holder.name, board.arms.get(device.job_id or 0, "base"))
    return tag("a", tag("b", holder.id), " ", name, href=f"/jobs?id={holder.id}", data_select=True, cls="row-link")


def _since(device: Device) -> Html | None:
    if device.job_id is None or device.leased_at is None:
        return None
    minutes = (datetime.now(UTC) - device.leased_at).total_seconds() // 60
    stamp = f"leased {device.leased_at:%Y-%m-%d %H:%M:%S} UTC"
    return tag("time", f"for {duration(60 * minutes)}" if minutes else "just now", title=stamp)


def _memory(device: Device) -> Html | None:
    """Of a GPU: used and in all, as a bar with its words."""
    if not device.memory_mib:
        return None
    used = max(0, device.memory_mib - device.free_mib)
    words = join([f"{used / MIB_PER_GIB:.0f} of {device.memory_mib / MIB_PER_GIB:.0f} GiB used", _seen(device)])
    bar = tag("span", tag("i", style=f"width:{100 * used / device.memory_mib:.1f}%"), cls="bar")
    return tag("div", bar, tag("small", words), cls="memory")


def _seen(device: Device) -> Html | None:
    """How old the figure is, once it is. A worker looks at memory only while jobs wait."""
    return join([", seen ", ago(device.seen_at)]) if datetime.now(UTC) - device.seen_at > FRESH else None


def _workers(workers: Sequence[Worker]) -> Html:
    moment = datetime.now(UTC)
    shown = [worker for worker in workers if moment - worker.heartbeat_at < FORGOTTEN]
    if not shown:
        return tag("p", "No worker runs, so nothing starts. Start one in a terminal: ",
                   tag("code", "python -m jobs worker"), cls="workers")
    return tag("p", "Workers: ", join((_worker(worker, moment) for worker in shown), "; "), cls="workers")


def _worker(worker: Worker, moment: datetime) -> Html:
    """'main on node-1, alive'. The seconds of a living one are left out: they would change at every look."""
    label = worker.name.removeprefix(f"{worker.host}/").partition(":")[0]
    silent = (moment - worker.heartbeat_at).total_seconds()
    sign = tag("span", "alive", cls="good") if silent < LIVE_S else tag("span", "last seen ",
                                                                        ago(worker.heartbeat_at), cls="bad")
    stamp = f"process {worker.pid}, started {worker.started_at:%Y-%m-%d %H:%M} UTC"
    return tag("span", f"{label} on {worker.host} ", sign, title=stamp)
