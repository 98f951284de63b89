"""What codecarbon's tables say, asked in a process of its own: `python -m lab.energy._codecarbon QUESTION`, in JSON.

codecarbon loads pandas and requests, which no process of the lab that stays should carry for three numbers. Its tracker
is not used: it measures a process and its living children from within, takes a package's counter whole although
several jobs share it, and gives each process the memory power of a whole machine. Nothing here touches the network,
reads a configuration file or takes a lock; those belong to the tracker.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Any


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """{"cpu_models": […], "memory_gib": […], "country": "CHE" or ""} → what is known of each, None where nothing is."""
    logging.disable(logging.CRITICAL)  # a CPU that is not in the table is an answer here, not a warning
    from codecarbon.core.cpu import DEFAULT_POWER_PER_CORE, TDP
    from codecarbon.core.emissions import Emissions
    from codecarbon.core.units import Energy
    from codecarbon.external.geography import GeoMetadata
    from codecarbon.external.ram import RAM
    from codecarbon.input import DataSource

    source = DataSource()
    tdp = object.__new__(TDP)  # its constructor looks at this machine; the job may have run on another
    ram = RAM(tracking_mode="machine")
    mix = source.get_global_energy_mix_data()
    intensities = sorted(float(row["carbon_intensity"]) for row in mix.values() if row.get("carbon_intensity"))
    country = question["country"].upper()
    grid = None
    if country in mix:
        grid = Emissions(source).get_country_emissions(Energy.from_energy(1.0), GeoMetadata(country)) * 1000
    return {
        "cpu_watts": {model: _watts(tdp, model) for model in question["cpu_models"]},
        "watts_per_thread": DEFAULT_POWER_PER_CORE,
        "memory_watts": [ram._calculate_ram_power(gib) for gib in question["memory_gib"]],
        "country_name": mix[country]["country_name"] if country in mix else None,
        "year": mix[country]["year"] if country in mix else None,
        "g_per_kwh": grid,
        "world_g_per_kwh": float(source.get_carbon_intensity_per_source_data()["world_average"]),
        "world_low": intensities[len(intensities) // 20], "world_high": intensities[-(len(intensities) // 20) - 1],
    }


def _watts(tdp: Any, model: str) -> float | None:
    """None where the table does not know the model, or holds no number for it (3.3.2 has rows such as '27.29.5')."""
    try:
        return tdp._get_cpu_power_from_registry(model) if model else None
    except ValueError:
        return None


if __name__ == "__main__":
    print(json.dumps(answer(json.loads(sys.argv[1]))))
