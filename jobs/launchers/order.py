"""What a launcher is given to start one attempt of one job on this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from jobs.processes import MARK
from jobs.provenance import ROOT
from storage.files import JobFolder

DEVICES = "LAB_DEVICES"  # what the job has leased, comma-separated: 'cpu:0' or 'gpu:GPU-2f1c…'
GPU = "gpu:"
SECRETS = ("LAB_DATABASE_URL", "PGPASSWORD")  # a job never opens the store


@dataclass(frozen=True)
class Order:
    """One attempt of one job. `devices` are leased for it; `threads` is its fair share of the cores."""

    uid: str
    folder: JobFolder
    attempt: int
    devices: tuple[str, ...] = ()
    threads: int = 1
    warm: bool = False  # the task imports torch, so a warm start pays

    @property
    def command(self) -> list[str]:
        """The arguments after the interpreter."""
        return ["-m", "jobs.runner", str(self.folder.path), str(self.attempt)]

    def environment(self, env: Mapping[str, str] = os.environ) -> dict[str, str]:
        """`env` with the job's mark, its devices and its threads (unless OMP_NUM_THREADS is set already)."""
        path = os.pathsep.join(filter(None, (str(ROOT), env.get("PYTHONPATH"))))
        defaults = {"OMP_NUM_THREADS": str(self.threads), "TOKENIZERS_PARALLELISM": "false"}
        own = {MARK: self.uid, DEVICES: ",".join(self.devices), "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
        given = {name: value for name, value in env.items() if name not in SECRETS}
        return {**defaults, **given, **own, **self._gpus()}

    def _gpus(self) -> dict[str, str]:
        """By UUID: an index means another card as soon as somebody sets CUDA_VISIBLE_DEVICES."""
        gpus = [name.removeprefix(GPU) for name in self.devices if name.startswith(GPU)]
        return {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": ",".join(gpus)} if gpus else {}
