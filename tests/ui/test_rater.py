"""The rater's app without a browser: each stage of a session, one call after another."""

from __future__ import annotations

import re
import time

import pytest
from sqlmodel import select

from lab.rating.design import RoundSpec
from lab.ui.rater.session import answer
from storage.database import open_store
from storage.queries.guests import GUEST_LIMIT, guest_design, guest_token
from storage.queries.raters import invite, revoke, trial_link
from storage.queries.rating_events import events
from storage.queries.ratings import banks, progress
from storage.queries.rounds import close_round, create_round
from storage.tables import Answer
from storage.tables.ratings import BlindGuess, Rater, Rating
from tests.rating.bank import MODELS, seed_bank
from tests.ui.rater_walk import ABOUT, CLOSING, FULL, Walker, key_of, round_with

QUICK = {"practice": False, "about": False, "guesses": 0}


@pytest.fixture
def store(tmp_path):
    store = open_store(home=tmp_path / "home")
    yield store
    store.close()


@pytest.fixture
def rating(store):
    """(round, walker) at the first unit of four; no practice, no questions."""
    made, walker = round_with(store, **QUICK)
    walker.call("agree")
    walker.call("start")
    return made, walker


def ratings(store) -> list[Rating]:
    with store.read() as session:
        return list(session.exec(select(Rating).order_by(Rating.id)).all())


def rater_of(store) -> Rater:
    with store.read() as session:
        return session.exec(select(Rater)).first()


def test_a_whole_session_goes_from_consent_to_the_end(store):
    made, walker = round_with(store, rest_after_units=3, guesses=2)
    reply = walker.call()
    assert reply["screen"] == "consent" and "Taking part is voluntary" in reply["html"] and "Version 1" in reply["html"]
    assert walker.call("agree")["screen"] == "about"
    reply = walker.call("about", answers=ABOUT)
    assert reply["screen"] == "instructions" and "4 pairs of answers, about 3 minutes" in reply["html"]
    for part in ("Fluency is how grammatical", "Effortless: natural", "Aspirin cures", "Start the practice"):
        assert part in reply["html"]
    told = walker.practise(walker.call("start"))
    assert "Practice done" in told["html"] and "<th scope=\"col\">You said</th>" in told["html"]
    seen, reply = [], walker.call()
    while reply["screen"] in ("unit", "rest"):
        if reply["screen"] == "rest":
            assert "You have rated 3 pairs of answers" in reply["html"]
            reply = walker.call("resume")
        seen.append(re.search(r"Pair (\d+) <small>of (\d+)", reply["html"]).groups())
        reply = walker.call("submit", key=key_of(reply), **FULL)
    assert seen == [(str(i), "4") for i in (1, 2, 3, 4)]
    for said in ("left", "unsure"):
        assert reply["screen"] == "guess" and "trained to reason" in reply["html"]
        reply = walker.call("guess", key=key_of(reply), said=said, sureness=2)
    assert reply["screen"] == "closing"
    reply = walker.call("close", answers=CLOSING)
    assert reply["screen"] == "end" and "You rated 4 pairs" in reply["html"] and 'data-action="undo"' in reply["html"]
    with store.read() as session:
        assert progress(session, made.id).n_complete == 4
        assert [row.guess for row in session.exec(select(BlindGuess)).all()] == ["left", "unsure"]
    rater = rater_of(store)
    assert rater.about == ABOUT and rater.closing["comment"] == "Fine." and rater.consent_sha and rater.state == "done"


def test_no_is_the_end_and_nothing_was_asked(store):
    _, walker = round_with(store)
    assert walker.call("decline")["screen"] == "declined"
    for action in ("open", "agree", "start", "submit"):
        assert walker.call(action, key="x", **FULL)["screen"] == "declined"
    assert rater_of(store).about == {}


def test_no_stage_can_be_jumped_over(store):
    _, walker = round_with(store)
    for action in ("open", "about", "start", "practice", "submit", "rest", "guess", "close", "undo"):
        assert walker.call(action, key="x", said="left", answers=ABOUT, **FULL)["screen"] == "consent"
    assert (rater_of(store).about, rater_of(store).started_at, rater_of(store).closing) == ({}, None, {})
    walker.call("agree")
    reply = walker.call("about", answers={**ABOUT, "experience": "ages"})
    assert reply["screen"] == "about" and 'role="alert"' in reply["html"]
    assert re.search(r'name="language_level" value="native" checked', reply["html"]), "what was chosen stays"


def test_practice_says_what_was_expected_and_is_tried_twice(store):
    _, walker = round_with(store)
    told = walker.practise(walker.to_practice(), right=False)
    assert "Once more, please" in told["html"] and "✗" in told["html"]
    reply = walker.call()
    assert reply["screen"] == "practice" and "Second try" in reply["html"]
    told = walker.practise(reply, right=False)
    assert "That says nothing about you" in told["html"]
    assert walker.call()["screen"] == "blocked"


