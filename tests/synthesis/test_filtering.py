"""Filtering: golden walks of exam questions with scripted answers, and what holds for every walk."""

from __future__ import annotations

import json
import random

import pytest

from lab.core.types import Example
from lab.synthesis.filtering import OUTCOMES, ProblemsMachine, ProblemState, problem_of
from lab.synthesis.machine import Ask, Reply, play
from lab.synthesis.problem_yield import dropped_rows, funnel_of, stage_of
from lab.synthesis.prompts import own_prompts
from lab.synthesis.specs import ProblemsSpec
from lab.verify.verifier import verify
from tests.synthesis.scripted import Script, play_with_kills

STEM = ("A man of 61 years has had chest pain for two hours; it spreads to the left arm, and his troponin is raised. "
        "There is no fever. ")
EXAM = Example(id="mi", question=f"{STEM}What is the most likely diagnosis?", gold="B", verifier="choice",
               subject="heart",
               options={"A": "Pericarditis", "B": "Myocardial infarction", "C": "Pneumonia"}, answer="Answer: B")
RESTATED = json.dumps({"question": f"{STEM}What has he most likely got?", "answer": "Myocardial infarction"})
GOOD = {"solve": "Answer: B", "filter": "PASS", "reformulate": RESTATED}


def machine(contaminated: dict | None = None, **settings) -> ProblemsMachine:
    return ProblemsMachine(ProblemsSpec(**settings), own_prompts(), contaminated or {})


def walk(lines: dict, row: Example = EXAM, **settings) -> tuple[ProblemState, Script]:
    script = Script(GOOD | lines)
    return play(machine(**settings), row, script), script


def restated(answer: str, question: str = "") -> str:
    return json.dumps({"question": question or f"{STEM}What is it?", "answer": answer})


def test_a_question_that_passes_is_restated_and_kept():
    state, script = walk({})
    assert script.prompts == ["filter", "reformulate"] and state.outcome == "kept" and state.n_asked == 2
    problem = problem_of(state)
    assert (problem.id, problem.options) == ("mi", None)
    assert (problem.verifier, problem.gold) == ("mention", "Myocardial infarction")
    assert problem.subject == "heart" and verify(problem.answer, problem).correct
    shown = script.asked[0].messages[0]["content"]
    assert "B) Myocardial infarction" in shown
    assert [ask.temperature for ask in script.asked] == [0, 0.8]


def test_a_number_becomes_a_problem_whose_verifier_reads_numbers():
    for said, gold in (("12", "12"), ("1,250", "1250"), ("0.5", "0.5")):
        problem = problem_of(walk({"reformulate": restated(said)})[0])
        assert (problem.verifier, problem.gold) == ("numeric", gold) and verify(problem.answer, problem).correct


def test_the_papers_field_names_are_read():
    paper = json.dumps({"Open-ended Verifiable Question": f"{STEM}What?", "Standard Answer": "Infarction"})
    assert walk({"reformulate": paper})[0].answer == "Infarction"


def test_solvers_are_asked_one_after_another_until_one_fails():
    three = ("remote:a", "remote:b", "remote:c")
    state, script = walk({"solve": ["Answer: B", "Answer: A"]}, solvers=three)
    assert script.prompts == ["solve", "solve", "filter", "reformulate"] and state.outcome == "kept"
    assert [ask.role for ask in script.asked] == ["solver:0", "solver:1", "teacher", "teacher"]
    state, script = walk({}, solvers=three)
    assert state.outcome == "too easy" and script.prompts == ["solve"] * 3 and stage_of(state) == "clear of benchmarks"


@pytest.mark.parametrize("said", ["", "A or B", "I do not know.", Reply(text="Answer: B", finish="length"),
                                  Reply(text="too long", finish="refused")])
def test_a_solver_that_names_no_option_has_failed(said):
    state, script = walk({"solve": said}, solvers=("remote:a",))
    assert script.prompts[0] == "solve" and len(script.prompts) == 3 and state.outcome == "kept"
    assert [(why.startswith("solver: "), n) for why, n in state.n_unread.items()] == [(True, 1)]


