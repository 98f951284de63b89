"""What /proc says of this machine and of a set of its processes: CPU time, memory, the CPU's name (Linux)."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

GIB = 2**30
BUSY = (0, 1, 2, 5, 6, 7)  # user, nice, system, irq, softirq, steal; guest time is within user, idle and iowait are not


@dataclass(frozen=True)
class Machine:
    """What stays the same while a job runs. `threads` are logical CPUs; `virtual`: a hypervisor hides the real CPU."""

    cpu_model: str
    threads: int
    sockets: int
    virtual: bool
    memory_gib: float


@dataclass(frozen=True)
class Use:
    """CPU seconds so far and memory now, of some processes and of the whole machine."""

    cpu_s: float
    machine_cpu_s: float
    resident_gib: float


def machine(proc: Path = Path("/proc")) -> Machine:
    """Read once. The name is empty where the kernel does not tell it (ARM)."""
    model, flags, sockets = "", "", set()
    for line in (proc / "cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            model = value.strip()
        elif name.strip() == "flags":
            flags = value
        elif name.strip() == "physical id":
            sockets.add(value.strip())
    total_kib = next(line.split()[1] for line in (proc / "meminfo").read_text().splitlines() if "MemTotal" in line)
    return Machine(model, os.cpu_count() or 1, len(sockets) or 1, "hypervisor" in flags.split(), int(total_kib) / 2**20)


def use(pids: Iterable[int], proc: Path = Path("/proc")) -> Use:
    """The processes' own CPU time and that of the children they have waited for; those that are gone count nothing."""
    ticks = os.sysconf("SC_CLK_TCK")
    pages, cpu_ticks = 0, 0
    for pid in pids:
        try:
            stat = (proc / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
            pages += int((proc / str(pid) / "statm").read_text().split()[1])
        except (OSError, IndexError):
            continue
        cpu_ticks += sum(int(stat[field]) for field in range(11, 15))  # utime, stime, cutime, cstime
    fields = [int(field) for field in (proc / "stat").read_text().split("\n", 1)[0].split()[1:]]
    busy = sum(fields[index] for index in BUSY if index < len(fields))
    return Use(cpu_ticks / ticks, busy / ticks, pages * os.sysconf("SC_PAGE_SIZE") / GIB)
