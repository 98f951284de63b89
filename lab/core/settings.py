"""What the environment decides: where things are kept, where the page listens, whether a worker runs here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.core.errors import Fault, SpecError


@dataclass(frozen=True)
class Settings:
    """One reading of the environment. `space` is the read-only demo mode of a public Hugging Face Space."""

    home: Path
    database_url: str
    host: str
    port: int
    worker: bool
    slots: int
    space: bool
    min_free_mib: int = 200  # a job does not start with less room on the disk

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read LAB_HOME, LAB_DATABASE_URL, LAB_HOST, LAB_PORT or PORT, LAB_WORKER, LAB_SLOTS, LAB_MIN_FREE_MIB and
        SPACE_ID. All faults together."""
        env = os.environ if env is None else env
        home = Path(env.get("LAB_HOME") or ".lab").expanduser().absolute()
        space = bool(env.get("SPACE_ID"))
        faults: list[Fault] = []
        port = _number(env, "LAB_PORT" if env.get("LAB_PORT") else "PORT", 7860, 65535, faults)
        slots = _number(env, "LAB_SLOTS", default_slots(), 64, faults)
        min_free_mib = _number(env, "LAB_MIN_FREE_MIB", 200, 10**9, faults, least=0)
        worker = (env.get("LAB_WORKER") or "on").lower()
        if worker not in ("on", "off"):
            faults.append(Fault("LAB_WORKER", f"should be on or off (got {worker!r})", worker))
        if faults:
            raise SpecError(faults, "environment")
        return cls(
            home=home,
            database_url=env.get("LAB_DATABASE_URL") or f"sqlite:///{home / 'lab.db'}",
            host=env.get("LAB_HOST") or ("0.0.0.0" if space else "127.0.0.1"),
            port=port,
            worker=worker == "on",
            slots=slots,
            space=space,
            min_free_mib=min_free_mib,
        )


def default_slots() -> int:
    """Jobs at the same time: one where there is a GPU to fill, else two if there are two cores.

    The embedded bases are too small for two threads to help one job: two jobs of one thread finish twice as much.
    """
    has_gpu = Path("/proc/driver/nvidia/version").exists()
    return 1 if has_gpu else min(2, len(os.sched_getaffinity(0)))


def _number(env: Mapping[str, str], name: str, default: int, most: int, faults: list[Fault], *, least: int = 1) -> int:
    text = env.get(name) or str(default)
    if text.isdigit() and least <= int(text) <= most:
        return int(text)
    faults.append(Fault(name, f"should be a whole number from {least} to {most} (got {text!r})", text))
    return default