def test_opening_the_link_again_goes_back_to_the_same_unit(store, rating):
    _, walker = rating
    first = walker.call()
    assert walker.call() == first == walker.call("what?") == walker.call("start")
    assert walker.call("rest")["screen"] == "paused"
    assert walker.call("resume") == first


def test_nothing_is_stored_before_the_form_is_whole_and_what_was_chosen_stays(store, rating):
    _, walker = rating
    reply = walker.call()
    refused = walker.call("submit", key=key_of(reply), **{**FULL, "preference": None, "comment": "so far"})
    assert refused["screen"] == "unit" and key_of(refused) == key_of(reply)
    assert "Something is still open" in refused["html"] and "so far" in refused["html"]
    assert re.search(r'name="fluency_left" value="4" checked', refused["html"])
    assert ratings(store) == []


@pytest.mark.parametrize("strange", [
    {"fluency_left": "4"}, {"fluency_left": [1]}, {"fluency_left": 4.5}, {"preference": {"a": 1}},
    {"fluency_right": 99}, {"fluency_left": True}, {"preference": "both_bad"}, {"comment": "x" * 5000},
])
def test_strange_values_are_refused_politely(store, rating, strange):
    _, walker = rating
    refused = walker.call("submit", key=key_of(walker.call()), **{**FULL, **strange})
    assert refused["screen"] == "unit" and 'role="alert"' in refused["html"]
    assert ratings(store) == []


def test_times_changes_and_the_trail_are_kept_as_far_as_they_can_be(store, rating):
    made, walker = rating
    trail = [{"kind": "blur", "ms": 10}, {"kind": "idle", "ms": 20, "until": 90}, {"kind": "shout", "ms": 1}, "x",
             {"kind": "change", "ms": -5}, {"kind": "change", "ms": 30, "field": "preference"}]
    walker.call("submit", key=key_of(walker.call()), **FULL, total_ms=9000, n_changes=2, trail=trail)
    walker.call("submit", key=key_of(walker.call()), **{**FULL, "visible_ms": -1}, total_ms="x", n_changes=-3,
                trail="no")
    walker.call("submit", key=key_of(walker.call()), **{**FULL, "visible_ms": float("nan")}, total_ms=1e12)
    kept = [(row.visible_ms, row.total_ms, row.n_changes) for row in ratings(store)]
    assert kept == [(8000, 9000, 2), (None, None, 0), (None, None, 0)]
    with store.read() as session:
        steps = [(event.kind, event.client_ms) for event in events(session, made.id) if event.client_ms is not None]
    assert steps == [("blur", 10), ("idle", 20), ("change", 30)]


def test_undo_shows_what_was_said_and_a_skip_moves_on(store, rating):
    _, walker = rating
    first = walker.call()
    second = walker.call("submit", key=key_of(first), **FULL)
    assert 'data-action="undo"' in second["html"] and 'data-action="undo"' not in first["html"]
    undone = walker.call("undo")
    assert "You are changing your last rating" in undone["html"]
    assert re.search(r'name="fluency_left" value="4" checked', undone["html"])
    after = walker.call("submit", key=key_of(undone), **{**FULL, "fluency_left": 5})
    assert key_of(after) == key_of(second) and [row.version for row in ratings(store)] == [1, 2]
    assert "Only the last rating can be changed" in walker.call("undo")["html"]
    skipped = walker.call("skip", key=key_of(after), reason="language")
    assert key_of(skipped) != key_of(after)
    refused = walker.call("skip", key=key_of(skipped), reason="bored")
    assert key_of(refused) == key_of(skipped)


def test_the_same_submit_twice_is_one_rating_and_leads_on(store, rating):
    _, walker = rating
    key = key_of(walker.call())
    one, two = (walker.call("submit", key=key, **FULL) for _ in range(2))
    assert one == two and len(ratings(store)) == 1


def test_a_report_is_noted_and_the_unit_stays(store, rating):
    made, walker = rating
    key = key_of(walker.call())
    assert "in at most 500 characters" in walker.call("flag", key=key, text="  ")["html"]
    reply = walker.call("flag", key=key, text="Half of it is missing.")
    assert "Your report is noted" in reply["html"] and key_of(reply) == key
    with store.read() as session:
        assert [text for _, _, text in progress(session, made.id).flags] == ["Half of it is missing."]


@pytest.mark.parametrize("keep, screen, left", [(True, "withdrawn", 1), (False, "deleted", 0)])
def test_whoever_withdraws_keeps_or_deletes_what_they_rated(store, rating, keep, screen, left):
    _, walker = rating
    walker.call("submit", key=key_of(walker.call()), **FULL)
    assert walker.call("withdraw", keep="yes")["screen"] == "unit", "nothing happens without a plain answer"
    assert walker.call("withdraw", keep=keep)["screen"] == screen
    assert len(ratings(store)) == left
    assert walker.call()["screen"] == ("withdrawn" if keep else "unknown")


