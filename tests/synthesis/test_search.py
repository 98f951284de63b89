"""The search: golden walks with scripted answers, and what holds for every walk."""

from __future__ import annotations

import json
import random

import pytest

from lab.core.types import Example
from lab.synthesis.machine import Ask, Reply, play
from lab.synthesis.natural import read_natural, read_simple, read_unmarked
from lab.synthesis.prompts import own_prompts
from lab.synthesis.search import ReasoningMachine
from lab.synthesis.search_state import SearchState
from lab.synthesis.search_yield import dropped_rows, funnel_of, stage_of
from lab.synthesis.specs import ReasoningSpec
from lab.synthesis.strategies import STRATEGIES, strategy
from lab.synthesis.unread import Unread
from tests.synthesis.scripted import NATURAL, PROBLEM, SIMPLE, Script, play_with_kills, rethought, thought

GOOD = {"think": thought(), "verify": "True", "naturalise": NATURAL, "respond": "It is 12.\nAnswer: 12",
        "simple": SIMPLE, "direct": "Answer: 12", "rethink": rethought(), "label_shown": rethought()}


def machine(**settings) -> ReasoningMachine:
    return ReasoningMachine(ReasoningSpec(**settings), own_prompts())


def walk(lines: dict, **settings) -> tuple[SearchState, Script]:
    script = Script(GOOD | lines)
    return play(machine(**settings), PROBLEM, script), script


def test_a_conclusion_that_is_right_at_once_is_solved_at_depth_0():
    state, script = walk({})
    assert script.prompts == ["think", "verify", "naturalise", "respond", "verify"]
    assert (state.outcome, state.attempt, state.depth, state.provenance) == ("solved", 1, 0, "found")
    assert state.trace.startswith("Hmm") and state.response.endswith("Answer: 12") and state.n_asked == 5


def test_wrong_conclusions_are_thought_over_by_drawn_strategies_and_attempts_begin_anew():
    state, script = walk({"verify": ["False"] * 3 + ["True"]}, attempts=2, rethinks=1)
    assert script.prompts == ["think", "verify", "rethink", "verify", "think", "verify", "rethink", "verify",
                              "naturalise", "respond", "verify"]
    assert (state.attempt, state.depth, len(state.strategies)) == (2, 1, 1)
    assert state.strategies == (strategy(0, PROBLEM.id, 2, 1),)


def test_a_rethink_replaces_the_trailing_check_by_new_steps():
    state, script = walk({"verify": ["False", "True"]})
    assert [action.kind for action in state.actions] == ["think", "conclude", "check", "think", "conclude", "check"]
    shown = script.asked[2].messages[0]["content"]
    assert "It holds." not in shown and "The gap is 12." in shown and STRATEGIES[state.strategies[0]] in shown


def test_backtracking_is_never_drawn_at_the_first_rethink_and_every_strategy_later():
    first = {strategy(seed, "q", 1, 1) for seed in range(200)}
    later = {strategy(seed, "q", 1, 2) for seed in range(200)}
    assert first == set(STRATEGIES) - {"backtracking"} and later == set(STRATEGIES)


def test_a_problem_that_stays_unsolved_ends_after_all_attempts_and_rethinks():
    state, script = walk({"verify": "False"}, attempts=3, rethinks=3)
    assert state.outcome == "unsolved" and state.provenance == "" and stage_of(state) == "reasoned"
    assert script.prompts.count("think") == 3 and script.prompts.count("rethink") == 9
    assert script.prompts.count("verify") == 12


def test_a_shown_label_is_taken_without_a_verdict_and_marked():
    verdicts = ["False"] * 2 + ["True"]  # the third is on the final response
    state, script = walk({"verify": verdicts}, attempts=1, rethinks=1, show_label=True)
    assert script.prompts == ["think", "verify", "rethink", "verify", "label_shown", "naturalise", "respond", "verify"]
    assert (state.outcome, state.provenance, state.depth) == ("solved", "label_shown", 1)
    assert "12" in script.asked[4].messages[0]["content"].split("<reference>")[1]


