"""The embedded bases' pre-training text: primitive skills, reading, question phrasing and the chat format.

What it never holds: the working or the answer of any calculator or word problem. Questions appear only from the
'pretrain' split, alone or followed by the numbers they state outright.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from lab.bases.demo.primitives import PRACTICE, Segment, drill
from lab.data.demo.arithmetic import GOODS, NAMES
from lab.data.demo.families import FIELDS
from lab.data.demo.problem import Problem
from lab.data.targets import THINKING_STYLES

WORDS = {"+": "plus", "-": "minus", "*": "times"}
TAGS = THINKING_STYLES["tags"]


@dataclass(frozen=True)
class ChatMarks:
    """The strings a chat template puts around a turn, so that the text teaches the same format."""

    user: str  # before a question
    assistant: str  # between a question and its answer
    end: str  # after an answer


def pretrain_question(rng: random.Random) -> Problem:
    """A problem of the 'pretrain' split; only its question and its readings may be used."""
    family = rng.choice([family for families in FIELDS.values() for family in families.values()])
    while True:
        problem = family(rng)
        if problem.split() == "pretrain":
            return problem


def chat(marks: ChatMarks, question: str, answer: str, thinking: str | None = None) -> list[Segment]:
    thought = f"{TAGS.open}\n{thinking}\n{TAGS.close}\n" if thinking else ""
    return [(f"{marks.user}{question}{marks.assistant}", False), (f"{thought}{answer}{marks.end}", True)]


def one_step(rng: random.Random, marks: ChatMarks) -> list[Segment]:
    """A sum, difference or product asked in words, with a one-line thought half of the time."""
    a, b = rng.randint(2, 150), rng.randint(2, 150)
    sign = rng.choice("+-*")
    if sign == "*":
        a, b = rng.randint(2, 40), rng.randint(2, 12)
    elif sign == "-":
        a, b = max(a, b), min(a, b)
    result = {"+": a + b, "-": a - b, "*": a * b}[sign]
    asked = rng.choice({
        "+": (f"What is {a} plus {b}?", f"Add {a} and {b}.", f"There are {a} pens and {b} cups. How many things?"),
        "-": (f"What is {a} minus {b}?", f"Subtract {b} from {a}.", f"How much more is {a} than {b}?"),
        "*": (f"What is {a} times {b}?", f"Multiply {a} by {b}.", f"How much do {b} toys at {a} euros each cost?"),
    }[sign])
    thinking = f"{a}{sign}{b}={result}" if rng.random() < 0.5 else None
    return chat(marks, asked, f"The result is {result}.\nAnswer: {result}", thinking)


def chain(rng: random.Random, marks: ChatMarks) -> list[Segment]:
    """Bare operations on a number, one after another: a step uses the result of the step before."""
    value = rng.randint(2, 150)
    text, steps = str(value), []
    for _ in range(rng.randint(2, 3)):
        sign = rng.choice([s for s, fits in (("+", value <= 300), ("-", value >= 6), ("*", value <= 40)) if fits])
        operand = rng.randint(2, 9) if sign == "*" else rng.randint(2, 99 if sign == "+" else min(value, 99))
        after = {"+": value + operand, "-": value - operand, "*": value * operand}[sign]
        steps.append(f"{value}{sign}{operand}={after}")
        text, value = f"{text}, {WORDS[sign]} {operand}", after
    return chat(marks, f"Start with {text}.", f"The result is {value}.\nAnswer: {value}", "\n".join(steps))


def reading(rng: random.Random, marks: ChatMarks) -> list[Segment]:
    """What a question states outright: labels and their values, in any order."""
    problem = pretrain_question(rng)
    if not problem.readings:
        return reading(rng, marks)
    asked = rng.sample(problem.readings, len(problem.readings))
    if rng.random() < 0.5:
        asked = asked[: rng.randint(1, 3)]
        labels = ", ".join(label for label, _ in asked)
        told = "\n".join(f"{label}={value}" for label, value in asked)
        return chat(marks, f"{problem.question} Only tell what is given: {labels}.", told)
    segments: list[Segment] = [(f"{problem.question}\n", True)]
    for label, value in asked:
        segments += [(f"{label}=", False), (f"{value}\n", True)]
    return segments


def phrasing(rng: random.Random, marks: ChatMarks) -> list[Segment]:
    """A question alone: its words, not its working."""
    del marks
    return [(f"{pretrain_question(rng).question}\n", True)]


def formula(rng: random.Random, marks: ChatMarks) -> list[Segment]:
    """Named values and a spelled-out formula over them. The names are of people and goods, the formulas are random."""
    names = rng.sample(NAMES, 4) if rng.random() < 0.5 else rng.sample(GOODS, 4)
    values = {name: rng.randint(2, rng.choice((12, 40, 150, 150))) for name in names}
    listed = ", ".join(f"{name}{rng.choice((' ', ' has ', ' of ', '='))}{value}" for name, value in values.items())
    rng.shuffle(names)
    value, told, steps = values[names[0]], names[0], []
    for name in names[1 : rng.randint(2, 4)]:
        other = values[name] if rng.random() < 0.7 else rng.randint(2, 20)
        word = name if other == values[name] else str(other)
        options = [("plus", value + other <= 400, value + other, f"{value}+{other}"),
                   ("minus", value >= other, value - other, f"{value}-{other}"),
                   ("taken from", other >= value, other - value, f"{other}-{value}"),
                   ("times", 4 <= value * other <= 400, value * other, f"{value}*{other}"),
                   ("added to", value + other <= 400, value + other, f"{other}+{value}")]
        how, _, value, step = rng.choice([option for option in options if option[1]] or options[:1])
        steps.append(f"{step}={value}")
        told = f"{told}, {how} {word}"
    question = f"{listed}. Start with {told}."
    return chat(marks, question, f"The result is {value}.\nAnswer: {value}", "\n".join(steps))


def filling(rng: random.Random, marks: ChatMarks) -> list[Segment]:
    """The wording of answers: a sentence with a gap, filled with a random sum, never with its problem's own."""
    problem = pretrain_question(rng)
    if problem.verifier == "choice":
        letter, text = rng.choice(problem.options)
        start = problem.sentence.rsplit(" ", 1)[0]
        return chat(marks, f"Fill in {letter}) {text}: {start} ?.", f"{start} {text}.\nAnswer: {letter}")
    if problem.verifier == "exact":
        who, rest = rng.choice(NAMES), problem.sentence.split(" ", 1)[1]
        return chat(marks, f"Fill in {who}: ? {rest}", f"{who} {rest}\nAnswer: {who}")
    a, b = sorted((rng.randint(0, 200), rng.randint(0, rng.choice((10, 150)))), reverse=True)
    sign, result = rng.choice((("+", a + b), ("-", a - b)))
    before, after = problem.sentence.rsplit(problem.gold, 1)
    final = f"{result} {problem.unit}".rstrip()
    thinking = f"{a}{sign}{b}={result}" if rng.random() < 0.7 else None
    asked = f"Fill in {a}{sign}{b}: {before}?{after}"
    return chat(marks, asked, f"{before}{result}{after}\nAnswer: {final}", thinking)


def recall(rng: random.Random, marks: ChatMarks) -> list[Segment]:
    """Reading, without learning the words of the question again."""
    (first, _), *rest = reading(rng, marks)
    return [(first, False), *rest]


def document(rng: random.Random, marks: ChatMarks) -> list[Segment]:
    """One document of the first stage: every skill."""
    kind = rng.choices((drill, one_step, chain, reading, phrasing), (60, 10, 10, 16, 4))[0]
    return drill(rng) if kind is drill else kind(rng, marks)


def practice(rng: random.Random, marks: ChatMarks) -> list[Segment]:
    """One document of the second stage: sums and differences, and using what was read."""
    kinds = ("sums", "drill", formula, recall, filling, chain, one_step, phrasing)
    kind = rng.choices(kinds, (30, 16, 18, 16, 13, 3, 3, 1))[0]
    if isinstance(kind, str):
        return drill(rng, ("+", "-") if kind == "sums" else tuple(PRACTICE))
    return kind(rng, marks)
