"""Hand-made readings and tables for the tests of the account."""

from __future__ import annotations

from typing import Any

from lab.energy.tables import Known

MODEL = "Intel(R) Xeon(R) Platinum 8275CL CPU @ 3.00GHz"
KNOWN = Known(
    cpu_watts={MODEL: 240.0, "": None}, watts_per_thread=4, memory_watts={64.0: 20.0, 8.0: 10.0},
    country_name="Switzerland", year=2023, g_per_kwh=35.0, world_g_per_kwh=475.0, world_low=40.0, world_high=750.0,
)


def reading(**changes: Any) -> dict[str, Any]:
    """One hour of 24 busy threads out of 48 on a machine of two packages, a quarter of its 64 GiB in use."""
    made = {
        "attempt": 1, "host": "a", "ended": True, "seconds": 3600.0, "cpu_s": 24 * 3600.0,
        "machine_cpu_s": 30 * 3600.0, "memory_gib_s": 16 * 3600.0, "joules": {"cpu": None, "memory": None},
        "machine": {"cpu_model": MODEL, "threads": 48, "sockets": 2, "virtual": False, "memory_gib": 64.0},
        "gpus": [], "faults": [], "place": {},
    }
    return {**made, **changes}