@pytest.mark.parametrize("task, asks, not_asks", [
    ("preference", ["preference"], ["fluency_left", "fluency_right"]),
    ("fluency", ["fluency_left"], ["fluency_right", "preference"]),
    ("both", ["fluency_left", "fluency_right", "preference"], []),
])
def test_a_task_asks_for_what_its_design_says(store, task, asks, not_asks):
    _, walker = round_with(store, task=task, criteria=("clarity", "harm"), allow_tie=False, allow_both_bad=True,
                              **QUICK)
    walker.call("agree")
    reply = walker.call("start")
    fields = re.findall(r'data-field="([^"]+)"', reply["html"])
    assert set(asks) <= set(fields) and not set(not_asks) & set(fields)
    n_sides = 1 if task == "fluency" else 2
    assert sum(field.startswith("criteria.") for field in fields) == 2 * n_sides
    if "preference" in asks:
        assert re.findall(r'name="preference" value="(\w+)"', reply["html"]) == ["left", "right", "both_bad"]
    both = [3, 5] if n_sides == 2 else [3, None]
    call = {**FULL, "preference": "both_bad", "criteria": {"clarity": both, "harm": both}}
    after = walker.call("submit", key=key_of(reply), **call)
    assert key_of(after) != key_of(reply)
    (row,) = ratings(store)
    assert row.criteria == {"clarity": both, "harm": both} and (row.fluency_left is None) == (task == "preference")


def test_a_trial_says_that_nothing_counts_and_nothing_does(store, rating):
    made, _ = rating
    trial = Walker(store, trial_link(store, made.id))
    trial.call("agree")
    reply = trial.call("start")
    assert "nothing you rate counts" in reply["html"].lower() and reply["screen"] == "unit"
    trial.call("submit", key=key_of(reply), **FULL)
    with store.read() as session:
        assert progress(session, made.id).n_ratings == 0


def test_text_in_an_answer_is_shown_and_never_run(store):
    bank = seed_bank(store, 1)
    with store.write() as opened:
        row = opened.exec(select(Answer)).first()
        row.shown_text = "<img src=x onerror=alert(1)> ${1+1} {{x}} `y` & more\n  indented"
        opened.add(row)
    made = create_round(store, RoundSpec(name="F", bank=bank, models=(MODELS[0][0], MODELS[1][0]), quota=1,
                                         gold_every=0, **QUICK))
    walker = Walker(store, invite(store, made.id, ["R"])[0][1])
    walker.call("agree")
    html = walker.call("start")["html"]
    assert "<img" not in html and "&lt;img src=x" in html and "${" not in html and "{{" not in html
    assert "\n  indented" in html


def test_without_a_known_token_there_is_only_a_friendly_page(store, rating):
    for call in ({}, {"token": ""}, {"token": "r-nobody"}, {"token": "r-" + "0" * 40}, {"token": {"a": 1}}):
        for action in ("open", "agree", "start", "submit", "withdraw", "undo"):
            reply = answer(store, {**call, "action": action, "key": "x", "keep": False, **FULL})
            assert reply["screen"] == "unknown" and "We do not know this link" in reply["html"]


@pytest.mark.parametrize("end, screen", [("close", "closed"), ("revoke", "revoked")])
def test_what_has_ended_says_so_to_every_action(store, rating, end, screen):
    made, walker = rating
    key = key_of(walker.call())
    close_round(store, made.id) if end == "close" else revoke(store, made.id, "R1")
    for action in ("open", "agree", "start", "submit", "skip", "undo", "rest", "withdraw", "language"):
        assert walker.call(action, key=key, reason="language", keep=False, **FULL)["screen"] == screen
    assert ratings(store) == []


def test_a_fault_of_the_lab_is_a_sentence_for_the_rater_and_a_traceback_in_the_log(store, rating, caplog):
    _, walker = rating
    broken = type("Broken", (), {"read": store.read, "write": None})()
    reply = answer(broken, {"token": walker.token, "action": "start"})
    assert reply["screen"] == "fault" and "reload the page" in reply["html"]
    assert "Traceback" in caplog.text and "TypeError" not in reply["html"]


def test_a_step_takes_less_than_a_tenth_of_a_second(store):
    """Of the thread's own time, so that a busy machine does not decide it."""
    _, walker = round_with(store, n_items=30, **QUICK)
    walker.call("agree")
    reply, took = walker.call("start"), []
    for _ in range(15):
        begun = time.thread_time()
        reply = walker.call("submit", key=key_of(reply), **FULL)
        took.append(time.thread_time() - begun)
    assert sorted(took)[7] < 0.1, f"median {sorted(took)[7]:.3f} s"


def test_a_guest_enters_a_round_with_consent_and_without_practice(store):
    seed_bank(store, 3)
    with store.read() as session:
        design = guest_design(banks(session)[0])
    assert (design.practice, design.guesses, design.gold_every) == (False, 0, 0)
    walker = Walker(store, guest_token(store))
    assert walker.call()["screen"] == "consent" and rater_of(store).kind == "guest"
    walker.call("agree")
    walker.call("about", answers=ABOUT)
    assert walker.call("start")["screen"] == "unit" and GUEST_LIMIT >= 100
