"""Units from the rater's side: served, rated once, skipped, corrected, abandoned, by many at once."""

from __future__ import annotations

import random
import threading
from collections import Counter

import pytest
from sqlmodel import select

from lab.core.errors import LabError, SpecError
from lab.rating.verdicts import Verdict
from storage.queries.rater_entry import where
from storage.queries.rater_sessions import flag, skip, submit, undo_last
from storage.queries.rating_events import events
from storage.queries.ratings import progress
from storage.queries.round_results import rating_rows, round_results
from storage.queries.rounds import close_round
from storage.tables import Assignment, Rating, Unit
from tests.rating.rounds import GOOD, A, B, join, let_leases_run_out, make_round, rate_all, rows_of, serve


def test_a_reload_serves_the_same_unit_with_the_same_sides(store):
    (rater,) = join(store, make_round(store).id)
    first = serve(store, rater)
    assert [serve(store, rater) for _ in range(5)] == [first] * 5
    assert len(rows_of(store, Assignment)) == 1


def test_the_same_submit_twice_is_one_rating(store):
    (rater,) = join(store, make_round(store).id)
    served = serve(store, rater)
    assert submit(store, rater, served.submit_key, GOOD) == "saved"
    assert submit(store, rater, served.submit_key, Verdict(1, 1, "tie")) == "saved"
    (rating,) = rows_of(store, Rating)
    assert (rating.fluency_left, rating.fluency_right, rating.preference) == (3, 5, "right")


def test_a_key_of_another_rater_is_refused(store):
    one, two = join(store, make_round(store).id, "R1", "R2")
    served = serve(store, one)
    with pytest.raises(LabError, match="not yours"):
        submit(store, two, served.submit_key, GOOD)
    assert rows_of(store, Rating) == []


def test_a_verdict_that_is_not_whole_is_refused_and_the_unit_stays(store):
    (rater,) = join(store, make_round(store).id)
    served = serve(store, rater)
    with pytest.raises(SpecError, match="fluency of answer A"):
        submit(store, rater, served.submit_key, Verdict(None, 3, "tie"))
    assert rows_of(store, Rating) == [] and serve(store, rater) == served


def test_a_rater_sees_every_unit_once_and_then_the_end(store):
    (rater,) = join(store, make_round(store, n_items=6).id)
    totals = []
    while served := serve(store, rater):
        totals.append((served.n_done, served.n_total))
        submit(store, rater, served.submit_key, GOOD)
    assert totals == [(i, 6) for i in range(6)] and where(store, rater).stage == "closing"


def test_criteria_times_and_what_the_browser_saw_are_kept(store):
    made = make_round(store, criteria=("clarity",))
    (rater,) = join(store, made.id)
    trail = ({"kind": "change", "ms": 900, "field": "preference"}, {"kind": "blur", "ms": 2000},
             {"kind": "odd", "ms": 1}, {"kind": "focus", "ms": "late"})
    said = Verdict(3, 5, "right", {"clarity": (2, 4)}, "ok", 8000, 12000, 1, trail)
    submit(store, rater, serve(store, rater).submit_key, said)
    (rating,) = rows_of(store, Rating)
    assert (rating.criteria, rating.visible_ms, rating.total_ms, rating.n_changes) == (
        {"clarity": [2, 4]}, 8000, 12000, 1)
    with store.read() as session:
        seen = [(e.kind, e.client_ms, e.payload) for e in events(session, made.id) if e.client_ms is not None]
    assert seen == [("change", 900, {"field": "preference"}), ("blur", 2000, {})]


def test_a_skipped_unit_frees_its_place(store):
    made = make_round(store, n_items=1, quota=1)
    one, two = join(store, made.id, "R1", "R2")
    served = serve(store, one)
    assert serve(store, two) is None
    skip(store, one, served.submit_key, "language")
    skip(store, one, served.submit_key, "language")
    assert serve(store, two) is not None
    assert serve(store, one) is None  # it comes back at the end, but its place is taken
    with store.read() as session:
        counts = progress(session, made.id)
    assert counts.n_skipped == 1 and counts.skip_reasons == {"language": 1}
    with pytest.raises(SpecError, match="unreadable"):
        skip(store, two, "any", "bored")


