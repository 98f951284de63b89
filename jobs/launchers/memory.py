"""How much memory can be had on this machine now."""

from __future__ import annotations

from pathlib import Path


def available_mib(proc: Path = Path("/proc/meminfo"), group: Path = Path("/sys/fs/cgroup")) -> int:
    """Memory that can be had now: the machine's, or this container's where that is less (cgroup v2)."""
    lines = dict(line.split(":") for line in proc.read_text().splitlines())
    machine = int(lines["MemAvailable"].split()[0]) // 1024
    try:
        limit = (group / "memory.max").read_text().strip()
        if limit == "max":
            return machine
        used = int((group / "memory.current").read_text())
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return min(machine, (int(limit) - used + int(stat["inactive_file"])) // 2**20)
    except OSError:  # no cgroup v2, or its root, which has no limit
        return machine