def test_the_rule_verifies_without_asking_anybody():
    state, script = walk({"think": [thought(13), thought(12)], "rethink": rethought(14)}, verifier="rule", rethinks=1)
    assert "verify" not in script.prompts and state.outcome == "solved" and state.attempt == 2


def test_an_unreadable_reply_is_asked_for_once_more_with_another_seed():
    state, script = walk({"think": ["no JSON at all", thought()]})
    assert state.outcome == "solved" and state.attempt == 1 and state.n_unread == {"no JSON": 1}
    assert script.asked[0].seed != script.asked[1].seed


def test_a_verdict_is_greedy_and_drawn_when_it_is_asked_for_again():
    state, script = walk({"verify": ["That is true.", "True"]})
    first, second = script.asked[1], script.asked[2]
    assert (first.temperature, second.temperature) == (0.0, 0.8)
    assert first.seed != second.seed and state.outcome == "solved"


def test_a_verdict_that_stays_unreadable_is_counted_and_is_no_yes():
    state, _ = walk({"verify": ["That is true."] * 2 + ["True"]})
    assert (state.n_unsure, state.depth, state.outcome) == (1, 1, "solved")
    assert state.n_unread == {"words around it": 2}


def test_a_reasoning_that_stays_unreadable_ends_its_attempt():
    state, script = walk({"think": ["{", "{", thought()]})
    assert (state.outcome, state.attempt) == ("solved", 2)
    state, script = walk({"think": ""}, attempts=2)
    assert state.outcome == "unreadable reasoning" and len(script.asked) == 4 and stage_of(state) == "problems"
    state, _ = walk({"verify": "False", "rethink": "{"}, attempts=1)
    assert state.outcome == "unsolved" and "cut" in state.why and state.strategies == ()


def test_refusals_are_told_apart():
    for said in ("I'm sorry, I can't help with that.", Reply(text="too long", finish="refused")):
        state, _ = walk({"think": said})
        assert state.outcome == "refused"


def test_thinking_of_one_line_is_not_natural_and_is_asked_for_twice():
    state, script = walk({"naturalise": json.dumps({"text": "one line"})})
    assert state.outcome == "not naturalised" and script.prompts.count("naturalise") == 2
    assert stage_of(state) == "solved"
    state, _ = walk({"naturalise": ['{"text": "one line"}', '{"NaturalReasoning": "one\\ntwo"}']})
    assert state.trace == "one\ntwo"


def test_a_response_that_lost_the_answer_is_written_once_more():
    state, script = walk({"verify": ["True", "False", "True"], "respond": ["It is 13.", "It is 12."]})
    assert (state.outcome, state.rewritten, state.response) == ("solved", 1, "It is 12.")
    seeds = [ask.seed for ask in script.asked if ask.prompt == "respond"]
    assert len(set(seeds)) == 2
    state, script = walk({"verify": ["True", "False"]})
    assert state.outcome == "response lost the answer" and script.prompts.count("respond") == 2
    assert stage_of(state) == "naturalised"


def test_a_response_that_stays_unreadable_ends_the_item():
    assert walk({"respond": ""})[0].outcome == "unreadable response"
    assert walk({"respond": "I'm sorry, I can't help with that."})[0].outcome == "refused"


def test_the_ablation_asks_for_a_simple_and_a_direct_answer_and_verifies_both():
    state, script = walk({"verify": ["True", "True", "False", "True", "False", "False", "True"]}, ablation=True)
    assert script.prompts[5:] == ["simple", "verify", "simple", "verify", "direct", "verify", "direct", "verify",
                                  "direct", "verify"]
    assert state.outcome == "solved" and (state.simple.n, state.direct.n) == (2, 3)
    assert state.simple.trace == "138-102-24" and state.direct.answer == "Answer: 12"
    assert len({ask.seed for ask in script.asked}) == len(script.asked)


