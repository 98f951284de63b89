"""How all jobs stand: one squeue for all of them, sacct for those it has forgotten, and each job's folder.

It remembers one thing between two polls: since when nothing about a job has changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jobs.slurm.commands import Commands, Row, Unreachable
from jobs.slurm.refs import Ref, Watch
from jobs.slurm.states import FINAL, SETTLE_S, Evidence, Hints, Reading, read
from storage.files import read_json


@dataclass
class Poll:
    """`clock` counts this machine's seconds and never goes back; other machines' clocks are not asked."""

    commands: Commands
    minutes: int
    output: Callable[[Watch], Path]
    settle_s: float = SETTLE_S
    clock: Callable[[], float] = time.monotonic
    answered: bool = True  # whether Slurm did, when it was asked last
    _since: dict[Ref, tuple[object, float]] = field(default_factory=dict, repr=False)
    _accounting: bool | None = field(default=None, repr=False)

    def __call__(self, watches: Sequence[Watch]) -> dict[Ref, Reading]:
        rows = self.commands.queue()
        self.answered = not isinstance(rows, Unreachable)
        if isinstance(rows, Unreachable):
            return {watch.ref: _without_slurm(watch, f"Slurm does not answer: {rows.why}") for watch in watches}
        known = {Ref(row.job_id, row.comment): row for row in rows}
        accounted = self._accounted([watch.ref for watch in watches if watch.ref not in known])
        self._since = {watch.ref: self._since[watch.ref] for watch in watches if watch.ref in self._since}
        if isinstance(accounted, Unreachable):
            away = f"Slurm's accounting does not answer: {accounted.why}"
            unsure = {watch.ref: _without_slurm(watch, away) for watch in watches if watch.ref not in known}
            return unsure | {watch.ref: self._read(watch, known[watch.ref]) for watch in watches if watch.ref in known}
        return {watch.ref: self._read(watch, (known | accounted).get(watch.ref)) for watch in watches}

    def _accounted(self, forgotten: list[Ref]) -> dict[Ref, Row] | Unreachable:
        if not forgotten:
            return {}
        if self._accounting is None:
            there = self.commands.has_accounting()
            if isinstance(there, Unreachable):
                return there
            self._accounting = there
        rows = self.commands.accounts(ref.job_id for ref in forgotten) if self._accounting else {}
        if isinstance(rows, Unreachable):
            return rows
        # Many sites do not keep comments in the accounting; where they do, a foreign one is another job's.
        return {ref: rows[ref.job_id] for ref in forgotten
                if ref.job_id in rows and rows[ref.job_id].comment in ("", ref.tag)}

    def _read(self, watch: Watch, row: Row | None) -> Reading:
        hints = Hints(self.minutes, str(self.output(watch)))
        reading = read(row, self._evidence(watch, row), hints, self.settle_s)
        return replace(reading, state=row.state, why="" if row.reason == "None" else row.reason) if row else reading

    def _evidence(self, watch: Watch, row: Row | None) -> Evidence:
        status = _status(watch)
        seen = (row.state if row else None, status.get("phase"), status.get("beat"))
        before, since = self._since.get(watch.ref, (None, 0.0))
        if before != seen:
            since = self.clock()
            self._since[watch.ref] = (seen, since)
        whole = watch.folder.checkpoints.last_whole()
        return Evidence(status.get("phase"), self.clock() - since, bool(whole and whole.step > watch.began_at))


def _without_slurm(watch: Watch, why: str) -> Reading:
    """A final verdict in the folder stands without Slurm; all else stays as it was."""
    return Reading("ended", how="verdict") if _status(watch).get("phase") in FINAL else Reading("unknown", why)


def _status(watch: Watch) -> dict[str, Any]:
    """status.json, if it is of this attempt."""
    status = read_json(watch.folder.status) or {}
    return status if status.get("attempt") == watch.attempt else {}
