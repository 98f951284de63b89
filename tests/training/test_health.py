"""Health: which replies of a trained model are faults, and how many of them make it a sick one."""

from __future__ import annotations

import json
import random

import pytest
from scipy.stats import binomtest

from lab.core.types import Example, Pair
from lab.data.targets import THINKING_STYLES
from lab.training.health import TOLERATED, Health, Reply, judge, longest_loop, not_examined
from lab.training.probes import Probe, asked_probes, chosen, pair_probes, taught_probes
from tests.training.tiny import sums

GOOD = "<think>\n10+20=30\n</think>\nAnswer: 30"
BARE = "Answer: 30"
EXAMPLE = Example(id="sum", question="What is 10 plus 20?", trace="10+20=30", answer=BARE, gold="30")


def reply(text: str, thinks: bool | None = True, ended: bool = True, **values) -> Reply:
    ids = values.pop("ids", tuple(range(20)))
    taught = values.pop("taught_ids", tuple(range(20)))
    return Reply(Probe(EXAMPLE, GOOD, thinks), text, ids, ended, values.pop("budget", 100), taught)


def judged(bad: Reply, n_bad: int, n: int = 16, good: Reply | None = None) -> Health:
    good = good or reply(GOOD if bad.probe.thinks else BARE, bad.probe.thinks)
    return judge([bad] * n_bad + [good] * (n - n_bad), "tags")


def test_replies_as_they_were_taught_are_healthy():
    health = judge([reply(GOOD)] * 16, "tags")
    assert health.failed == () and health.n == 16
    assert {name: check.value for name, check in health.checks.items()} == {
        "thinking": 0, "ended": 0, "empty": 0, "loops": 0, "length": 1, "parsed": 0,
    }


def test_replies_that_never_end_are_told_by_their_number():
    health = judged(reply("<think>\n10+20=30\n</think>\nAnswer: 30 and then", ended=False), 9)
    assert health.failed == ("9 of 16 answers never end within 100 tokens",)
    assert health.checks["ended"].n_bad == 9 and health.checks["ended"].value == 9 / 16


@pytest.mark.parametrize(("n_bad", "n", "is_sick"), [
    (2, 16, False), (3, 16, True), (1, 1, False), (2, 2, True), (6, 64, False), (7, 64, True), (0, 16, False),
])
def test_a_rate_is_a_fault_when_its_interval_is_above_what_is_tolerated(n_bad, n, is_sick):
    assert bool(judged(reply(GOOD, ended=False), n_bad, n).failed) == is_sick
    low = binomtest(n_bad, n).proportion_ci(method="wilson").low
    assert is_sick == (low > TOLERATED and n_bad > 1)


@pytest.mark.parametrize("text", ["<think>\n10+20", "Answer: 30", "<think>\n\n</think>\nAnswer: 30"])
def test_a_model_taught_to_think_should_open_fill_and_close_its_thought(text):
    health = judged(reply(text), 8)
    assert "8 of 16 answers do not think and close their thinking, as they were taught to" in health.failed


@pytest.mark.parametrize("style", sorted(THINKING_STYLES))
def test_a_model_taught_no_thinking_should_not_think_in_any_style(style):
    text = THINKING_STYLES[style].wrap("10+20=30", BARE)
    health = judged(reply(text, thinks=False), 8)
    assert health.failed == ("8 of 16 answers think, though none was taught to",)


def test_where_either_is_right_thinking_is_not_judged():
    health = judge([reply(GOOD, thinks=None), reply(BARE, thinks=None)] * 8, "tags")
    assert health.failed == () and health.checks["thinking"].value is None


def test_an_ended_reply_without_an_answer_is_empty_and_an_unclosed_one_is_counted_as_unclosed_alone():
    assert judged(reply("<think>\n10+20=30\n</think>\n"), 8).failed == ("8 of 16 answers that end say nothing",)
    unclosed = judged(reply("<think>\n10+20=30"), 8)
    assert len(unclosed.failed) == 1 and unclosed.checks["empty"].n == 8


@pytest.mark.parametrize(("ids", "tokens"), [
    ([], 0), ([1, 2, 3], 0),
    ([7] * 23, 0), ([7] * 24, 24), ([1, 2, 3, *[7] * 30], 30),  # a unit of one token, from 24 tokens on
    ([1, 2] * 12, 24), ([1, 2] * 11, 0),
    (list(range(10)) * 3, 0), (list(range(10)) * 4, 40), ([*range(10)] * 4 + [0, 1, 2], 43),  # four times or more
])
def test_a_loop_is_one_unit_at_least_four_times_in_a_row_over_24_tokens(ids, tokens):
    assert longest_loop(ids) == tokens