def test_what_the_ablation_cannot_match_stays_among_the_complex():
    state, script = walk({"simple": "no JSON"}, ablation=True)
    assert state.outcome == "simple not verified" and state.confirmed and script.prompts.count("simple") == 3
    state, _ = walk({"direct": "Answer: 13"}, ablation=True, verifier="rule")
    assert state.outcome == "direct not verified" and stage_of(state) == "answered"


def test_a_problem_with_options_is_asked_with_them_and_compared_by_their_words():
    row = Example(id="q", question="Which?", options={"A": "gout", "B": "lupus"}, answer="Answer: B", gold="B",
                  verifier="choice")
    script = Script(GOOD)
    play(machine(), row, script)
    assert "B) lupus" in script.asked[0].messages[0]["content"]
    assert "B) lupus" in script.asked[1].messages[0]["content"].split("</reference>")[0]


def clumsy(ask: Ask) -> Reply:
    """Answers by chance, as the ask's own seed decides: right, wrong, cut, prose, refused."""
    rng = random.Random(f"{ask.prompt}/{ask.seed}")
    if rng.random() < 0.25:
        return rng.choice([Reply(text=""), Reply(text="{"), Reply(text="x", finish="length"),
                           Reply(text="no", finish="refused"), Reply(text="I'm sorry, I can't help with that.")])
    number = rng.choice([12, 12, 13])
    return Reply(text={"think": thought(number), "rethink": rethought(number), "label_shown": rethought(),
                       "verify": rng.choice(["True", "False", "It is true."]), "naturalise": NATURAL, "simple": SIMPLE,
                       "respond": f"It is {number}.\nAnswer: {number}", "direct": f"Answer: {number}"}[ask.prompt])


SETTINGS = [{}, {"verifier": "rule", "ablation": True}, {"ablation": True, "show_label": True},
            {"attempts": 1, "rethinks": 0}]
ITEMS = [PROBLEM.model_copy(update={"id": f"gap-{place}"}) for place in range(60)]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_kill_between_any_two_steps_changes_nothing(settings):
    one = machine(**settings)
    for item in ITEMS[:25]:
        assert play_with_kills(one, item, clumsy) == play(one, item, clumsy)


def test_the_order_of_items_does_not_matter():
    one = machine(ablation=True)
    forward = {item.id: play(one, item, clumsy) for item in ITEMS}
    assert forward == {item.id: play(one, item, clumsy) for item in reversed(ITEMS)}
    together = {item.id: one.begin(item) for item in ITEMS}
    rng = random.Random(3)
    while open_ones := [key for key, state in together.items() if not state.done]:
        key = rng.choice(open_ones)
        together[key] = one.step(together[key], clumsy(one.ask(together[key])))
    assert together == forward


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_funnel_adds_up_with_some_items_still_open(settings):
    one = machine(**settings)
    states = [play(one, item, clumsy) for item in ITEMS[:40]] + [one.begin(item) for item in ITEMS[40:]]
    funnel = funnel_of(states, bool(settings.get("ablation")))
    counts = [stage.n for stage in funnel.stages]
    assert counts == sorted(counts, reverse=True) and counts[0] == len(ITEMS)
    n_dropped = sum(each.n for each in funnel.dropped)
    assert counts[0] == counts[-1] + n_dropped + funnel.n_open and n_dropped == len(dropped_rows(states))
    found = [state for state in states if state.provenance == "found"]
    assert sum(each.n for each in funnel.solved) == len(found) > 0


def test_a_text_with_marks_of_a_thought_is_none():
    marked = "<think>hm</think>\nThe answer is 12."
    found = read_unmarked(Reply(text=marked)), read_natural(Reply(text=json.dumps({"text": f"one\n{marked}"})))
    assert all(isinstance(one, Unread) and one.reason == "wrong shape" for one in found)
    assert isinstance(read_simple(Reply(text=json.dumps({"thinking": "one", "answer": marked}))), Unread)
    assert read_unmarked(Reply(text="The answer is 12.")) == "The answer is 12."
