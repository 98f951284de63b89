"""Axes: round tick values, and where a value lies in per cent of the axis."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """From `low` to `high`, with ticks at round values inside."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """Position in per cent; outside values are held at the edge."""
        share = (value - self.low) / (self.high - self.low)
        return round(100 * min(1.0, max(0.0, share)), 3)

    def label(self, tick: float) -> str:
        step = self.ticks[1] - self.ticks[0] if len(self.ticks) > 1 else abs(tick) or 1
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        return f"{tick:,.{digits}f}".replace(",", "\u202f").replace("-", "−")


def nice_axis(low: float, high: float, n_ticks: int = 5) -> Axis:
    """An axis that holds low…high and starts and ends at round values (steps of 1, 2 or 5 times a power of ten)."""
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = 0.0, 1.0
    if high - low < 1e-11 * max(1.0, abs(low), abs(high)):  # one value, as far as twelve digits can tell
        half = abs(low) / 2 if abs(low) > 1e-9 else 0.5
        low, high = low - half, high + half
    rough = (high - low) / max(1, n_ticks)
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(round(index * step, 12) for index in range(first, last + 1))
    return Axis(ticks[0], ticks[-1], ticks)