@pytest.mark.parametrize(("said", "outcome"), [
    ("TOO_SIMPLE", "too simple"), ("Ambiguous Answer", "ambiguous"), ("not reformulatable", "not reformulatable"),
    ("It would pass, I think", "unreadable verdict"), ("", "unreadable verdict"),
    ("I'm sorry, I can't help with that.", "verdict refused"), (Reply(text="no", finish="refused"), "verdict refused"),
])
def test_each_verdict_has_its_outcome(said, outcome):
    state, script = walk({"filter": said})
    assert state.outcome == outcome and stage_of(state) == "hard enough"
    assert len(script.asked) == (2 if "verdict" in outcome else 1)


@pytest.mark.parametrize(("said", "outcome"), [
    ("{", "unreadable reformulation"), (restated("x", "Which of the following is it?"), "options remain"),
    (restated("w " * 13), "long answer"), (restated("chest pain"), "answer in the question"),
    (restated("fever, cough, and a rash"), "answer not verifiable"), (restated("1,20"), "answer not verifiable"),
    ('{"question": "", "answer": "x"}', "unreadable reformulation"),
    ('{"question": "x?", "answer": 12}', "unreadable reformulation"),
    ("I cannot answer this.", "reformulation refused"),
])
def test_each_fault_of_a_restated_question_is_asked_for_again_and_then_has_its_outcome(said, outcome):
    state, script = walk({"reformulate": said})
    assert state.outcome == outcome and stage_of(state) == "passed" and script.prompts.count("reformulate") == 2
    assert len({ask.seed for ask in script.asked}) == 3
    assert walk({"reformulate": [said, RESTATED]})[0].outcome == "kept"


def test_what_needs_no_model_is_known_before_anything_is_asked():
    negative = EXAM.model_copy(update={"question": STEM + "Which of the following is NOT likely?"})
    assert machine().begin(negative).outcome == "negative question"
    assert machine({"mi": "64 characters in common"}).begin(EXAM).outcome == "contaminated"
    assert ProblemsMachine(ProblemsSpec(), own_prompts(), {}, {"mi": "as q"}).begin(EXAM).outcome == "asked before"
    assert machine().begin(EXAM.model_copy(update={"options": None})).outcome == "no options"
    assert machine(min_words=100).begin(EXAM).outcome == "too short"


def test_without_a_filter_the_teacher_is_asked_to_restate_alone():
    assert walk({}, filter=False)[1].prompts == ["reformulate"]


def clumsy(ask: Ask) -> Reply:
    rng = random.Random(f"{ask.prompt}/{ask.seed}")
    if rng.random() < 0.3:
        return rng.choice([Reply(text=""), Reply(text="{"),
                           Reply(text="x", finish="length"), Reply(text="x", finish="refused")])
    return Reply(text={"solve": rng.choice(["Answer: A", "Answer: B"]),
                       "reformulate": rng.choice([RESTATED, restated("w " * 20)]),
                       "filter": rng.choice(["PASS", "PASS", "TOO_SIMPLE", "it passes"])}[ask.prompt])


ITEMS = [EXAM.model_copy(update={"id": f"mi-{place}", "gold": "B" if place % 9 else "A and B"}) for place in range(80)]
SETTINGS = [{}, {"solvers": ("remote:a", "remote:b")}, {"filter": False, "format_tries": 1}]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_kill_between_any_two_steps_and_the_order_of_items_change_nothing(settings):
    one = machine({"mi-3": "shared"}, **settings)
    forward = {item.id: play(one, item, clumsy) for item in ITEMS}
    assert forward == {item.id: play_with_kills(one, item, clumsy) for item in reversed(ITEMS)}


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_funnel_adds_up_with_some_items_still_open(settings):
    one = machine({"mi-3": "shared"}, **settings)
    states = [play(one, item, clumsy) for item in ITEMS[:60]] + [one.begin(item) for item in ITEMS[60:]]
    funnel = funnel_of(states)
    counts = [stage.n for stage in funnel.stages]
    assert counts == sorted(counts, reverse=True) and counts[0] == len(ITEMS) and counts[-1] > 0
    n_dropped = sum(each.n for each in funnel.dropped)
    assert counts[0] == counts[-1] + n_dropped + funnel.n_open and n_dropped == len(dropped_rows(states))
    assert {each.outcome for each in funnel.dropped} <= set(OUTCOMES)
