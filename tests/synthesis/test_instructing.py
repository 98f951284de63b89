"""The machine of instructions: whole walks with scripted replies, and every way in which one ends."""

from __future__ import annotations

import pytest

from lab.data.texts import Text
from lab.synthesis.instructing import cut_text
from lab.synthesis.machine import Reply, play
from lab.synthesis.text_state import DIRECT, KEPT, TextState
from tests.synthesis.scripted_texts import (
    COMMON,
    COMPLEX,
    LONG,
    TEXT,
    Script,
    better,
    grade,
    long,
    machine,
    prefers,
    questions,
    walk,
)

REFUSED = Reply(text="context too long", finish="refused")
HARD = {**COMPLEX, "department": ["?", "Surgery", "None"], "long_answer": [
    "no", LONG, long("Other thought", "Other answer"), long("A third one", "Third answer")]}


def test_a_common_question_is_answered_with_its_text_as_background() -> None:
    state, script = walk(COMMON)
    assert script.prompts == ["instructions", "grade", "grade", "answer", "department", "department"]
    assert {ask.role for ask in script.asked} == {"teacher"}
    assert (state.outcome, state.style, state.question) == ("common", "common", "How is gout treated?")
    assert state.answer == "Colchicine first, allopurinol later." and state.n_asked == 6
    assert (state.department, state.subdepartment) == ("Internal Medicine", "Rheumatology and Immunology")
    first, second = (ask.messages[0]["content"] for ask in script.asked[1:3])
    assert "What causes gout?" in first and "How is gout treated?" in second and TEXT.text in first
    answer = script.asked[3].messages[0]["content"]
    assert TEXT.text in answer and "How is gout treated?" in answer
    placed = script.asked[5].messages[0]["content"]
    assert "Nephrology\n" in placed and "Pediatrics" not in placed and state.answer in placed


def test_a_complex_question_gets_long_reasoning_a_direct_answer_and_a_pair_without_the_text() -> None:
    state, script = walk(COMPLEX, thinker="remote:thinker", judge="remote:judge")
    assert script.prompts == ["instructions", "grade", "grade", "long_answer", "direct", "compare", "compare",
                              "department", "department"]
    assert [ask.role for ask in script.asked[3:7]] == ["thinker", "teacher", "judge", "judge"]
    assert (state.outcome, state.pair, state.best, state.rejected) == ("paired", KEPT, 0, DIRECT)
    assert state.said == "Colchicine, then allopurinol." and state.direct == "Take aspirin."
    assert all(TEXT.text not in ask.messages[0]["content"] for ask in script.asked[3:])
    there, back = (ask.messages[0]["content"] for ask in script.asked[5:7])
    assert there.index("### Thought") < there.index("Take aspirin.")
    assert back.index("Take aspirin.") < back.index("### Thought")


@pytest.mark.parametrize(("complexity", "above", "style"), [
    (9, 8, "complex"), (8, 8, "common"), (10, 10, "common"), (2, 1, "complex"),
])
def test_complex_is_what_is_graded_above_the_bound(complexity: int, above: int, style: str) -> None:
    said = {**COMPLEX, "grade": [grade(complexity=complexity), grade(1, 1, 1)]}
    assert walk(said, complex_above=above)[0].style == style


def test_without_a_thinker_the_teacher_thinks_and_without_a_judge_nobody_compares() -> None:
    state, script = walk(COMPLEX)
    assert state.outcome == "paired" and "compare" not in script.prompts
    assert {ask.role for ask in script.asked} == {"teacher"}


@pytest.mark.parametrize("values", [
    {}, {"judge": "remote:j", "samples": 3}, {"judge": "remote:j", "samples": 2, "rejected": "wrong"},
])
@pytest.mark.parametrize("said", [COMMON, COMPLEX, HARD], ids=["common", "complex", "hard"])
def test_a_state_that_was_written_and_read_between_any_two_steps_ends_the_same(said, values) -> None:
    once, script = walk(said, **values)
    again, kept = walk(said, through_json=True, **values)
    assert once == again and script.asked == kept.asked
    assert play(machine(**values), TEXT, Script(said)) == once


def test_what_is_asked_first_is_greedy_for_verdicts_and_drawn_for_what_is_written() -> None:
    _, script = walk(COMPLEX, judge="remote:j", temperature=0.7, top_p=0.9)
    drawn = {ask.prompt: (ask.temperature, ask.top_p) for ask in script.asked}
    assert {name for name, how in drawn.items() if how == (0.0, 1.0)} == {"grade", "compare", "department"}
    assert all(how in ((0.0, 1.0), (0.7, 0.9)) for how in drawn.values())


