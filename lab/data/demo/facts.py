"""Single facts behind the demo problems: what recall alone answers. Sources are those of the families they stand in."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from lab.data.demo.calculators import DRUGS
from lab.data.demo.scores import EYES, MOTOR, RISKS, VERBAL


class Fact(NamedTuple):
    """`what` is `value`: 'the number of points that … gives' is '2'. `others` are values that a guess could hit."""

    family: str
    what: str
    value: str
    others: tuple[str, ...]

    @property
    def question(self) -> str:
        return ("In a written examination with one right value for each question, candidates are asked from memory "
                f"for the following: what is {self.what}?")

    @property
    def open_question(self) -> str:
        return f"What is {self.what}?"

    def statement(self, value: str = "") -> str:
        return f"{self.what[0].upper()}{self.what[1:]} is {value or self.value}."


@cache
def facts() -> tuple[Fact, ...]:
    return (*_glasgow(), *_doses(), *_thresholds(), *_everyday())


def _glasgow() -> list[Fact]:
    parts = (("eye", EYES, 4), ("verbal", VERBAL, 5), ("motor", MOTOR, 6))
    return [
        Fact("Glasgow coma scale", f"the number of points that somebody who {words} gets in the {part} part of the "
             "Glasgow coma scale", str(points), tuple(str(n) for n in range(1, max(most, 5) + 1) if n != points))
        for part, table, most in parts for points, words in table.items()
    ]


def _doses() -> list[Fact]:
    found = []
    for drug, (per_kg, cap) in DRUGS.items():
        found.append(Fact("dose", f"the usual amount of {drug} for each kg of a child", f"{per_kg} mg",
                          tuple(f"{n} mg" for n in (1, 2, 5, 10, 15, 20, 40) if n != per_kg)))
        found.append(Fact("dose", f"the largest single amount of {drug} for a child", f"{cap} mg",
                          tuple(f"{n} mg" for n in (60, 100, 300, 400, 500, 600, 800) if n != cap)))
    return found


def _thresholds() -> list[Fact]:
    points = [
        Fact("CHA2DS2-VASc", f"the number of points that a history of {name} adds to the CHA2DS2-VASc score",
             str(points), tuple(str(n) for n in range(6) if n != points))
        for name, points in RISKS.items()
    ]
    rates = [
        Fact("fluid maintenance", f"the rate by the 4-2-1 rule for each kg {band}", f"{rate} mL per hour",
             tuple(f"{n} mL per hour" for n in (1, 2, 3, 4, 5, 6) if n != rate))
        for rate, band in ((4, "of the first ten"), (2, "from the eleventh to the twentieth"), (1, "above twenty"))
    ]
    return [
        *points, *rates,
        Fact("qSOFA", "the lowest number of breaths in a minute that counts in the qSOFA score", "22",
             ("18", "20", "24", "26", "30")),
        Fact("qSOFA", "the highest systolic value that counts in the qSOFA score", "100 mmHg",
             ("80 mmHg", "90 mmHg", "110 mmHg", "120 mmHg")),
        Fact("CHA2DS2-VASc", "the lowest age that counts twice in the CHA2DS2-VASc score", "75 years",
             ("60 years", "65 years", "70 years", "80 years")),
        Fact("mean arterial pressure", "the number by which one divides for the mean arterial pressure", "3",
             ("1", "2", "4", "5")),
    ]


def _everyday() -> list[Fact]:
    told = (("shop", "the number of cents in one euro", 100), ("travel", "the number of metres in one km", 1000),
            ("travel", "the number of minutes in one hour", 60), ("ages", "the number of months in one year", 12),
            ("stock", "the number of days in one week", 7), ("ages", "the number of hours in one day", 24),
            ("share", "the number of things in one dozen", 12), ("travel", "the number of seconds in one minute", 60))
    return [Fact(family, what, str(value), tuple(str(value + off) for off in (-3, -2, 2, 5, 10)))
            for family, what, value in told]
