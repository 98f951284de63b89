"""What this machine has to lease: its GPUs, or where there are none, slots of its CPU.

On a machine without GPUs there are two lanes: `cpu` slots for work, and `chat` slots for interactive services, so that
a question in the chat does not wait for a grid of trainings. On a machine with GPUs everything leases GPUs.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from jobs.launchers.order import GPU

Kind = Literal["gpu", "cpu", "chat"]
QUERY = ("nvidia-smi", "--query-gpu=index,uuid,name,memory.total,memory.free", "--format=csv,noheader,nounits")
PATIENCE_S = 20  # a driver that has just been loaded takes its time


@dataclass(frozen=True)
class Found:
    """One device as it is now. Memory in MiB; 0 for a CPU slot."""

    name: str
    kind: Kind
    title: str
    memory_mib: int = 0
    free_mib: int = 0


def kind_for(lane: str, kinds: set[str]) -> Kind:
    """What a job of a lane leases on a machine that has devices of these kinds."""
    if "gpu" in kinds:
        return "gpu"
    return "chat" if lane == "chat" else "cpu"


def find_devices(slots: int, chat_slots: int, env: Mapping[str, str] = os.environ) -> list[Found]:
    """GPUs that this process may see (CUDA_VISIBLE_DEVICES; none when LAB_GPUS=off), else the CPU's slots."""
    gpus = [] if env.get("LAB_GPUS", "").lower() == "off" else visible(read_gpus(), env.get("CUDA_VISIBLE_DEVICES"))
    return gpus or cpu_slots(slots, chat_slots)


def cpu_slots(slots: int, chat_slots: int) -> list[Found]:
    work = [Found(f"cpu:{number}", "cpu", f"CPU slot {number}") for number in range(slots)]
    return work + [Found(f"chat:{number}", "chat", f"chat slot {number}") for number in range(chat_slots)]


def read_gpus() -> list[tuple[str, Found]]:
    """(index, GPU) of each card that nvidia-smi lists; empty without a driver."""
    try:
        done = subprocess.run(QUERY, capture_output=True, text=True, timeout=PATIENCE_S)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return parse_gpus(done.stdout) if done.returncode == 0 else []


def parse_gpus(text: str) -> list[tuple[str, Found]]:
    """nvidia-smi's lines '0, GPU-2f1c…, NVIDIA H200, 143771, 143000'. A card whose memory is not told is left out."""
    found = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split(",")]
        if len(cells) == 5 and cells[3].isdigit() and cells[4].isdigit():
            index, uuid, name, total, free = cells
            found.append((index, Found(f"{GPU}{uuid}", "gpu", f"GPU {index}, {name}", int(total), int(free))))
    return found


def visible(gpus: Sequence[tuple[str, Found]], wanted: str | None) -> list[Found]:
    """The cards that CUDA_VISIBLE_DEVICES names by index or by (the beginning of) a UUID; all of them when it is unset.

    As CUDA does, everything after the first entry that names no card is ignored.
    """
    if wanted is None:
        return [gpu for _, gpu in gpus]
    chosen: list[Found] = []
    for entry in (part.strip() for part in wanted.split(",")):
        match = [gpu for index, gpu in gpus if entry and (entry == index or gpu.name.startswith(f"{GPU}{entry}"))]
        if len(match) != 1:
            break
        chosen += match
    return chosen
