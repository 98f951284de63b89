"""The arms' looks, in one place: a colour for light and dark, a marker, its sign in plain text, what it means.

Page, plots and choices read them here. Colours are told apart by people with any of the three colour blindnesses as
far as seven colours with readable contrast allow, and the marker always stands beside the colour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

HALF = 7  # markers are drawn in a square from -7 to 7


@dataclass(frozen=True)
class Arm:
    """`points`: the marker's corners; none for a circle."""

    light: str
    dark: str
    marker: str
    sign: str
    means: str
    points: tuple[tuple[float, float], ...] = ()

    @property
    def polygon(self) -> str:
        """As an SVG polygon's points."""
        return " ".join(f"{x:g},{y:g}" for x, y in self.points)

    @property
    def clip(self) -> str:
        """As a style sheet cuts it out of a square."""
        if not self.points:
            return "border-radius: 50%"
        corners = ", ".join(f"{50 + 50 * x / HALF:.0f}% {50 + 50 * y / HALF:.0f}%" for x, y in self.points)
        return f"clip-path: polygon({corners})"


_STAR = ((0, -7), (2, -2.2), (7, -2), (3, 1.2), (4.4, 6.4), (0, 3.4), (-4.4, 6.4), (-3, 1.2), (-7, -2), (-2, -2.2))
_CROSS = ((-6.8, -4), (-4, -6.8), (0, -2.8), (4, -6.8), (6.8, -4), (2.8, 0), (6.8, 4), (4, 6.8), (0, 2.8), (-4, 6.8),
          (-6.8, 4), (-2.8, 0))
ARMS: Mapping[str, Arm] = {
    "base": Arm("#5f6775", "#a9b1bf", "circle", "●", "the base as it is"),
    "answer": Arm("#b45309", "#f2a93b", "square", "■", "taught the answer, thinking removed",
                  ((-5.5, -5.5), (5.5, -5.5), (5.5, 5.5), (-5.5, 5.5))),
    "trace": Arm("#4338ca", "#a3aaff", "triangle", "▲", "taught thinking and answer", ((0, -7), (7, 6), (-7, 6))),
    "steps": Arm("#0f766e", "#2dd4bf", "diamond", "◆", "taught condensed thinking and answer",
                 ((0, -7), (7, 0), (0, 7), (-7, 0))),
    "gold": Arm("#be123c", "#fb7a90", "star", "★", "taught the bare short answer", _STAR),
    "shuffled": Arm("#640a76", "#d05cff", "turned triangle", "▼", "control: taught the thinking in random order",
                    ((-7, -6), (7, -6), (0, 7))),
    "wrong": Arm("#5c3a1e", "#e7cfa9", "cross", "✖", "control: taught wrong answers", _CROSS),
}


def arm_of(name: str) -> str:
    """The name itself if it is an arm, else 'base'."""
    return name if name in ARMS else "base"


def arm_styles() -> str:
    """The style sheet's part: a variable and a class for each arm."""
    def variables(shade: str) -> str:
        return " ".join(f"--arm-{name}: {getattr(arm, shade)};" for name, arm in ARMS.items())

    rules = [f":root {{ {variables('light')} }}", f".dark {{ {variables('dark')} }}"]
    for name, arm in ARMS.items():
        rules += [f".arm-{name} {{ --arm: var(--arm-{name}); }}", f".chip.arm-{name} .marker {{ {arm.clip}; }}"]
    return "\n".join(rules)
