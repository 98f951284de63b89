"""A job's last whole checkpoint as the page tells it: step, size, age. Reads the job's folder, never the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lab.core.checkpoints import SEAL, Checkpoints
from lab.ui.components.html import ago
from lab.ui.components.markup import Html, join

MIB = 2**20


@dataclass(frozen=True)
class Saved:
    """The last whole checkpoint. `n_broken`: folders beside it that are not whole and are skipped."""

    step: int
    size_mib: float
    at: datetime
    n_broken: int = 0

    @property
    def words(self) -> Html:
        broken = f"; {self.n_broken} half-written one{'s' * (self.n_broken > 1)} skipped" if self.n_broken else ""
        return join([f"step {self.step}, {size(self.size_mib)}, ", ago(self.at), broken])


def last_saved(checkpoints: Checkpoints) -> Saved | None:
    """None when there is no whole one. A folder that is pruned while it is looked at counts as none."""
    whole = checkpoints.last_whole()
    if whole is None:
        return None
    try:
        at = datetime.fromtimestamp((whole.folder / SEAL).stat().st_mtime, UTC)
        return Saved(whole.step, _bytes(whole.folder) / MIB, at, len(checkpoints.broken()))
    except OSError:
        return None


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def size(mib: float) -> str:
    """'12 MiB', '3.4 GiB'."""
    if mib < 1:
        return "less than 1 MiB"
    return f"{mib:.0f} MiB" if mib < 1024 else f"{mib / 1024:.1f} GiB"
