"""A job's energy in words, the same on the page, on the command line and on a model card. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.energy.account import METHODS, ORDER

NAMES = {"cpu": "processor", "memory": "memory", "gpu": "GPU"}


def sentence(energy: Mapping[str, Any]) -> str:
    """'0.42 Wh (0.2 to 0.9), 0.2 g (0.02 to 0.7) CO2'."""
    if "unknown" in energy:
        return f"not known: {energy['unknown']}"
    return f"{kwh_words(energy)}, {co2_words(energy)}"


def kwh_words(energy: Mapping[str, Any]) -> str:
    return _amount((energy["kwh"], energy["kwh_low"], energy["kwh_high"]), ("kWh", "Wh", "mWh"))


def co2_words(energy: Mapping[str, Any]) -> str:
    return _amount((energy["kg_co2"], energy["kg_low"], energy["kg_high"]), ("kg", "g", "mg")) + " CO2"


def how(energy: Mapping[str, Any]) -> list[str]:
    """One line a part that was metered, one for the grid, one for each thing that was not metered."""
    if "unknown" in energy:
        return []
    lines = []
    for name, part in energy["parts"].items():
        methods = " and ".join(METHODS[method].words for method in part["methods"])
        share = 100 * part["kwh"] / energy["kwh"] if energy["kwh"] else 0
        lines.append(f"{NAMES[name]} {share:.0f} %, {methods}")
    lines.append(f"grid {energy['g_per_kwh']:.0f} g CO2 per kWh: {energy['grid']}; PUE {energy['pue']:g}")
    return lines + list(energy["faults"])


def uncertainty(energy: Mapping[str, Any]) -> list[str]:
    """What the interval rests on: each method used, its factors, and where they come from."""
    used = {method for part in energy.get("parts", {}).values() for method in part["methods"]}
    return [f"{METHODS[name].words}: the truth is taken to lie between {METHODS[name].low:.2f} and "
            f"{METHODS[name].high:.1f} times the number ({METHODS[name].source})" for name in ORDER if name in used]


def _amount(numbers: tuple[float, float, float], units: tuple[str, str, str]) -> str:
    """In a smaller unit below a tenth of the larger one: a demo job is not 0.000 kWh."""
    step = 0 if numbers[0] >= 0.1 else 1 if numbers[0] >= 1e-4 else 2
    value, low, high = (number * 1000**step for number in numbers)
    return f"{_figure(value)} {units[step]} ({_figure(low)} to {_figure(high)})"


def _figure(value: float) -> str:
    """Two figures that mean something: 0.0012, 0.42, 4.2, 42, 420."""
    if value == 0:
        return "0"
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}" if value >= 1e-4 else "less than 0.0001"