def test_random_texts_do_not_loop():
    rng = random.Random(0)
    assert max(longest_loop([rng.randrange(50) for _ in range(400)]) for _ in range(50)) == 0


def test_a_loop_that_was_taught_is_no_fault_but_a_longer_one_is():
    looping = reply(GOOD, ids=(7,) * 40)
    assert judged(looping, 8).failed == ("8 of 16 answers say the same thing over and over",)
    taught = reply(GOOD, ids=(7,) * 40, taught_ids=(7,) * 40)
    assert judge([taught] * 16, "tags").checks["loops"].ok


@pytest.mark.parametrize(("n_tokens", "n", "is_sick"), [(41, 16, True), (40, 16, False), (9, 16, True), (10, 16, False),
                                                        (60, 7, False)])
def test_replies_much_longer_or_shorter_than_taught_are_a_fault_from_eight_on(n_tokens, n, is_sick):
    health = judge([reply(GOOD, ids=tuple(range(n_tokens)))] * n, "tags")
    assert health.checks["length"].value == n_tokens / 20
    assert bool(health.failed) == is_sick
    if is_sick:
        assert f"answers have {n_tokens} tokens by the median, the taught ones 20" in health.failed[0]


def test_a_budget_below_what_was_taught_says_nothing_about_ending():
    cut = reply("<think>\n10+20", ended=False, budget=20)
    health = judge([cut] * 16, "tags")
    assert health.failed == () and health.checks["ended"].n == health.checks["thinking"].n == 0


def test_an_answer_that_cannot_be_read_is_told_and_is_no_fault():
    health = judge([reply("<think>\n10+20=30\n</think>\nIt is thirty, I believe")] * 16, "tags")
    assert health.failed == () and health.checks["parsed"].sentence.startswith("16 of 16 answers have no final answer")


def test_the_record_is_plain_json_and_shows_bad_replies_first():
    bad = reply("<think>\nendless", ended=False)
    record = judge([*[reply(GOOD)] * 12, *[bad] * 4], "tags", seconds=1.234).as_dict()
    assert json.loads(json.dumps(record)) == record
    assert record["seconds"] == 1.23 and record["max_new_tokens"] == 100 and len(record["failed"]) == 2
    assert record["samples"][0]["text"] == "<think>\nendless"


def test_a_model_that_could_not_be_asked_is_flagged_and_none_at_all_is_a_mistake():
    assert not_examined("no room").as_dict()["failed"] == ["not examined: no room"]
    with pytest.raises(ValueError):
        judge([], "tags")


def test_the_same_rows_are_probed_in_every_arm_and_in_any_order():
    rows = sums(96)
    first = taught_probes(rows, "trace", "tags", 8)
    again = taught_probes(list(reversed(rows)), "answer", "tags", 8)
    assert [probe.example.id for probe in first] == [probe.example.id for probe in again]
    assert len({probe.example.id for probe in first}) == 8
    assert [row.id for row in chosen(rows, 8, seed=1)] != [row.id for row in chosen(rows, 8)]
    assert len(chosen(rows, 200)) == 96


def test_a_probe_expects_what_its_target_teaches():
    row = sums(1)[0]
    assert taught_probes([row], "trace", "tags", 1)[0].thinks is True
    bare = taught_probes([row], "answer", "tags", 1)[0]
    assert bare.thinks is False and bare.taught == row.answer
    assert asked_probes([row], None, 1) == [Probe(row)]


def test_a_pair_is_probed_for_its_preferred_reply():
    pairs = [
        Pair(id="a", question="1+1?", chosen="Answer: 2", chosen_trace="1+1=2", rejected="Answer: 3"),
        Pair(id="b", question="1+2?", chosen="Answer: 3", rejected="Answer: 5", rejected_trace="hm"),
    ]
    found = {probe.example.id: probe for probe in pair_probes(pairs, "tags", 2)}
    assert found["a"].thinks is True and found["a"].taught == "<think>\n1+1=2\n</think>\nAnswer: 2"
    assert found["b"].thinks is False and found["b"].taught == "Answer: 3" and found["b"].example.gold == "3"
