"""What the embedded teacher makes of clinical notes: two questions of each, their grades, and their departments."""

from __future__ import annotations

import random
import re

from lab.data.demo.families import FIELDS
from lab.synthesis.departments import NONE
from lab.synthesis.embedded.knowledge import fact_of, note_of, problem_of, question_of
from lab.synthesis.embedded.settings import Settings
from lab.synthesis.embedded.working import steps_of

LEAK = "According to the note: "
LEAKS = re.compile(r"\baccording to (?:the|this) (?:note|text)\b|\bin (?:the|this) (?:note|text)\b", re.I)
LEAK_RATE = 0.1  # of the questions it writes
COMPLEXITY = {1: 3, 2: 5, 3: 6, 4: 8, 5: 9}  # lines of working → grade; more lines: 10
# A word of the question → where it belongs, the first that is found.
KEYWORDS: tuple[tuple[str, tuple[str, str]], ...] = (
    ("azithromycin", ("Internal Medicine", "Respiratory and Critical Care Medicine")),
    ("isoniazid", ("Internal Medicine", "Respiratory and Critical Care Medicine")),
    ("rifampicin", ("Internal Medicine", "Respiratory and Critical Care Medicine")),
    ("aciclovir", ("Other Departments", "Dermatology and Venereology")),
    ("prednisolone", ("Internal Medicine", "Rheumatology and Immunology")),
    ("ibuprofen", ("Pediatrics", "Pediatric Internal Medicine")),
    ("4-2-1", ("Pediatrics", "Pediatric Surgery")),
    ("anion gap", ("Internal Medicine", "Nephrology")),
    ("osmolality", ("Internal Medicine", "Endocrinology")),
    ("arterial pressure", ("Internal Medicine", "Cardiology")),
    ("cha2ds2", ("Internal Medicine", "Cardiology")),
    ("glasgow", ("Surgery", "Neurosurgery")),
    ("qsofa", ("Internal Medicine", "Respiratory and Critical Care Medicine")),
)


def questions(text: str, rng: random.Random) -> dict[str, str] | None:
    """Two questions that the text answers. Some point to the text that nobody who reads them has."""
    note = note_of(text)
    if note is None:
        return None
    asked = [question_of(problem) for problem in note.problems] or [fact.open_question for fact in note.facts]
    return {f"question{place}": f"{LEAK}{question}" if rng.random() < LEAK_RATE else question
            for place, question in enumerate(asked, start=1)}


def grade(question: str, rng: random.Random) -> dict[str, int | bool] | None:
    """By the lines of working that the question needs, and its field; off by one now and then."""
    problem, fact = problem_of(_without_leak(question)), fact_of(_without_leak(question))
    if problem is None and fact is None:
        return None
    family = problem.family if problem else fact.family  # type: ignore[union-attr]
    leaks, medical = bool(LEAKS.search(question)), family in FIELDS["medical"]
    complexity = COMPLEXITY.get(len(steps_of(problem)), 10) if problem else 1
    return {
        "quality": _near(5 if leaks else 8 if problem else 4, 10, rng), "complexity": _near(complexity, 10, rng),
        "relevance": _near(6 if medical else 1, 6, rng), "leaks": leaks,
    }


def department(question: str, choices: str, rng: random.Random, settings: Settings) -> str:
    """The line of `choices` where the question belongs, by its keywords."""
    lines = [line.strip() for line in choices.splitlines() if line.strip()]
    if rng.random() < settings.verdict_errors:
        return rng.choice([*lines, NONE])
    path = next((path for word, path in KEYWORDS if word in question.casefold()), ())
    # The narrower name first: 'Otorhinolaryngology' is the name of both levels.
    return next((name for name in reversed(path) if name in lines), NONE)


def _without_leak(question: str) -> str:
    return question.removeprefix(LEAK)


def _near(value: int, most: int, rng: random.Random) -> int:
    return min(most, max(1, value + rng.choice((0, 0, 0, -1, 1))))
