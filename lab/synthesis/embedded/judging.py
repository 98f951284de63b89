"""Judging: exam questions, answers against a reference, and which of two answers is better. Wrong at a small set
rate."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from decimal import Decimal

from lab.data.demo.logic import DIRECTIONS
from lab.data.demo.problem import Problem
from lab.data.demo.wording import WORDINGS
from lab.data.short_answer import short_answer
from lab.synthesis.embedded.knowledge import fact_of, problem_of, question_of
from lab.synthesis.embedded.settings import Settings
from lab.synthesis.embedded.working import result, worked
from lab.verify.exact import plain

NUMBER = re.compile(r"(?<![\w.-])\d+(?:\.\d+)?(?!\w)")
OPTION = re.compile(r"^\s*\(?([A-Z])[).:]\s*(.+?)\s*$", re.M)
VERDICTS = ("PASS", "TOO_SIMPLE", "AMBIGUOUS", "NOT_REFORMULATABLE")
OF_OPTIONS = re.compile(r"\bwhich of the following\b", re.I)


def filtered(question: str, options: str, rng: random.Random, settings: Settings) -> str:
    """The verdict on an exam question; '' for one of which nothing is known."""
    verdict = _verdict(question, [text for _, text in OPTION.findall(options)])
    if verdict and rng.random() < settings.verdict_errors:
        return rng.choice([word for word in VERDICTS if word != verdict])
    return verdict


def _verdict(question: str, options: Sequence[str]) -> str:
    if fact_of(question):
        return "TOO_SIMPLE"
    if problem_of(question):
        numbers = [said for text in options if (said := _number(text)) is not None]
        return "AMBIGUOUS" if len(set(numbers)) < len(numbers) else "PASS"
    return "NOT_REFORMULATABLE" if OF_OPTIONS.search(question) else ""


def reformulated(question: str) -> dict[str, str] | None:
    """The question as it stands without options, and its short answer."""
    problem = problem_of(question)
    if problem is None:
        fact = fact_of(question)
        return {"question": fact.open_question, "answer": fact.value} if fact else None
    asked = problem.question if problem.question in question else question_of(problem)
    return {"question": asked, "answer": problem.gold if problem.family != "turns" else _direction(problem)}


def chosen(question: str, options: str, rng: random.Random, settings: Settings) -> str:
    """The letter of the option that a working leads to; '' where nothing is known. A working that leads to none of the
    options ends in a guess."""
    found = OPTION.findall(options)
    problem, fact = problem_of(question), fact_of(question)
    if not found or not (problem or fact or OF_OPTIONS.search(question)):
        return ""
    guess = rng.choice([letter for letter, _ in found])
    if fact:
        answer = fact.value
    elif problem:
        answer = result(problem, worked(problem, rng, settings.mistakes)[-1].value)
        if problem.family in WORDINGS and problem.verifier == "numeric":
            answer = f"{answer} {problem.unit}".rstrip()
    else:
        return guess
    return next((letter for letter, text in found if plain(text) == plain(answer)), guess)


def agrees(reference: str, candidate: str, rng: random.Random, settings: Settings) -> bool:
    """Whether the candidate gives the reference's answer."""
    same = same_answer(reference, candidate)
    return same if rng.random() >= settings.verdict_errors else not same


def same_answer(reference: str, candidate: str) -> bool:
    """By number where the reference has one, else by its words. Of a candidate its answer line counts, or its end."""
    said = short_answer(candidate)
    if option := OPTION.fullmatch(reference.strip()):
        letter, text = option.groups()
        return plain(said) in (plain(letter), plain(text)) or same_answer(text, candidate)
    number = _number(reference)
    if number is not None:
        return number == (_number(said) if said != candidate.strip() else _number(said, last=True))
    words, spoken = (re.findall(r"\w+", plain(text)) for text in (reference, candidate))
    return bool(words) and f" {' '.join(words)} " in f" {' '.join(spoken)} "


def better(question: str, first: str, second: str, rng: random.Random, settings: Settings) -> str:
    """A, B or tie: a right answer beats a wrong one, and of two right ones the one that shows a working wins."""
    problem = problem_of(question)
    worths = [_worth(problem, text) for text in (first, second)]
    verdict = "tie" if worths[0] == worths[1] else "A" if worths[0] > worths[1] else "B"
    if rng.random() < settings.verdict_errors:
        return rng.choice([word for word in ("A", "B", "tie") if word != verdict])
    return verdict


def _worth(problem: Problem | None, answer: str) -> int:
    if problem is None:
        return 0
    right = same_answer(problem.gold if problem.family != "turns" else _direction(problem), answer)
    return 2 * right + any(step in answer for step in problem.steps)


def _direction(problem: Problem) -> str:
    return DIRECTIONS["ABCD".index(problem.gold)]


def _number(text: str, last: bool = False) -> Decimal | None:
    found = NUMBER.findall(text)
    return Decimal(found[-1 if last else 0]) if found else None
