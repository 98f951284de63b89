"""The energy counters of CPU packages and their memory (RAPL, through Linux's powercap; Intel, and AMD since Zen).

They count for the whole machine and wrap around. Since 2020 only root may read them (CVE-2020-8694), and virtual
machines do not show them: then there are none here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")
MICRO = 1e-6


@dataclass
class Counter:
    """One energy counter. `joules_since` is what it grew by since the last call; the first call gives 0."""

    path: Path
    most_uj: int  # the value after which it starts again at 0
    last_uj: int | None = field(default=None)

    def joules_since(self) -> float:
        now = int(self.path.read_text())
        before, self.last_uj = self.last_uj, now
        if before is None:
            return 0.0
        return (now - before if now >= before else now + self.most_uj - before) * MICRO


def counters(root: Path = POWERCAP) -> Mapping[str, list[Counter]]:
    """{"cpu": one a package, "memory": one a package that has it}. Only those that can be read; empty lists otherwise.

    'psys' (the whole board) is left out: it holds the packages once more.
    """
    found: dict[str, list[Counter]] = {"cpu": [], "memory": []}
    for folder in sorted(root.glob("intel-rapl:*")) if root.is_dir() else []:
        try:
            name = (folder / "name").read_text().strip()
            counter = Counter(folder / "energy_uj", int((folder / "max_energy_range_uj").read_text()))
            counter.joules_since()
        except (OSError, ValueError):
            continue
        if name.startswith("package"):
            found["cpu"].append(counter)
        elif name == "dram":
            found["memory"].append(counter)
    return found