def test_a_skipped_unit_comes_back_once_at_the_end_and_no_more(store):
    (rater,) = join(store, make_round(store, n_items=3).id)
    first = serve(store, rater)
    skip(store, rater, first.submit_key, "technical")
    for _ in range(2):
        served = serve(store, rater)
        assert served.question != first.question
        submit(store, rater, served.submit_key, GOOD)
    again = serve(store, rater)
    assert (again.question, again.left, again.right) == (first.question, first.left, first.right)
    assert again.submit_key != first.submit_key
    skip(store, rater, again.submit_key, "technical")
    assert serve(store, rater) is None


def test_a_report_stays_with_the_unit_and_the_unit_is_still_to_be_rated(store):
    made = make_round(store)
    (rater,) = join(store, made.id)
    served = serve(store, rater)
    flag(store, rater, served.submit_key, " The dose would kill. ")
    assert serve(store, rater) == served
    with store.read() as session:
        assert progress(session, made.id).flags == (("R1", served.question, "The dose would kill."),)
    with pytest.raises(SpecError, match="1 to 500"):
        flag(store, rater, served.submit_key, "  ")


def test_undo_keeps_the_first_version_and_counts_the_last(store):
    made = make_round(store, n_items=3)
    (rater,) = join(store, made.id)
    first = serve(store, rater)
    submit(store, rater, first.submit_key, GOOD)
    second = serve(store, rater)
    assert second.can_undo and undo_last(store, rater)
    again = serve(store, rater)
    assert (again.question, again.left, again.right) == (first.question, first.left, first.right)
    assert again.previous == Verdict(3, 5, "right") and again.submit_key != first.submit_key and not again.can_undo
    assert not undo_last(store, rater)
    assert submit(store, rater, first.submit_key, GOOD) == "saved"  # a late echo of the first send changes nothing
    submit(store, rater, again.submit_key, Verdict(2, 2, "tie"))
    assert serve(store, rater) == second.__class__(**{**vars(second), "can_undo": False})
    with store.read() as session:
        (row,) = rating_rows(session, made.id)
        assert (row.fluency_left, row.preference) == (2, "tie")
        assert progress(session, made.id).n_ratings == 1
    assert [r.version for r in rows_of(store, Rating)] == [1, 2]


def test_a_late_verdict_is_kept_and_does_not_pass_the_quota(store):
    made = make_round(store, n_items=1, quota=1)
    one, two = join(store, made.id, "R1", "R2")
    served = serve(store, one)
    assert serve(store, two) is None
    let_leases_run_out(store)
    taken = serve(store, two)
    submit(store, two, taken.submit_key, GOOD)
    assert submit(store, one, served.submit_key, GOOD) == "saved"
    with store.read() as session:
        counts = progress(session, made.id)
    assert (counts.n_ratings, counts.n_surplus) == (1, 1) and len(rows_of(store, Rating)) == 2


def test_a_late_verdict_whose_place_is_still_free_counts(store):
    made = make_round(store, n_items=1, quota=1)
    (one,) = join(store, made.id)
    served = serve(store, one)
    let_leases_run_out(store)
    submit(store, one, served.submit_key, GOOD)
    with store.read() as session:
        assert progress(session, made.id).n_ratings == 1


def test_a_pause_longer_than_the_lease_resumes_on_the_same_unit_and_sides(store):
    one, two = join(store, make_round(store, n_items=4).id, "R1", "R2")
    served = serve(store, one)
    let_leases_run_out(store)
    serve(store, two)
    assert serve(store, one) == served


def test_a_correction_left_open_keeps_its_first_verdict(store):
    made = make_round(store, n_items=2)
    (rater,) = join(store, made.id)
    submit(store, rater, serve(store, rater).submit_key, GOOD)
    undo_last(store, rater)
    let_leases_run_out(store)
    assert serve(store, rater).previous is None
    with store.read() as session:
        assert progress(session, made.id).n_ratings == 1


def test_golds_and_repeats_look_like_any_unit_and_fill_no_quota(store):
    made = make_round(store, n_items=45, quota=1, gold_every=8, repeat_share=0.1)
    (rater,) = join(store, made.id)
    shown = []
    while served := serve(store, rater):
        shown.append(vars(served).keys())
        submit(store, rater, served.submit_key, GOOD)
    roles = Counter(a.role for a in rows_of(store, Assignment))
    assert roles["main"] == 45 and roles["gold"] >= 4 and roles["repeat"] >= 2 and len({*map(tuple, shown)}) == 1
    with store.read() as session:
        counts = progress(session, made.id)
    assert (counts.n_ratings, counts.n_needed, counts.n_complete) == (45, 45, 45)
    sides = {}
    for row in rows_of(store, Assignment):
        if row.role != "gold":
            sides.setdefault(row.unit_id, {})[row.role] = row.a_left
    assert all(side["main"] is not side["repeat"] for side in sides.values() if "repeat" in side)


