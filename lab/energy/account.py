"""From a job's readings to kWh and kg of CO2, with how each part was found and how far off it may be. Pure.

kg = kWh × PUE × grid intensity. The kWh are those of processor, memory and GPUs; what a power supply, fans, disks and
network take is not in them, and a data centre's part of that is what the PUE stands for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lab.energy.tables import Known

JOULES_PER_KWH = 3.6e6
METERED_PARTS = ("cpu", "memory", "gpu")


@dataclass(frozen=True)
class Method:
    """How a part's energy was found, and between which multiples of the number the truth is taken to lie."""

    words: str
    low: float
    high: float
    source: str


FISCHER = "Fischer 2025, arXiv 2509.22092: codecarbon against an external meter is off by up to 40 %"
FAHAD = ("Fahad et al. 2019, Energies 12(11) 2204: energy models on activity are off by 32 % on average and by up to "
         "100 %")
METHODS: Mapping[str, Method] = {
    "counter": Method("measured by energy counters", 1 / 1.4, 1.4, FISCHER),
    "power": Method("measured by power readings", 1 / 1.4, 1.4, FISCHER),
    "tdp": Method("estimated from the CPU's TDP and its use", 1 / 2, 2.0, FAHAD),
    "thread": Method("estimated from 4 W a CPU thread and its use", 1 / 3, 3.0,
                     "an assumption of the lab: server and desktop CPUs have TDPs of about 2 to 8 W a thread, and the "
                     "estimate from use comes on top"),
    "memory": Method("estimated from the memory's size and the job's share of it", 1 / 2, 2.0, FAHAD),
}
ORDER = ("counter", "power", "tdp", "thread", "memory")


@dataclass(frozen=True)
class Place:
    """Where a job ran: country (ISO 3166 alpha-3, "" for unknown), grid in g CO2 per kWh (None: the country's), PUE."""

    country: str = ""
    g_per_kwh: float | None = None
    pue: float = 1.0


@dataclass(frozen=True)
class Part:
    """The energy of one part of one reading."""

    name: str
    kwh: float
    method: str


def account(readings: list[Mapping[str, Any]], known: Known, place: Place) -> dict[str, Any]:
    """What a job's row keeps: sums over all attempts and machines, JSON-ready."""
    parts = [part for reading in readings for part in _parts(reading, known)]
    kwh = sum(part.kwh for part in parts)
    low = sum(part.kwh * METHODS[part.method].low for part in parts)
    high = sum(part.kwh * METHODS[part.method].high for part in parts)
    grid = _grid(known, place)
    return {
        "kwh": kwh, "kwh_low": low, "kwh_high": high,
        "kg_co2": kg(kwh, place.pue, grid["g_per_kwh"]),
        "kg_low": kg(low, place.pue, grid["low"]), "kg_high": kg(high, place.pue, grid["high"]),
        "pue": place.pue, "g_per_kwh": grid["g_per_kwh"], "grid": grid["words"],
        "parts": _by_name(parts),
        "metered_s": sum(reading["seconds"] for reading in readings),
        "attempts": len({reading["attempt"] for reading in readings}),
        "faults": sorted({fault for reading in readings for fault in reading["faults"]}),
    }


def kg(kwh: float, pue: float, g_per_kwh: float) -> float:
    return kwh * pue * g_per_kwh / 1000


def _parts(reading: Mapping[str, Any], known: Known) -> Iterable[Part]:
    machine, joules = reading["machine"], reading["joules"]
    for card in reading["gpus"]:
        yield Part("gpu", card["joules"] / JOULES_PER_KWH, card["how"])
    if machine is None:  # the meter broke down before it had looked; its fault is told
        return
    if joules["cpu"] is not None:
        yield Part("cpu", joules["cpu"] / JOULES_PER_KWH, "counter")
    else:
        watts, method = thread_watts(machine, known)
        yield Part("cpu", reading["cpu_s"] * watts / JOULES_PER_KWH, method)
    if joules["memory"] is not None:
        yield Part("memory", joules["memory"] / JOULES_PER_KWH, "counter")
    else:
        watts = known.memory_watts[round(machine["memory_gib"], 1)] / machine["memory_gib"]
        yield Part("memory", reading["memory_gib_s"] * watts / JOULES_PER_KWH, "memory")


def thread_watts(machine: Mapping[str, Any], known: Known) -> tuple[float, str]:
    """(watts of one busy CPU thread, method). The TDP of all packages is shared out over all threads.

    A virtual machine shows a CPU's name and a few of its threads: the whole TDP would be laid on those few, so it
    counts only as far as it is below codecarbon's constant for unknown CPUs.
    """
    tdp = known.cpu_watts.get(machine["cpu_model"])
    if tdp is None:
        return known.watts_per_thread, "thread"
    watts = tdp * machine["sockets"] / machine["threads"]
    if machine["virtual"] and watts > known.watts_per_thread:
        return known.watts_per_thread, "thread"
    return watts, "tdp"


def _grid(known: Known, place: Place) -> dict[str, Any]:
    """The intensity, and the multiples that the lack of a place adds; a country's mean over a year hides its hours."""
    if place.g_per_kwh is not None:
        return _even(place.g_per_kwh, "as set (LAB_GRID_G_PER_KWH)")
    if known.g_per_kwh is not None:
        return _even(known.g_per_kwh, f"{known.country_name}, mean of {known.year} (codecarbon)")
    missing = f"codecarbon has no figure for '{place.country}'" if place.country else "no country is set (LAB_COUNTRY)"
    return {
        "g_per_kwh": known.world_g_per_kwh, "low": known.world_low, "high": known.world_high,
        "words": f"world average, since {missing}; nine countries in ten lie between {known.world_low:.0f} and "
                 f"{known.world_high:.0f}",
    }


def _even(g_per_kwh: float, words: str) -> dict[str, Any]:
    return {"g_per_kwh": g_per_kwh, "low": g_per_kwh, "high": g_per_kwh, "words": words}


def _by_name(parts: list[Part]) -> dict[str, dict[str, Any]]:
    """{"cpu": {"kwh", "methods"}}: the sums of each part, with every method that went into it."""
    found: dict[str, dict[str, Any]] = {}
    for name in METERED_PARTS:
        mine = [part for part in parts if part.name == name]
        if mine:
            used = {part.method for part in mine}
            found[name] = {"kwh": sum(part.kwh for part in mine),
                           "methods": [method for method in ORDER if method in used]}
    return found
