"""Workings: exact without mistakes, wrong at the set rate, wrong lines found where they are, and answers as the rows
give."""

from __future__ import annotations

from math import sqrt

import pytest

from lab.synthesis.embedded.working import is_right, last_value, read_lines, said, steps_of, worked, wrong_lines
from tests.synthesis.embedded.asked import families, of_family, problems, rng


def test_a_working_without_mistakes_is_the_demos_own_line_for_line_and_so_is_its_answer():
    for problem in problems():
        lines = worked(problem, rng(), 0)
        assert tuple(line.text for line in lines) == problem.steps
        assert said(problem, lines[-1].value) == problem.example("").answer and is_right(problem, lines[-1].value)
        assert wrong_lines(problem, lines) == []


@pytest.mark.parametrize("family", families())
def test_every_family_has_mistakes_of_its_own_that_lead_to_another_answer(family):
    wrong = 0
    for place, problem in enumerate(of_family(family)[:40]):
        lines = worked(problem, rng(place), 1.0)
        at = wrong_lines(problem, lines)
        assert len(lines) == len(problem.steps)
        if at:
            assert lines[at[0]].text != problem.steps[at[0]] and lines[:at[0]] == worked(problem, rng(), 0)[:at[0]]
        wrong += not is_right(problem, lines[-1].value)
    assert wrong >= 25, f"{wrong} of 40"


def test_a_wrong_line_is_carried_on_exactly_so_that_only_it_is_wrong():
    seen = 0
    for place, problem in enumerate(problems()):
        lines = worked(problem, rng(place), 0.2)
        for at in range(len(lines)):
            exact = steps_of(problem)[at].written([line.value for line in lines[:at]])[0] == lines[at].text
            assert exact == (at not in wrong_lines(problem, lines))
        seen += len(wrong_lines(problem, lines)) == 1
    assert seen > 150


def test_lines_go_wrong_at_the_rate_that_was_set():
    rate, n_lines, n_wrong = 0.15, 0, 0
    for place, problem in enumerate(problems()):
        if problem.family in ("anion gap", "shop", "travel", "stock", "ages", "Glasgow coma scale", "turns"):
            lines = worked(problem, rng(place), rate)
            n_lines, n_wrong = n_lines + len(lines), n_wrong + len(wrong_lines(problem, lines))
    assert abs(n_wrong / n_lines - rate) < 4 * sqrt(rate * (1 - rate) / n_lines) + 0.01


def test_longer_problems_are_solved_less_often():
    def share(family: str) -> float:
        return sum(is_right(p, worked(p, rng(i), 0.15)[-1].value) for i, p in enumerate(of_family(family))) / len(
            of_family(family))

    assert share("Glasgow coma scale") < share("anion gap")


def test_a_working_is_read_from_its_lines_and_a_part_of_it_takes_the_last_places():
    for place, problem in enumerate(problems()[:200]):
        lines = worked(problem, rng(place), 0.5)
        assert read_lines(problem, [line.text for line in lines]) == lines
        again = worked(problem, rng(place + 1), 0.5, lines[:1])
        assert read_lines(problem, [line.text for line in again[1:]], lines) == again
        assert last_value(problem, [line.text for line in lines]) == lines[-1].value
    assert read_lines(problem, ["no line of it"] * len(problem.steps)) is None
    assert read_lines(problem, list(problem.steps) * 2) is None