def test_one_answer_at_a_time_loses_no_score(store):
    made = make_round(store, n_items=12, task="fluency", quota=1, gold_every=4, repeat_share=0.2)
    (rater,) = join(store, made.id)
    n = rate_all(store, rater, Verdict(4))
    with store.read() as session:
        rows = rating_rows(session, made.id)
    assert len(rows) == n > 24 and {(row.fluency_a, row.fluency_b) for row in rows} == {(4, None)}


def test_sides_are_even_over_units_and_raters(store):
    made = make_round(store, n_items=24, quota=4)
    order, rng = join(store, made.id, *(f"R{i}" for i in range(5))), random.Random(0)
    while order:
        rater = rng.choice(order)
        served = serve(store, rater)
        if served is None:
            order.remove(rater)
        else:
            submit(store, rater, served.submit_key, GOOD)
    by_unit, by_rater, per_unit = Counter(), Counter(), Counter()
    for row in rows_of(store, Assignment):
        sign = 1 if row.a_left else -1
        by_unit[row.unit_id] += sign
        by_rater[row.rater_id] += sign
        per_unit[row.unit_id] += 1
    assert set(per_unit.values()) == {4} and len(per_unit) == 24
    assert max(map(abs, by_unit.values())) == 0
    assert max(map(abs, by_rater.values())) <= 6


def test_sixteen_raters_at_once_with_double_submits_fill_the_quota_exactly(store):
    made = make_round(store, n_items=20, quota=3)
    raters = join(store, made.id, *(f"R{i}" for i in range(16)))
    errors, gate = [], threading.Barrier(16)

    def rate(rater_id):
        try:
            gate.wait()
            while served := serve(store, rater_id):
                twice = [threading.Thread(target=submit, args=(store, rater_id, served.submit_key, GOOD))
                         for _ in range(2)]
                for thread in twice:
                    thread.start()
                for thread in twice:
                    thread.join()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=rate, args=(rater,)) for rater in raters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with store.read() as session:
        per_unit = Counter(session.exec(select(Assignment.unit_id).join(Rating)).all())
        assert len(per_unit) == 20 and set(per_unit.values()) == {3}
        assert progress(session, made.id).n_complete == 20
    assert len(rows_of(store, Rating)) == 60 and len(rows_of(store, Assignment)) == 60


def test_a_closed_round_takes_no_rating(store):
    made = make_round(store)
    (rater,) = join(store, made.id)
    served = serve(store, rater)
    close_round(store, made.id)
    for refused in (lambda: submit(store, rater, served.submit_key, GOOD), lambda: undo_last(store, rater),
                    lambda: skip(store, rater, served.submit_key, "language")):
        with pytest.raises(LabError, match="closed"):
            refused()
    assert rows_of(store, Rating) == [] and where(store, rater).stage == "closed"


def test_results_are_in_the_frame_of_the_models_not_of_the_sides(store):
    made = make_round(store, n_items=6, quota=3)
    units = {(u.question, u.text_b) for u in rows_of(store, Unit)}
    for rater in join(store, made.id, "R1", "R2", "R3"):
        while served := serve(store, rater):
            b_right = (served.question, served.right) in units
            submit(store, rater, served.submit_key, Verdict(2, 4, "right") if b_right else Verdict(4, 2, "left"))
    close_round(store, made.id)
    with store.read() as session:
        found = round_results(session, made.id)
    primary = found.primary
    assert (primary.a, primary.b, primary.fluency.mean_a, primary.fluency.mean_b) == (A, B, 2, 4)
    difference = primary.fluency.difference
    assert (difference.low, difference.estimate, difference.high) == (2, 2, 2)
    assert (primary.win.n_a, primary.win.n_tie, primary.win.n_b, primary.win.rate.estimate) == (0, 0, 18, 1)
    assert found.agreement.scores.alpha == 1
