"""The grid of a study before it is launched: every variant with what it would train on and how long it may take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.studies.plan import plan
from lab.studies.preview import PreviewRow, preview
from lab.ui.components.html import chip, duration, number
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.table import Column, Row, table
from storage.queries.jobs import list_jobs
from storage.queries.queue import devices

if TYPE_CHECKING:
    from lab.studies.spec import StudySpec
    from storage.database import Store
    from storage.tables import Device

COLUMNS = [
    Column("Variant", wide=True), Column("Rows", number=True),
    Column("Dropped", number=True, hint="rows longer than max_length, left out of every arm alike"),
    Column("Tokens", number=True, hint="of one pass over the rows"), Column("Steps", number=True),
    Column("Memory", number=True, hint="of each device, an upper estimate for rows of full length"),
    Column("Time", number=True, hint="an estimate, from finished jobs or the base's card"),
]


def read_grid(store: Store, spec: StudySpec, run_on: str = "") -> Html:
    """A table of every variant, and the sum in one sentence. On a cluster nothing is known of its devices' memory."""
    gpus = [] if run_on else _gpus(store)
    room = room_of(store, run_on)
    rows = preview(spec, measured_speeds(store), room.on_gpu)
    lines = [_row(row, row.memory_mib, room) for row in rows]
    largest = max(gpus, key=lambda gpu: gpu.memory_mib, default=None)
    words = [total(rows, len(plan(spec)))]
    if largest is not None:
        words.append(f"The largest GPU here is {largest.title} of {largest.host} with {_gib(largest.memory_mib)}.")
    return join([tag("p", " ".join(words), cls="note"), table(COLUMNS, lines, caption="Variants")])


@dataclass(frozen=True)
class Room:
    """What a variant's memory is held against. `most_mib` 0: nothing is known."""

    on_gpu: bool
    most_mib: int = 0


def room_of(store: Store, run_on: str = "") -> Room:
    """What is known of the devices it would run on."""
    gpus = [] if run_on else _gpus(store)
    return Room(bool(gpus) or bool(run_on), max((gpu.memory_mib for gpu in gpus), default=0))


def _gpus(store: Store) -> list[Device]:
    with store.read() as session:
        return [device for device in devices(session) if device.kind == "gpu"]


def _gib(mib: int) -> str:
    return f"{mib / 1024:.0f} GiB" if mib >= 10 * 1024 else f"{mib / 1024:.1f} GiB"


def measured_speeds(store: Store) -> dict[tuple[str, str], float]:
    """(base, target) → tokens per second of the newest training that succeeded here."""
    with store.read() as session:
        jobs, _ = list_jobs(session, states=("succeeded",), kinds=("sft",), sort="id", limit=500)
    return {
        (job.spec["base"], job.spec["target"]): float(job.result["tokens_per_s"])
        for job in jobs if job.result and job.result.get("tokens_per_s")
    }


def total(rows: Sequence[PreviewRow], n_jobs: int) -> str:
    """'4 variants, 10 jobs in all. Training takes about 6 min, one after the other.'"""
    broken = sum(bool(row.problem) for row in rows)
    words = f"{len(rows)} variant{'' if len(rows) == 1 else 's'}, {n_jobs} job{'' if n_jobs == 1 else 's'} in all."
    if broken:
        return f"{words} Not all of the variants can be trained as they are ({broken} cannot): see below."
    unknown = sum(row.minutes is None for row in rows)
    known = duration(60 * sum(row.minutes or 0 for row in rows))
    if unknown == len(rows):
        return f"{words} How long training takes is known once one of them has been trained here."
    more = f", and more for {unknown} whose speed is not known yet" if unknown else ", one after the other"
    return f"{words} Training takes about {known}{more}."


def _row(row: PreviewRow, memory: int | None, room: Room) -> Row:
    name = chip(row.variant, row.target)
    if row.problem:
        return Row([join([name, tag("small", row.problem, cls="bad")]), *([number(None)] * 6)])
    minutes = number(None) if row.minutes is None else duration(60 * row.minutes)
    dropped = tag("b", row.n_dropped) if row.n_dropped else 0
    return Row([name, number(row.n_rows), dropped, number(row.n_tokens), number(row.n_steps), _memory(memory, room),
                minutes])


def _memory(mib: int | None, room: Room) -> Html:
    if mib is None:
        return number(None)
    too_much = 0 < room.most_mib < mib
    return join([_gib(mib), tag("small", "more than any GPU here", cls="bad") if too_much else None])