def test_an_unreadable_reply_is_asked_for_again_with_another_seed_and_counted() -> None:
    state, script = walk({**COMMON, "grade": ["8", grade(), grade(quality=2)]}, format_tries=2, temperature=0.7)
    tries = [ask for ask in script.asked if ask.prompt == "grade"][:2]
    assert tries[0].messages == tries[1].messages and tries[0].seed != tries[1].seed
    assert (tries[0].temperature, tries[1].temperature) == (0.0, 0.7)  # the same greedy request says the same again
    assert state.outcome == "common" and state.unread == ("grade: no JSON",)


def test_every_request_of_a_text_and_of_two_texts_has_a_seed_of_its_own() -> None:
    samples = [long(f"Thought {n}", f"Answer {n}") for n in range(4)]
    said = {**COMPLEX, "long_answer": samples, "compare": [better("tie")]}
    asked = [ask for text in ("a", "b") for ask in walk(
        said, Text(id=text, text="words"), judge="remote:j", samples=4)[1].asked]
    assert len({ask.seed for ask in asked}) == len(asked) == 2 * (3 + 4 + 6 + 1 + 2 + 2)
    assert [ask.seed for ask in walk(COMMON)[1].asked] != [ask.seed for ask in walk(COMMON, seed=1)[1].asked]


@pytest.mark.parametrize(("prompt", "replies", "outcome", "n_asked"), [
    ("instructions", ["What is gout?"], "questions unread", 3),
    ("instructions", [""], "questions empty", 3),
    ("instructions", [Reply(text=questions(), finish="length")], "questions cut", 3),
    ("instructions", ["I'm sorry, I can't help with that."], "questions refused by the model", 3),
    ("instructions", [REFUSED], "questions refused by the endpoint", 1),
    ("grade", ["8/10"], "grade unread", 1 + 6),
    ("grade", [REFUSED], "grade unread", 1 + 2),
    ("grade", [grade(leaks=True)], "leaks its source", 3),
    ("grade", [grade(leaks=True), grade(quality=2)], "leaks its source, low quality", 3),
    ("grade", [grade(relevance=1)], "low relevance", 3),
    ("answer", ["…"], "answer empty", 3 + 3),
    ("answer", ["<think>hm</think>Rest."], "answer unread", 3 + 3),
    ("answer", [Reply(text="Colchicine and", finish="length")], "answer cut", 3 + 3),
])
def test_a_text_that_cannot_go_on_ends_with_a_word_for_it(prompt, replies, outcome: str, n_asked: int) -> None:
    state, _ = walk({**COMMON, prompt: replies}, format_tries=3, min_quality=3, min_relevance=2)
    assert (state.outcome, state.n_asked) == (outcome, n_asked) and state.why


def test_one_question_without_a_grade_leaves_the_other() -> None:
    state, _ = walk({**COMMON, "grade": ["?", "?", grade()]})
    assert state.outcome == "common" and state.selected == 1
    assert [each.fault for each in state.questions] == ["grade unread", ""] and state.unread == ("grade: no JSON",) * 2


@pytest.mark.parametrize(("replies", "outcome"), [
    (["Colchicine."], "long answer unread"), (["### Thought\nUrate."], "long answer unread"),
    ([""], "long answer empty"),
    ([Reply(text=LONG, finish="length")], "long answer cut"), ([REFUSED], "long answer refused by the endpoint"),
])
def test_without_a_long_answer_a_complex_question_is_dropped(replies, outcome: str) -> None:
    assert walk({**COMPLEX, "long_answer": replies})[0].outcome == outcome


@pytest.mark.parametrize(("said", "pair"), [
    ({"direct": ["colchicine then allopurinol"]}, "the same answer"),
    ({"direct": ["..."]}, "direct answer empty"),
    ({"direct": [REFUSED]}, "direct answer refused by the endpoint"),
    ({"compare": [better("A")]}, "judge inconsistent"),  # whatever stands first
    ({"compare": [better("B")]}, "judge inconsistent"),
    ({"compare": [better("tie")]}, "judge sees no difference"),
    ({"compare": [prefers("aspirin")]}, "judge prefers the direct answer"),
    ({"compare": [better("B"), better("tie")]}, "judge prefers the direct answer"),
    ({"compare": ["A is better"]}, "judge unread"),
    ({"compare": [better("A"), "no idea", "none"]}, "judge unread"),
    ({"compare": [better("A"), better("B")]}, KEPT),
    ({"compare": [better("A"), better("tie")]}, KEPT),
    ({"compare": [better("tie"), better("B")]}, KEPT),
])
def test_a_pair_is_kept_or_has_a_reason_and_the_row_stays(said, pair: str) -> None:
    state, _ = walk({**COMPLEX, **said}, judge="remote:j")
    assert state.pair == pair and state.outcome == ("paired" if pair == KEPT else "not paired")
    assert state.said == "Colchicine, then allopurinol." and state.department == "Internal Medicine"


