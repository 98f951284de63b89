"""Every prompt is answered in the form that its strict reader wants, and each answer is right where no mistake is
made."""

from __future__ import annotations

import json
import re

import pytest

from lab.data.demo.exam import exam_items
from lab.data.demo.texts import demo_notes
from lab.data.demo.wording import worded
from lab.synthesis.actions import as_json, conclusion_of, without_check
from lab.synthesis.answers import read_answer, read_long_answer
from lab.synthesis.departments import FIRST, NONE, choices_after, read_department
from lab.synthesis.embedded.reading import read_prompt
from lab.synthesis.embedded.settings import REFUSAL
from lab.synthesis.embedded.solver import HANDLERS, answer
from lab.synthesis.filtering import keyed_text, options_text, read_restated
from lab.synthesis.grading import Grade, read_grade, read_questions
from lab.synthesis.judging import read_better
from lab.synthesis.natural import read_natural, read_simple
from lab.synthesis.prompts import own_prompts
from lab.synthesis.replies import read_actions, read_text, read_true_false, read_verdict
from lab.synthesis.strategies import STRATEGIES
from lab.synthesis.unread import Unread
from lab.verify.choice import read_choice
from lab.verify.verifier import verify
from tests.synthesis.embedded.asked import SURE, WRONG, ask, problems

SAMPLE = problems()[::16]
VERDICTS = {"": "pass", "too simple": "too simple", "ambiguous": "ambiguous", "not reformulatable": "not "
                                                                                                    "reformulatable"}


def test_every_template_has_a_handler_and_is_known_again_with_its_fields():
    assert set(HANDLERS) == {"", *own_prompts().texts}
    for name, text in own_prompts().texts.items():
        fields = {field: f"what {field} says,\nwith $1 and {{braces}}" for field in re.findall(r"\$(\w+)", text)}
        asked = read_prompt(own_prompts().write(name, **fields)[0]["content"])
        assert (asked.prompt, asked.fields) == (name, fields)


@pytest.mark.parametrize("name", sorted(own_prompts().texts))
def test_what_it_does_not_know_it_refuses_in_every_form_and_never_invents(name):
    fields = {field: "Which drug cures everything?" for field in re.findall(r"\$(\w+)", own_prompts()[name])}
    said = ask(name, **fields).text
    known = {"verify": ("True", "False"), "compare": ('{"better": "tie"}',), "department": (NONE,)}
    assert said in known.get(name, (REFUSAL,))
    assert isinstance(read_text(ask("think", question="Who are you?")), Unread)


def test_a_reasoning_is_read_its_conclusion_verified_and_its_thinking_natural():
    for problem in SAMPLE:
        row = problem.example("")
        actions = read_actions(ask("think", question=problem.question))
        assert not isinstance(actions, Unread) and verify(conclusion_of(actions), row).correct
        trace = read_natural(ask("naturalise", question=problem.question, steps=as_json(actions)))
        assert isinstance(trace, str) and trace.splitlines()[:len(problem.steps)] == list(problem.steps)
        said = read_text(ask("respond", question=problem.question, notes=trace))
        assert said == row.answer


def test_a_plain_list_of_steps_is_made_natural_as_well():
    problem = problems()[-1]
    told = "\n".join(f"{place}. Add: {line}" for place, line in enumerate(problem.steps, start=1))
    assert read_natural(ask("naturalise", question=problem.question, steps=told)) == "\n".join(problem.steps)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_each_strategy_repairs_a_wrong_reasoning_where_it_makes_no_new_mistake(strategy):
    seeing, repaired, n = SURE.model_copy(update={"notices": 1.0}), 0, 0
    for problem in SAMPLE:
        row, actions = problem.example(""), read_actions(ask("think", WRONG, question=problem.question))
        if verify(conclusion_of(actions), row).correct:
            continue
        shown = as_json(without_check(actions))
        more = read_actions(ask("rethink", seeing, question=problem.question, reasoning=shown,
                                strategy=STRATEGIES[strategy]), continues=True)
        assert not isinstance(more, Unread)
        n += 1
        repaired += verify(conclusion_of((*without_check(actions), *more)), row).correct
    assert n > 20
    # With every line wrong, a strategy that keeps lines keeps wrong ones; those that look at the first repair all.
    assert repaired == n if strategy in ("new path", "correction", "verification") else 0 < repaired < n


