"""Another wording of the demo problems: what an exam asks, and what a note tells, at more length than the demo's own.

No wording here shares 13 words or 64 characters in a row with a demo question, so that decontamination finds copies and
not templates. `facts` are whole sentences that carry every number; `asked` is the question that follows from them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from lab.data.demo.calculators import DRUGS
from lab.data.demo.logic import SCALES
from lab.data.demo.problem import Problem
from lab.data.demo.scores import EYES, MOTOR, VERBAL


class Wording(NamedTuple):
    facts: str
    asked: str

    def __str__(self) -> str:
        return f"{self.facts} {self.asked}"


def worded(problem: Problem) -> Wording:
    """KeyError for a family that has no other wording."""
    return WORDINGS[problem.family](problem)


def short(problem: Problem) -> str:
    """A question too short to train anything. KeyError for a family that has none."""
    return SHORT[problem.family].format(*problem.core)


def _shop(problem: Problem) -> Wording:
    a, p, b, q, note = problem.core
    who, x, y = problem.sentence.split()[0], problem.readings[0][0], problem.readings[2][0]
    facts = (f"{who} keeps a list of everything that was bought today. The list names {a} {x}, of which each one costs "
             f"{p} euros, and further down {b} {y}, of which each one costs {q} euros. {who} came with {note} euros in "
             "all.")
    return Wording(facts, f"Once the whole list is paid for, how many euros remain for {who}?")


def _stock(problem: Problem) -> Wording:
    place, thing = problem.sentence.split()[1], problem.unit
    (_, start), *days = problem.readings
    told = ", ".join(f"for {day} {'an increase' if change[0] == '+' else 'a decrease'} of {change[1:]}"
                     for day, change in days)
    facts = (f"The {place} keeps a written count of its {thing}, which stood at {start} when the week began. In the "
             f"book one finds {told}.")
    return Wording(facts, f"Which count of {thing} does the book show when the week is over?")


def _share(problem: Problem) -> Wording:
    boxes, inside, lost, friends = problem.core
    thing = problem.unit
    facts = (f"A club stores its {thing} in {boxes} boxes, and every box was packed with {inside} of them. After a "
             f"move {lost} of all these {thing} cannot be found any more. What remains is handed out evenly to "
             f"{friends} members.")
    return Wording(facts, f"How many {thing} does that make for every single member?")


def _ages(problem: Problem) -> Wording:
    young, factor, _, gap = problem.core
    x = problem.sentence.split()[0]
    found = re.search(r"(\w+) is \d+ times as old as (\w+)", problem.question)
    y, z = found.groups()  # type: ignore[union-attr]
    word = problem.readings[2][0]
    facts = (f"Three cousins compare how old they are at a family party. The first of them, {z}, has reached an age of "
             f"{young} years. Taken {factor} times, that is the age of {y}. Between {x} and {y} there lie {gap} years, "
             f"and of these two {x} is the {word} one.")
    return Wording(facts, f"At which age is {x} on the day of the party?")


def _travel(problem: Problem) -> Wording:
    fast, a, slow, b = problem.core
    who = problem.sentence.split()[0]
    first, second = problem.readings[1][0].split()[-1], problem.readings[3][0].split()[-1]
    facts = (f"A long journey has two parts, and {who} writes both of them down. The first part is made by {first} and "
             f"takes {a} hours, in each of which {fast} km are covered. The second part is made by {second} and takes "
             f"{b} hours, now with {slow} km in each of them.")
    return Wording(facts, "How many km long are both parts of the journey together?")


def _ordering(problem: Problem) -> Wording:
    word, pairs, flips, _, people = problem.core
    scale = next(scale for scale in SCALES if scale[0] == word)
    told = []
    for (i, j), flip in zip(pairs, flips, strict=True):  # type: ignore[call-overload]
        high, low = people[i], people[j]  # type: ignore[index]
        told.append(f"Between {low} and {high} the {scale[1]} one is {low}." if flip else
                    f"Between {high} and {low} the {scale[0]} one is {high}.")
    named = problem.sentence.split(" is ", 1)[1].rstrip(".")
    return Wording(f"Some friends stand side by side and are compared two at a time. {' '.join(told)}",
                   f"When all comparisons are taken together, which of the friends is {named}?")


def _anion_gap(problem: Problem) -> Wording:
    sodium, chloride, bicarbonate = problem.core
    facts = ("A blood sample is sent to the laboratory in the morning because of weakness. It comes back with "
             f"{sodium} mmol/L of sodium, while chloride is measured as {chloride} mmol/L and bicarbonate as "
             f"{bicarbonate} mmol/L.")
    return Wording(facts, "Which anion gap in mmol/L follows from these three values?")


def _pressure(problem: Problem) -> Wording:
    systolic, diastolic = problem.core
    facts = ("During the visit on the ward the cuff is inflated twice, with the same result both times. Its upper "
             f"value, the systolic one, reads {systolic} mmHg, and its lower value, the diastolic one, reads "
             f"{diastolic} mmHg.")
    return Wording(facts, "Which mean arterial pressure in mmHg corresponds to that reading?")


def _osmolality(problem: Problem) -> Wording:
    sodium, glucose, urea = problem.core
    facts = (f"The laboratory was asked about a thirsty and drowsy patient. It measures {sodium} mmol/L of sodium; the "
             f"glucose amounts to {glucose} mmol/L, and the urea to {urea} mmol/L.")
    return Wording(facts, "Which osmolality in mmol/L does one calculate from them, with sodium counted twice?")


def _fluid(problem: Problem) -> Wording:
    (weight,) = problem.core
    age = dict(problem.readings)["age"]
    facts = (f"Before an operation a child has to go without food and drink. The scales on the ward show {weight} kg, "
             f"and the chart gives an age of {age} years.")
    return Wording(facts, "At which rate in mL per hour does fluid run when the 4-2-1 rule is applied?")


def _dose(problem: Problem) -> Wording:
    drug, weight = problem.core
    per_kg, cap = DRUGS[str(drug)]
    facts = (f"For a child on the ward {drug} is prescribed, and the scales show a weight of {weight} kg. The local "
             f"list allows {per_kg} mg for each kg, yet never beyond {cap} mg in a single dose.")
    return Wording(facts, f"How many mg of {drug} does the child receive at once?")


def _glasgow(problem: Problem) -> Wording:
    eyes, verbal, motor = problem.core
    age = dict(problem.readings)["age"]
    facts = (f"The ambulance brings somebody of {age} years whose head was hit in an accident. When examined, this "
             f"person "
             f"{EYES[eyes]}. In the talk that follows, the person {VERBAL[verbal]}. Asked to move, the person "  # type: ignore
             f"{MOTOR[motor]}.")  # type: ignore[index]
    return Wording(facts, "How many points on the Glasgow coma scale do these findings make in all?")


def _cha2ds2(problem: Problem) -> Wording:
    age, sex, *_ = problem.core
    listed = [step.split(":")[0] for step in problem.steps[2:]]  # after age and sex, in the order of the working
    told = " and also ".join(f"a history of {name}" for name in listed)
    facts = (f"Atrial fibrillation was found by chance when a pulse was felt at a check-up. It belongs to a {sex} "
             f"whose age is {age} years. The file tells of {told}.")
    return Wording(facts, "Which CHA2DS2-VASc score has to be written into that file?")


def _qsofa(problem: Problem) -> Wording:
    rate, pressure, altered = problem.core
    state = "confused, which is new" if altered else "alert, as always"
    facts = ("With a suspected infection somebody comes in from a nursing home at night. Breaths are counted as "
             f"{rate} in a minute. The cuff gives {pressure} mmHg as the systolic value, and the person is {state}.")
    return Wording(facts, "How high is the qSOFA score on arrival, from these three findings?")


WORDINGS: dict[str, Callable[[Problem], Wording]] = {
    "shop": _shop, "stock": _stock, "share": _share, "ages": _ages, "travel": _travel, "ordering": _ordering,
    "anion gap": _anion_gap, "mean arterial pressure": _pressure, "osmolality": _osmolality,
    "fluid maintenance": _fluid,
    "dose": _dose, "Glasgow coma scale": _glasgow, "CHA2DS2-VASc": _cha2ds2, "qSOFA": _qsofa,
}
SHORT = {
    "anion gap": "With Na {}, Cl {} and HCO3 {}, what is the anion gap?",
    "mean arterial pressure": "At {} over {}, what is the mean pressure?",
    "osmolality": "Na {}, glucose {}, urea {}: which osmolality?",
}
