"""The lines of a demo problem's working as steps that can be written anew: right, wrong, or carrying an earlier error
on.

A line is exact if it is what follows from the lines before it, wrong ones included; so the first line that is not exact
is where a working went wrong, and lines after it may be exact and useless.
"""

from __future__ import annotations

import operator
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lab.data.demo.logic import DIRECTIONS, TURNS
from lab.data.demo.slips import OFFSETS

Value = Any  # int of a number, tuple of names of an order, str of a direction
COMPARED = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt}
OPPOSITE = {"<=": ">", ">": "<=", ">=": "<", "<": ">="}
SUM = re.compile(r"(?P<label>[A-Za-z][A-Za-z ]*:)?(?P<left>\d+)(?P<sign>[-+*/])(?P<right>\d+)=(?P<result>\d+)")
BAND = re.compile(r"(?P<left>\d+)(?P<sign><=|>=|<|>)(?P<right>\d+)"
                  r"(?P<rest>:(?:(?P<before>\d+)\+\d+=)?(?P<points>\d+))?")
FACT = re.compile(r"(?P<label>[A-Za-z][A-Za-z ]*[=]|age \d+:)(?P<result>\d+)")
ORDER = re.compile(r"[A-Z][a-z]+(?:>[A-Z][a-z]+)+")
TURN = re.compile(rf"({'|'.join(DIRECTIONS)}) ({'|'.join(TURNS)})=({'|'.join(DIRECTIONS)})")


class Step(Protocol):
    """A line in its place. `origins` of a step say of each operand which line's result it is; None: given by the
    question."""

    @property
    def text(self) -> str: ...  # the right line
    @property
    def title(self) -> str: ...

    def value(self, line: str) -> Value | None:
        """What a line in this place says; None if it is no line of this place."""

    def written(self, before: Sequence[Value]) -> tuple[str, Value]:
        """The exact line after these values, and what it says."""

    def wrong(self, before: Sequence[Value], rng: random.Random) -> list[tuple[str, Value]]:
        """Wrong lines in its place, in a drawn order."""


TITLES = {"+": "Add", "-": "Subtract", "*": "Multiply", "/": "Divide"}


@dataclass(frozen=True)
class Sum:
    text: str
    label: str
    sign: str
    operands: tuple[int, int]
    origins: tuple[int | None, int | None]

    @property
    def title(self) -> str:
        return TITLES[self.sign]

    def value(self, line: str) -> int | None:
        found = SUM.fullmatch(line)
        return int(found["result"]) if found and (found["label"] or "") == self.label else None

    def written(self, before: Sequence[Value]) -> tuple[str, int]:
        left, right = (number if origin is None else before[origin]
                       for number, origin in zip(self.operands, self.origins, strict=True))
        return self._line(left, right)

    def wrong(self, before: Sequence[Value], rng: random.Random) -> list[tuple[str, Value]]:
        text, exact = self.written(before)
        off = [(f"{text.rpartition('=')[0]}={exact + offset}", exact + offset) for offset in OFFSETS]
        if self.label:  # points looked up wrongly, and added rightly
            left = before[self.origins[0]] if self.origins[0] is not None else self.operands[0]
            off = [self._line(left, points) for points in (0, 1, 2) if points != self.operands[1]] + off[:2]
        return rng.sample(off, len(off))

    def _line(self, left: int, right: int) -> tuple[str, int]:
        if self.sign == "/":
            result = left // right if right and left % right == 0 else -1
        else:
            result = {"+": left + right, "-": left - right, "*": left * right}[self.sign]
        return f"{self.label}{left}{self.sign}{right}={result}", result