def test_a_label_that_is_shown_is_reached_and_another_one_is_refused():
    for problem in SAMPLE:
        row, actions = problem.example(""), read_actions(ask("think", WRONG, question=problem.question))
        fields = {"question": problem.question, "reasoning": as_json(without_check(actions))}
        led = read_actions(ask("label_shown", reference=row.gold, **fields), continues=True)
        assert verify(conclusion_of(led), row).correct
    assert ask("label_shown", reference="no such answer", **fields).text == REFUSAL


def test_simple_and_direct_answers_are_read_and_right():
    for problem in SAMPLE:
        row = problem.example("")
        thinking, said = read_simple(ask("simple", question=problem.question))
        assert thinking == row.trace and said == row.answer
        assert read_text(ask("direct", question=problem.question)) == row.answer
        assert read_answer(ask("answer", question=problem.question, text="A text.")).endswith(row.answer)
        long = read_long_answer(ask("long_answer", question=problem.question))
        assert long.answer == row.answer and long.trace.count("\n") >= 2 * len(problem.steps)


def test_the_filter_finds_what_rules_cannot_and_solvers_choose_an_option():
    for item in exam_items()[::3]:
        row = item.example
        fields = {"question": row.question, "options": options_text(row)}
        if item.flaw in VERDICTS:
            assert read_verdict(ask("filter", answer=keyed_text(row), **fields)) == VERDICTS[item.flaw], row
        letter = read_choice(ask("solve", **fields).text, row.options).letter
        assert letter == row.gold if item.problem or item.fact else letter in row.options


def test_a_restated_question_stands_alone_and_has_the_problems_answer():
    for item in exam_items():
        if item.problem and item.flaw == "":
            row = item.example
            question, short = read_restated(ask("reformulate", question=row.question, options=options_text(row),
                                                answer=keyed_text(row)))
            assert question == str(worded(item.problem)) and short == item.problem.gold
            assert "option" not in question
            said = conclusion_of(read_actions(ask("think", question=question)))
            assert read_true_false(ask("verify", reference=short, candidate=said)) is True


def test_the_verifier_compares_numbers_and_words_and_not_their_dress():
    same = [("12", "The anion gap is 12 mmol/L.\nAnswer: 12 mmol/L"), ("12 mmol/L", "It is 12."),
            ("Ann", "Ann is the tallest."), ("B) north", "Tom faces north.\nAnswer: B"),
            ("B) north", "Answer: north"), ("120", "From 7 and 8 follows 120.")]
    other = [("12", "Answer: 112 mmol/L"), ("12", "12 was my first thought.\nAnswer: 13"), ("Ann", "Answer: Anna"),
             ("B) north", "Answer: C"), ("12", "I do not know.")]
    for pairs, verdict in ((same, True), (other, False)):
        for reference, candidate in pairs:
            found = read_true_false(ask("verify", reference=reference, candidate=candidate))
            assert found is verdict, (reference, candidate)


def test_notes_become_two_questions_with_grades_and_departments():
    complexities, departments = set(), set()
    for note in demo_notes():
        asked = read_questions(ask("instructions", text=note.text))
        assert not isinstance(asked, Unread)
        for question in asked:
            grade = read_grade(ask("grade", text=note.text, question=question))
            assert isinstance(grade, Grade) and grade.leaks == question.startswith("According to the note")
            first = read_department(ask("department", question=question, answer="…", choices="\n".join(FIRST)), FIRST)
            if note.problems and note.kind == "clinical":
                assert grade.relevance >= 5 and first in FIRST, question
                within = choices_after(first)
                asked_again = ask("department", question=question, answer="…", choices="\n".join(within))
                second = read_department(asked_again, within)
                assert second in within
                departments.add(second)
                complexities.add(grade.complexity)
            elif note.kind == "off topic":
                assert grade.relevance <= 2 and first == NONE
            if note.kind == "trivial":
                assert grade.complexity <= 2
    assert max(complexities) > 8 and min(complexities) <= 5 and len(departments) >= 6


def test_the_judge_prefers_what_is_right_whichever_stands_first():
    problem = problems()[0]
    right, wrong = problem.example("").answer, ask("direct", WRONG, question=problem.question).text
    assert right != wrong
    for first, second, better in ((right, wrong, "A"), (wrong, right, "B"), (right, right, "tie")):
        assert read_better(ask("compare", question=problem.question, first=first, second=second)) == better


def test_a_bare_question_is_answered_with_its_working():
    problem = problems()[0]
    said = answer([{"role": "user", "content": problem.question}], settings=SURE)
    assert problem.steps[0] in said and verify(said, problem.example("")).correct


def test_replies_are_json_that_keeps_other_letters():
    assert json.loads(ask("think", question=problems()[0].question).text)["steps"]