def three(judge) -> dict:
    samples = [long(f"Thought {name}", f"Answer {name}") for name in ("alpha", "beta", "gamma")]
    return {**COMPLEX, "long_answer": samples, "compare": [judge]}


@pytest.mark.parametrize(("words", "best"), [("alpha", 0), ("beta", 1), ("gamma", 2)])
def test_the_best_of_several_is_found_wherever_it_was_drawn(words: str, best: int) -> None:
    state, script = walk(three(prefers(words)), judge="remote:j", samples=3)
    assert state.best == best and state.said == f"Answer {words}" and script.prompts.count("long_answer") == 3
    assert script.prompts.count("compare") == 2 * 2 + 2 and state.pair == KEPT


def test_a_judge_that_goes_by_place_changes_nothing_and_makes_no_pair() -> None:
    state, _ = walk(three(better("A")), judge="remote:j", samples=3)
    assert state.best == 0 and state.pair == "judge inconsistent"
    assert [each.verdict for each in state.compared] == ["inconsistent"] * 3


def test_a_worse_long_answer_is_rejected_where_the_judge_finds_one_and_no_direct_one_is_asked_for() -> None:
    state, script = walk(three(prefers("gamma")), judge="remote:j", samples=3, rejected="wrong")
    assert (state.best, state.rejected, state.pair) == (2, 0, KEPT) and "direct" not in script.prompts
    state, script = walk(three(better("tie")), judge="remote:j", samples=3, rejected="wrong")
    assert state.best == 0 and "direct" in script.prompts and state.pair == "judge sees no difference"


def test_the_same_sample_again_is_counted_and_not_compared() -> None:
    state, script = walk(COMPLEX, judge="remote:j", samples=3)
    assert [each.fault for each in state.long] == ["", "the same again", "the same again"]
    assert script.prompts.count("compare") == 2 and state.best == 0


@pytest.mark.parametrize(("replies", "department", "within", "n_asked"), [
    (["None"], "None", None, 1), (["Pediatrics", "None"], "Pediatrics", "None", 2),
    (["Cardiology"], "", None, 2), (["Surgery", "Cardiology"], "Surgery", "", 3),
    (["surgery", "*Urology*"], "Surgery", "Urology", 2),
])
def test_departments_are_placed_in_two_passes(replies, department: str, within: str | None, n_asked: int) -> None:
    state, script = walk({**COMMON, "department": replies})
    assert (state.department, state.subdepartment) == (department, within) and state.outcome == "common"
    assert script.prompts.count("department") == n_asked


def test_departments_can_be_left_out() -> None:
    state, script = walk(COMMON, departments=False)
    assert state.department is None and "department" not in script.prompts and state.outcome == "common"


def test_a_long_text_is_cut_at_a_word_and_says_so() -> None:
    words = "word " * 100
    assert cut_text(words, 250) == ("word " * 50).strip() and cut_text(words, 252) == ("word " * 50).strip()
    assert cut_text("x" * 300, 250) == "x" * 250 and cut_text("short", 250) == "short"
    state = machine(max_text_chars=250).begin(Text(id="a", text=words))
    assert state.cut and len(state.text) <= 250 and not machine().begin(TEXT).cut


def test_what_is_no_longer_asked_about_is_not_kept() -> None:
    assert all(walk(said)[0].text == "" for said in (COMMON, COMPLEX))


def test_a_text_full_of_signs_of_the_templates_changes_nothing_of_them() -> None:
    text = Text(id="t", text="It costs $5 or ${question}. </text> {\"question1\": 1}")
    state, script = walk(COMMON, text)
    assert text.text in script.asked[0].messages[0]["content"] and state.outcome == "common"


def test_a_state_begins_with_its_text_and_no_reply() -> None:
    assert machine().begin(TEXT) == TextState(id="text-1", text=TEXT.text, source="notes.txt")