@dataclass(frozen=True)
class Band:
    """A comparison: of a given number with a bound, for points or for the right band; or of a product with a cap."""

    text: str
    left: int
    sign: str
    right: int
    origin: int | None
    kind: str  # "cap": the value is the smaller; "points": …, added to the line before where `adds`; "band": no value
    adds: int | None = None
    title = "Compare"

    def value(self, line: str) -> int | None:
        found = BAND.fullmatch(line)
        if not found or bool(found["rest"]) != (self.kind == "points") or int(found["right"]) != self.right:
            return None
        if self.kind == "points":
            return int(found["points"])
        return self.right if self.kind == "cap" and found["sign"] == ">" else int(found["left"])

    def written(self, before: Sequence[Value]) -> tuple[str, int]:
        left = self.left if self.origin is None else before[self.origin]
        return self._line(left, self.sign if COMPARED[self.sign](left, self.right) else OPPOSITE[self.sign], before)

    def wrong(self, before: Sequence[Value], rng: random.Random) -> list[tuple[str, Value]]:
        if self.kind == "band":
            return []  # another band would be another working
        left = self.left if self.origin is None else before[self.origin]
        right_sign = self.sign if COMPARED[self.sign](left, self.right) else OPPOSITE[self.sign]
        return [self._line(left, OPPOSITE[right_sign], before)]

    def _line(self, left: int, sign: str, before: Sequence[Value]) -> tuple[str, int]:
        text = f"{left}{sign}{self.right}"
        if self.kind != "points":
            return text, self.right if self.kind == "cap" and sign == ">" else left
        points = int(sign in ("<=", ">="))  # in these scores what counts is written so
        if self.adds is None:
            return f"{text}:{points}", points
        total = before[self.adds] + points
        return f"{text}:{before[self.adds]}+{points}={total}", total


@dataclass(frozen=True)
class Looked:
    """Points read from a table."""

    text: str
    label: str
    points: int
    title = "Look up"

    def value(self, line: str) -> int | None:
        found = FACT.fullmatch(line)
        return int(found["result"]) if found and found["label"] == self.label else None

    def written(self, before: Sequence[Value]) -> tuple[str, int]:
        return self.text, self.points

    def wrong(self, before: Sequence[Value], rng: random.Random) -> list[tuple[str, Value]]:
        least, most = (0, 2) if self.label.startswith("age") else (1, 6)
        near = [points for points in (self.points - 1, self.points + 1) if least <= points <= most]
        return [(f"{self.label}{points}", points) for points in rng.sample(near, len(near))]


@dataclass(frozen=True)
class Relation:
    """Two names, the greater one first."""

    text: str
    names: tuple[str, ...]
    title = "Compare"

    def value(self, line: str) -> tuple[str, ...] | None:
        names = tuple(line.split(">"))
        return names if ORDER.fullmatch(line) and set(names) == set(self.names) else None

    def written(self, before: Sequence[Value]) -> tuple[str, tuple[str, ...]]:
        return self.text, self.names

    def wrong(self, before: Sequence[Value], rng: random.Random) -> list[tuple[str, Value]]:
        return [(">".join(reversed(self.names)), tuple(reversed(self.names)))]


@dataclass(frozen=True)
class Order:
    """All names in order, from the pairs before it."""

    text: str
    names: tuple[str, ...]
    title = "Order"

    def value(self, line: str) -> tuple[str, ...] | None:
        names = tuple(line.split(">"))
        return names if ORDER.fullmatch(line) and sorted(names) == sorted(self.names) else None

    def written(self, before: Sequence[Value]) -> tuple[str, tuple[str, ...]]:
        left, order = list(self.names), []
        while left:  # pairs of neighbours in a line never run in a circle
            order.append(next(name for name in left if not any(low == name and high in left for high, low in before)))
            left.remove(order[-1])
        return ">".join(order), tuple(order)

    def wrong(self, before: Sequence[Value], rng: random.Random) -> list[tuple[str, Value]]:
        _, exact = self.written(before)
        found = []
        for at in rng.sample(range(len(exact) - 1), len(exact) - 1):
            names = [*exact[:at], exact[at + 1], exact[at], *exact[at + 2:]]
            found.append((">".join(names), tuple(names)))
        return found


@dataclass(frozen=True)
class Turn:
    """A turn from a direction to another."""

    text: str
    start: str  # of the first turn; later ones go on from the line before
    move: str
    title = "Turn"

    def value(self, line: str) -> str | None:
        found = TURN.fullmatch(line)
        return found[3] if found and found[2] == self.move else None

    def written(self, before: Sequence[Value]) -> tuple[str, str]:
        start = before[-1] if before else self.start
        return self._line(start, DIRECTIONS[(DIRECTIONS.index(start) + TURNS[self.move]) % 4])

    def wrong(self, before: Sequence[Value], rng: random.Random) -> list[tuple[str, Value]]:
        text, exact = self.written(before)
        start = text.split()[0]
        others = [name for name in DIRECTIONS if name not in (start, exact)]
        return [self._line(start, name) for name in rng.sample(others, len(others))]

    def _line(self, start: str, end: str) -> tuple[str, str]:
        return f"{start} {self.move}={end}", end
