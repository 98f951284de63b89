"""Driving against a real server on loopback: storms, refusals, kills, budgets; nothing lost, nothing paid twice."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from lab.core.context import MemoryContext, Stopped
from lab.core.errors import LabError
from lab.synthesis.driving import drive
from lab.synthesis.teachers import open_roster
from tests.synthesis.endpoint import Act, Endpoint, serving
from tests.synthesis.killed_drive import attempt
from tests.synthesis.steps import Steps, items_of, spec_of


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def driven(folder, endpoint, machine=None, items=None, context=None, told=None, **values):
    """(Driven, context) of one attempt in `folder`."""
    spec = spec_of(**values)
    with serving(endpoint) as url:
        context = context or MemoryContext(folder / "job")
        context.models["remote:big"] = endpoint.source(url)
        with open_roster({"teacher": spec.teacher, "verifier": "rule"}, spec, context) as roster:
            return drive(machine or Steps(), items or items_of(20), roster, spec, context, told), context


def all_made(result, n=20):
    return [state.outcome for state in result.states] == ["made"] * n


def test_every_item_comes_to_its_end_in_its_order_and_what_was_paid_is_counted(tmp_path):
    endpoint = Endpoint()
    result, context = driven(tmp_path, endpoint, told=lambda states: {"funnel": len(states)},
                             usd_per_million_prompt=1, usd_per_million_completion=2)
    assert all_made(result) and [state.id for state in result.states] == [f"i{n}" for n in range(20)]
    spent = result.spent
    assert (spent.n_requests, spent.n_cached, spent.n_prompt_tokens, spent.n_completion_tokens) == (60, 0, 600, 300)
    assert spent.usd == pytest.approx(0.0012) and spent.by_role["teacher"].n_requests == 60
    assert not result.out_of_budget and result.n_open == 0
    assert context.facts["funnel"] == 20 and context.facts["spent"]["n_requests"] == 60
    assert context.progress_calls[-1][:2] == (20, 20)


def test_replies_come_whole_and_no_more_are_asked_for_at_once_than_allowed(tmp_path):
    endpoint = Endpoint(latency_s=0.02)
    driven(tmp_path, endpoint, at_once=4)
    assert endpoint.most == 4
    assert endpoint.bodies[0]["stream"] is False and "stream_options" not in endpoint.bodies[0]


def test_what_is_done_before_anything_is_asked_is_not_asked(tmp_path):
    endpoint = Endpoint()
    result, _ = driven(tmp_path, endpoint, items=[("a", ("a", "")), ("b", ("b", "x"))])
    assert [state.outcome for state in result.states] == ["empty", "made"] and len(endpoint.received) == 3


def test_another_job_pays_nothing_for_the_same_requests_unless_it_takes_nothing_from_others(tmp_path):
    endpoint = Endpoint()
    one, _ = driven(tmp_path / "one", endpoint)
    two, _ = driven(tmp_path / "two", endpoint)
    three, _ = driven(tmp_path / "three", endpoint, use_cache=False)
    assert (two.spent.n_requests, two.spent.n_cached, two.spent.n_prompt_tokens) == (0, 60, 0)
    assert [state.said for state in one.states] == [state.said for state in two.states]
    assert three.spent.n_requests == 60 and len(endpoint.received) == 120


def test_the_same_request_of_two_items_is_made_once(tmp_path):
    endpoint = Endpoint(latency_s=0.02)
    items = [(f"i{n}", (f"i{n}", "the same")) for n in range(5)]
    result, _ = driven(tmp_path, endpoint, Steps(temperature=0.0), items)
    assert all_made(result, 5) and len(endpoint.received) == 3
    assert (result.spent.n_requests, result.spent.n_cached) == (3, 12)


def test_the_order_of_replies_decides_nothing(tmp_path):
    def states(seed):
        dice = random.Random(seed)

        def plan(number, body):
            time.sleep(dice.random() * 0.01)
            return Act()

        result, _ = driven(tmp_path / str(seed), Endpoint(plan), use_cache=False)
        return [state.model_dump() for state in result.states]

    assert states(1) == states(2) == states(3)


@pytest.mark.parametrize("act", [
    Act(429, headers={"retry-after": "0"}), Act(500), Act(503), Act(0), Act(body=b'{"choices": [{"mess'),
    Act(body=b"<html>bad gateway</html>"), Act(body=b'{"choices": []}'), Act(body=b"[]"), Act(body=b""),
])
def test_a_fault_that_passes_costs_no_item(tmp_path, act, monkeypatch):
    monkeypatch.setattr("lab.synthesis.pacing.FIRST_PAUSE_S", 0.01)
    dice = random.Random(0)
    endpoint = Endpoint(lambda number, body: act if dice.random() < 0.4 else Act())
    result, _ = driven(tmp_path, endpoint)
    assert all_made(result) and result.spent.n_requests == 60
    assert Counter(endpoint.delivered).most_common(1)[0][1] == 1


def test_an_outage_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr("lab.synthesis.pacing.FIRST_PAUSE_S", 0.05)
    endpoint = Endpoint(lambda number, body: Act(503 if time.monotonic() < ends else 200))
    ends = time.monotonic() + 1.0
    result, context = driven(tmp_path, endpoint)
    assert all_made(result) and any("asked again in" in line for line in context.logs)
    assert len(endpoint.received) < 60 + 60, "an endpoint that is down is asked by one request at a time"


def test_a_wait_that_the_endpoint_asks_for_is_kept_by_all(tmp_path):
    asked_at = []

    def plan(number, body):
        asked_at.append(time.monotonic())
        return Act(429, headers={"retry-after": "1"}) if number < 4 else Act()

    result, _ = driven(tmp_path, Endpoint(plan), at_once=4)
    assert all_made(result) and asked_at[4] - asked_at[3] > 0.9


def test_an_endpoint_that_stays_away_stops_the_job_and_another_attempt_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr("lab.synthesis.pacing.FIRST_PAUSE_S", 0.01)
    endpoint = Endpoint(lambda number, body: Act(503, "full") if number >= 25 and down[0] else Act())
    down = [True]
    with pytest.raises(LabError, match=r"answered nothing for 0.3 s. It said last: .*503.*full.*resume goes on"):
        driven(tmp_path, endpoint, patience_s=0.3)
    paid, down[0] = len(endpoint.delivered), False
    result, _ = driven(tmp_path, endpoint, patience_s=0.3)
    assert all_made(result) and paid == 25 and result.spent.n_requests == 60
    assert len(endpoint.delivered) == 60 and Counter(endpoint.delivered).most_common(1)[0][1] == 1


def test_an_endpoint_that_never_answers_is_told_from_one_that_is_slow(tmp_path):
    endpoint = Endpoint(lambda number, body: Act(-1))
    with pytest.raises(LabError, match="did not answer in time"):
        driven(tmp_path, endpoint, timeout_s=1, patience_s=0, at_once=2)


def test_a_request_that_is_refused_is_one_item_s_end(tmp_path):
    def plan(number, body):
        return Act(400, "too long") if "question 7," in body["messages"][0]["content"] else Act()

    result, _ = driven(tmp_path, Endpoint(plan))
    outcomes = Counter(state.outcome for state in result.states)
    assert outcomes == {"made": 19, "refused": 1} and result.spent.n_refused == 1
    assert "too long" in result.states[7].said[0] and result.states[7].finishes == ("refused",)


def test_an_endpoint_that_refuses_everything_stops_the_job(tmp_path):
    endpoint = Endpoint(lambda number, body: Act(422, "no such field: seed"))
    with pytest.raises(LabError, match="refused the first 10 requests.*no such field: seed"):
        driven(tmp_path, endpoint)
    result, _ = driven(tmp_path / "few", endpoint, items=items_of(3))
    assert [state.outcome for state in result.states] == ["refused"] * 3


@pytest.mark.parametrize("kind", ["among others", "alone"])
def test_a_request_that_alone_fails_does_not_hold_up_the_rest_for_ever(tmp_path, monkeypatch, kind):
    monkeypatch.setattr("lab.synthesis.pacing.FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr("lab.synthesis.pacing.MOST_PAUSE_S", 0.05)
    items = items_of(200) if kind == "among others" else items_of(1)

    def plan(number, body):
        time.sleep(0.01)
        return Act(500, "it broke") if "question 0," in body["messages"][0]["content"] else Act()

    result, _ = driven(tmp_path, Endpoint(plan), items=items, patience_s=0.3)
    assert Counter(state.outcome for state in result.states)["refused"] == 1
    assert "it broke" in result.states[0].said[0]


@pytest.mark.parametrize("status, words", [(401, "another key"), (403, "another key"), (402, "refused \\(402\\)"),
                                           (404, "no such service")])
def test_wrong_settings_stop_the_job_with_their_message(tmp_path, status, words):
    with pytest.raises(LabError, match=words) as caught:
        driven(tmp_path, Endpoint(lambda number, body: Act(status)))
    assert caught.value.reason == "spec"


def test_half_a_character_ends_no_job(tmp_path):
    endpoint = Endpoint(lambda number, body: Act(text="caf\ud800é" if number % 2 else ""))
    result, _ = driven(tmp_path, endpoint, items=items_of(4))
    assert all_made(result, 4) and {text for state in result.states for text in state.said} <= {"caf?é", ""}
    again, _ = driven(tmp_path, endpoint, items=items_of(4))
    assert again.states == result.states


def test_a_budget_ends_the_asking_and_what_is_under_way_is_taken_in(tmp_path):
    endpoint = Endpoint(latency_s=0.01)
    result, _ = driven(tmp_path, endpoint, budget_tokens=300, at_once=4)
    assert result.out_of_budget and 0 < result.n_open <= 20
    assert 20 <= result.spent.n_requests <= 23 and len(endpoint.delivered) == result.spent.n_requests
    more, _ = driven(tmp_path, endpoint, budget_tokens=0)
    assert all_made(more) and len(endpoint.delivered) == 60


def test_one_budget_holds_for_all_drives_of_a_job(tmp_path):
    endpoint, spec = Endpoint(), spec_of(budget_usd=0.00095, usd_per_million_prompt=1, usd_per_million_completion=1,
                                         at_once=1)
    with serving(endpoint) as url:
        context = MemoryContext(tmp_path / "job", models={"remote:big": endpoint.source(url)})
        for _ in range(2):
            with open_roster({"teacher": spec.teacher}, spec, context) as roster:
                one = drive(Steps(name="one"), items_of(20), roster, spec, context)
                more = [("x", ("x", "other")), ("y", ("y", "others"))]
                two = drive(Steps(name="two"), more, roster, spec, context)
    assert not one.out_of_budget and two.out_of_budget and one.spent.plus(two.spent).n_requests == 64
    assert len(endpoint.received) == 64


def test_an_endpoint_that_counts_no_tokens_is_told_of(tmp_path):
    endpoint = Endpoint(lambda number, body: Act(text="x" * 40, usage=None))
    result, _ = driven(tmp_path, endpoint, Steps(n=1))
    assert result.spent.n_without_usage == 20 and result.spent.n_completion_tokens == 200


def test_a_stop_takes_in_what_is_under_way_and_a_new_attempt_goes_on(tmp_path):
    endpoint = Endpoint(latency_s=0.1)
    context = MemoryContext(tmp_path / "job")
    threading.Timer(0.7, lambda: setattr(context, "stop", True)).start()
    with pytest.raises(Stopped):
        driven(tmp_path, endpoint, context=context, at_once=4)
    n = len(endpoint.received)
    assert 4 <= n < 60 and len(endpoint.delivered) == n
    assert context.checkpoints.last_whole().step == n
    result, _ = driven(tmp_path, endpoint)
    assert all_made(result) and len(endpoint.received) == 60 and result.spent.n_requests == 60


def test_a_fault_of_the_machine_stops_the_job_names_the_item_and_keeps_the_rest(tmp_path):
    endpoint = Endpoint()
    items = [*items_of(20), ("bad", ("bad", "break"))]
    with pytest.raises(RuntimeError, match="item 'bad': ValueError: a fault of the machine"):
        driven(tmp_path, endpoint, items=items)
    paid = len(endpoint.delivered)
    result, _ = driven(tmp_path, endpoint, items=items_of(20))
    assert all_made(result) and len(endpoint.delivered) <= max(paid, 60) + 2
    assert Counter(endpoint.delivered).most_common(1)[0][1] == 1


def test_items_of_another_version_text_or_setting_are_begun_again_and_cost_nothing_more(tmp_path):
    endpoint = Endpoint()
    driven(tmp_path, endpoint)
    with serving(endpoint) as url:
        context = MemoryContext(tmp_path / "again" / "job", models={"remote:big": endpoint.source(url)})
        newer = Steps(version=2)
        for machine, values in ((Steps(), {}), (newer, {}), (Steps(), {"seed": 5}), (Steps(), {"at_once": 3})):
            spec = spec_of(**values)
            with open_roster({"teacher": spec.teacher}, spec, context) as roster:
                assert all_made(drive(machine, items_of(20), roster, spec, context))
            assert len(endpoint.received) == 60
        changed = [("i0", ("i0", "another text")), *items_of(20)[1:]]
        with open_roster({"teacher": spec.teacher}, spec, context) as roster:
            result = drive(Steps(), changed, roster, spec, context)
    assert all_made(result) and result.states[0].text == "another text" and len(endpoint.received) == 63


def test_ids_that_are_not_unique_are_a_bug(tmp_path):
    with pytest.raises(LabError, match="unique"):
        driven(tmp_path, Endpoint(), items=items_of(2) * 2)


def test_a_key_is_in_nothing_that_is_kept(tmp_path, home, monkeypatch, capfd):
    key = "sk-very-secret-indeed"
    monkeypatch.setenv("BIG_KEY", key)
    endpoint = Endpoint(lambda number, body: Act(500, f"bad {key}") if number == 3 else
                        Act(400, f"wrong {key}") if number == 5 else Act())
    with serving(endpoint) as url:
        context = MemoryContext(tmp_path / "job", models={"remote:big": endpoint.source(url, key_env="BIG_KEY")})
        spec = spec_of()
        with open_roster({"teacher": spec.teacher}, spec, context) as roster:
            result = drive(Steps(), items_of(20), roster, spec, context)
            described = json.dumps(roster.described())
    assert endpoint.headers[0]["Authorization"] == f"Bearer {key}" and "BIG_KEY" not in described
    told = json.dumps([described, context.logs, context.facts, [state.model_dump() for state in result.states]])
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert key not in told and key.encode() not in kept and key not in str(capfd.readouterr())


def test_a_process_killed_three_times_asks_no_received_reply_again(tmp_path, home):
    n, endpoint = 60, Endpoint(latency_s=0.03)
    killed_with_work_left = 0
    with serving(endpoint) as url:
        for at in (15, 60, 110):
            before = replies(home)
            asked = len(endpoint.received)
            process = subprocess.Popen([sys.executable, "-m", "tests.synthesis.killed_drive", tmp_path, url, str(n)],
                                       env=os.environ | {"LAB_HOME": str(home)})
            deadline = time.monotonic() + 60
            while len(endpoint.received) < at and time.monotonic() < deadline and process.poll() is None:
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
            process.wait()
            time.sleep(0.1)  # what was under way ends
            killed_with_work_left += len(endpoint.received) < 3 * n
            assert not before & set(endpoint.received[asked:]), "a reply that was on the disk has been asked for again"
        result = attempt(tmp_path, url, n)
    assert killed_with_work_left == 3
    assert [state.outcome for state in result.states] == ["made"] * n and len(set(endpoint.received)) == 3 * n
    assert result.spent.n_requests == 3 * n, "what the killed attempts have paid for is counted"
    assert len(endpoint.received) <= 3 * n + 3 * 8, "only what was under way at a kill is asked again"


def replies(home):
    """What the cache holds, by the name each reply carries."""
    path = home / "cache" / "replies.sqlite"
    if not path.exists():
        return set()
    store = sqlite3.connect(path)
    try:
        return {json.loads(row[0])["text"] for row in store.execute("SELECT reply FROM replies")}
    finally:
        store.close()


def test_a_budget_counts_what_is_under_way_before_more_is_asked(tmp_path):
    """Twenty requests at once would all be under way before the first is paid."""
    endpoint = Endpoint(latency_s=0.05)
    result, _ = driven(tmp_path, endpoint, budget_tokens=300, at_once=20)
    assert result.out_of_budget and 20 <= result.spent.n_requests <= 23
