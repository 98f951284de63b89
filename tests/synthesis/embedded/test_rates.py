"""Replies follow from what was asked, and go wrong as often as was set."""

from __future__ import annotations

import random
from collections.abc import Callable
from math import sqrt
from typing import Any

import pytest

from lab.data.demo.problem import Problem
from lab.synthesis.actions import as_json, conclusion_of
from lab.synthesis.embedded.settings import Settings
from lab.synthesis.embedded.solver import answer
from lab.synthesis.embedded.working import last_value
from lab.synthesis.machine import Ask, Reply, play
from lab.synthesis.natural import read_simple
from lab.synthesis.prompts import own_prompts
from lab.synthesis.replies import read_actions, read_true_false
from lab.synthesis.search import ReasoningMachine
from lab.synthesis.specs import ReasoningSpec
from lab.synthesis.unread import Unread
from lab.verify.verifier import verify
from tests.synthesis.embedded.asked import SURE, ask, of_family, problems

DEFAULT = Settings()


def near(share: float, expected: float, n: int) -> bool:
    """Within four standard errors of a share of n."""
    return abs(share - expected) <= 4 * sqrt(expected * (1 - expected) / n)


def replied(asked: Ask, settings: Settings = DEFAULT) -> Reply:
    return Reply(text=answer(asked.messages, asked.seed, asked.temperature, settings))


def test_a_reply_is_the_same_for_the_same_request_and_another_for_another_seed():
    question = of_family("Glasgow coma scale")[0].question
    drawn = [ask("think", DEFAULT, seed, question=question).text for seed in range(40)]
    assert drawn == [ask("think", DEFAULT, seed, question=question).text for seed in range(40)]
    assert len(set(drawn)) > 5
    greedy = {ask("think", DEFAULT, seed, temperature=0, question=question).text for seed in range(40)}
    assert len(greedy) == 1
    other = DEFAULT.model_copy(update={"seed": 1})
    assert drawn != [ask("think", other, seed, question=question).text for seed in range(40)]


def test_formats_break_as_often_as_was_set_in_each_of_the_known_ways():
    faulty = SURE.model_copy(update={"format_faults": 0.2})
    n, reasons = 0, {}
    for seed in range(3):
        for problem in problems()[:500]:
            found = read_actions(ask("think", faulty, seed, question=problem.question))
            n += 1
            if isinstance(found, Unread):
                reasons[found.reason] = reasons.get(found.reason, 0) + 1
    # A fence is a fault that a strict reader takes off: one kind of five.
    assert near(sum(reasons.values()) / n, 0.2 * 4 / 5, n)
    assert {"cut", "words around it", "empty", "wrong shape"} <= set(reasons)


def test_verdicts_are_wrong_as_often_as_was_set():
    unsure = SURE.model_copy(update={"verdict_errors": 0.1})
    wrong = sum(read_true_false(ask("verify", unsure, reference=str(n), candidate=f"Answer: {n}")) is not True
                for n in range(1500))
    assert near(wrong / 1500, 0.1, 1500)


def test_answers_without_a_working_are_wrong_far_more_often():
    sound = DEFAULT.model_copy(update={"format_faults": 0.0})

    def share(said: Callable[[Problem], str]) -> float:
        return sum(verify(said(problem), problem.example("")).correct for problem in problems()) / len(problems())

    simple = share(lambda problem: read_simple(ask("simple", sound, question=problem.question))[1])
    direct = share(lambda problem: ask("direct", sound, question=problem.question).text)
    assert 0.5 < simple < 0.75 and direct < simple - 0.2


def test_a_first_reasoning_solves_about_two_thirds_and_a_search_nearly_all():
    machine = ReasoningMachine(ReasoningSpec(verifier="rule"), own_prompts())
    states = [play(machine, problem.example(""), replied) for problem in problems()[::2]]
    at_once = sum(state.outcome == "solved" and (state.attempt, state.depth) == (1, 0) for state in states)
    solved = [state for state in states if state.outcome == "solved"]
    assert 0.55 <= at_once / len(states) <= 0.75
    assert len(solved) / len(states) > 0.93
    assert {name for state in solved for name in state.strategies} == {"backtracking", "new path", "verification",
                                                                       "correction"}
    assert max(state.depth for state in solved) >= 2


def test_the_thinking_of_a_search_keeps_its_wrong_turns_and_ends_where_the_answer_is():
    machine = ReasoningMachine(ReasoningSpec(verifier="rule"), own_prompts())
    turned = 0
    for problem in problems()[::4]:
        state = play(machine, problem.example(""), replied)
        if state.outcome == "solved":
            assert verify(state.response, state.row).correct
            value = last_value(problem, state.trace.splitlines())
            assert value is not None
            turned += state.depth > 0 and "?" in state.trace
    assert turned > 30


def taught_tokens(base: str, tokenizer: Any) -> set[int]:
    """Tokens that the base has learnt to say: a token that it never had to say it cannot learn with an adapter."""
    from lab.bases.demo.designs import DESIGNS
    from lab.bases.demo.pretraining_text import document, practice

    design = DESIGNS[base] if isinstance(DESIGNS, dict) else next(each for each in DESIGNS if each.name == base)
    draw, found = random.Random(0), set[int]()
    for place in range(4000):
        for text, is_said in (document if place % 2 else practice)(draw, design.marks):
            if is_said:
                found.update(tokenizer(text, add_special_tokens=False)["input_ids"])
    return found


@pytest.mark.parametrize("base", ["demo-llama", "demo-qwen2"])
def test_searched_thinking_is_short_and_made_of_what_the_demo_bases_can_read(base):
    from lab.bases.cards import bases
    from lab.bases.tokenizers import open_tokenizer

    tokenizer = open_tokenizer(bases()[base])
    taught = taught_tokens(base, tokenizer)
    machine = ReasoningMachine(ReasoningSpec(verifier="rule"), own_prompts())
    lengths = []
    for problem in problems()[::4]:
        state = play(machine, problem.example(""), replied)
        if state.trace:
            assert state.trace.isascii()
            ids = tokenizer(f"{state.trace}\n", add_special_tokens=False)["input_ids"]
            assert tokenizer.decode(ids, skip_special_tokens=True).strip() == state.trace
            new = {tokenizer.decode([id]) for id in set(ids) - taught}
            assert not {text for text in new if not text.strip().isdigit()}, state.trace
            lengths.append(len(ids))
    lengths.sort()
    assert lengths[len(lengths) * 95 // 100] <= 200 and lengths[len(lengths) // 2] <= 100


def test_a_conclusion_is_the_demos_own_answer_in_its_own_form():
    problem = of_family("dose")[0]
    actions = read_actions(ask("think", question=problem.question))
    assert conclusion_of(actions) == problem.example("").answer
    assert "steps" in as_json(actions)
