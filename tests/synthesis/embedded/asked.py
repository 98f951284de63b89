"""Asking the embedded teacher in tests: prompts as the machines write them, problems as the demo draws them."""

from __future__ import annotations

import random
from functools import cache

from lab.data.demo.exam import exam_items
from lab.data.demo.families import FIELDS, draw
from lab.data.demo.problem import Problem
from lab.synthesis.embedded.settings import Settings
from lab.synthesis.embedded.solver import answer
from lab.synthesis.machine import Reply
from lab.synthesis.prompts import own_prompts

SURE = Settings(mistakes=0, verdict_errors=0, format_faults=0, self_check=0)
WRONG = SURE.model_copy(update={"mistakes": 1.0})


@cache
def problems() -> tuple[Problem, ...]:
    """Of every family, from what the demo's datasets hold."""
    return tuple(problem for field in FIELDS for problem in draw(field, "train", 400, seed=0))


def of_family(family: str) -> list[Problem]:
    return [problem for problem in problems() if problem.family == family]


def families() -> list[str]:
    return sorted({problem.family for problem in problems()})


def ask(prompt: str, settings: Settings = SURE, seed: int = 0, temperature: float = 0.8, **fields: str) -> Reply:
    messages = own_prompts().write(prompt, **fields)
    return Reply(text=answer(messages, seed, temperature, settings))


def sound_exam_item(place: int = 0):
    return [item for item in exam_items() if item.flaw == ""][place]


def rng(seed: int = 0) -> random.Random:
    return random.Random(seed)
