"""Rounds in a real store: making, inviting, serving, submitting, undoing, closing, exporting."""

from __future__ import annotations

import csv
import json
import random
import re
import threading
from collections import Counter
from datetime import timedelta

import pytest
from sqlmodel import select

from lab.core.errors import LabError, SpecError
from storage.queries import guests, next_pair
from storage.queries.rater_sessions import Verdict, can_undo, rater_by_token, serve, skip, submit, undo_last
from storage.queries.rating_exports import export_round
from storage.queries.ratings import banks, current_ratings, progress, round_results
from storage.queries.rounds import RoundPlan, close_round, create_round, invite, preview_round
from storage.tables import Answer, AnswerBank, Assignment, Job, Rater, Rating, Round, Unit, now
from tests.rating.bank import MODELS, seed_bank

A, B = MODELS[0][0], MODELS[1][0]
GOOD = Verdict(3, 5, "right", "", 9000)


def make_round(store, n_items=6, quota=2, raters=("R1",), **plan) -> tuple[Round, list[int]]:
    bank_id = seed_bank(store, n_items)
    made = create_round(store, RoundPlan(bank_id, A, B, plan.pop("name", "Fluency"), quota, **plan))
    return made, join(store, made.id, raters)


def join(store, round_id, codes) -> list[int]:
    tokens = invite(store, round_id, codes)
    with store.read() as session:
        return [rater_by_token(session, token)[0].id for _, token in tokens]


def rate_all(store, rater_id, verdict=GOOD) -> int:
    count = 0
    while served := serve(store, rater_id):
        submit(store, rater_id, served.submit_key, verdict)
        count += 1
    return count


def count(store, table) -> int:
    with store.read() as session:
        return len(session.exec(select(table)).all())


def test_a_bank_lists_its_models_and_questions(store):
    bank_id = seed_bank(store, 6)
    with store.read() as session:
        (bank,) = banks(session)
    assert (bank.id, bank.n_questions, bank.benchmark) == (bank_id, 6, "demo-medical")
    assert [(m.label, m.arm, m.n_answers) for m in bank.models] == [(label, arm, 6) for label, arm, _ in MODELS]


def test_a_round_keeps_what_was_left_out_and_why(store):
    bank_id = seed_bank(store, 6)
    with store.write() as session:
        answers = session.exec(select(Answer).order_by(Answer.id)).all()
        answers[0].finish_reason = "length"
        answers[4].shown_text, answers[4].think_state = "", "unclosed_length"
        answers[7].shown_text = answers[6].shown_text
        session.add_all(answers)
    made = create_round(store, RoundPlan(bank_id, A, B, "Fluency"))
    assert made.excluded == {
        "pairs": {"unclosed thinking": 1, "truncated": 1, "identical": 1},
        "by_model": {A: {"truncated": 1}, B: {"unclosed thinking": 1}},
    }
    assert made.n_excluded == 3 and count(store, Unit) == 3


def test_all_faults_of_a_plan_come_together(store):
    bank_id = seed_bank(store, 2)
    with pytest.raises(SpecError) as caught:
        create_round(store, RoundPlan(bank_id, A, A, "  ", quota=0))
    assert [fault.field for fault in caught.value.faults] == ["name", "quota"]
    with store.read() as session, pytest.raises(SpecError, match="another model.*|gave no answer"):
        preview_round(session, bank_id, "nobody", "nobody")
    assert count(store, Round) == 0


def test_a_round_without_a_single_pair_is_refused(store):
    bank_id = seed_bank(store, 2)
    with store.write() as session:
        for answer in session.exec(select(Answer)).all():
            answer.finish_reason = "length"
            session.add(answer)
    with pytest.raises(LabError, match="no pair that can be rated .2 truncated"):
        create_round(store, RoundPlan(bank_id, A, B, "Fluency"))
    assert count(store, Round) == 0


def test_only_the_hash_of_a_token_is_stored(store):
    made, _ = make_round(store)
    ((_, token),) = invite(store, made.id, ["R9"])
    with store.read() as session:
        rater, the_round = rater_by_token(session, token)
        assert rater.code == "R9" and the_round.id == made.id
        assert token not in str([row.model_dump() for row in session.exec(select(Rater)).all()])
        assert rater_by_token(session, token[:-1]) is None


def test_inviting_reports_every_bad_name(store):
    made, _ = make_round(store, raters=("R1",))
    with pytest.raises(SpecError) as caught:
        invite(store, made.id, ["R1", "R2", "R2", "x" * 50])
    assert len(caught.value.faults) == 3
    with pytest.raises(SpecError, match="at least one"):
        invite(store, made.id, ["", "  "])
    assert count(store, Rater) == 1


def test_a_reload_serves_the_same_pair_with_the_same_sides(store):
    _, (rater,) = make_round(store)
    first = serve(store, rater)
    assert [serve(store, rater) for _ in range(5)] == [first] * 5
    assert count(store, Assignment) == 1


def test_the_same_submit_twice_is_one_rating(store):
    _, (rater,) = make_round(store)
    served = serve(store, rater)
    assert submit(store, rater, served.submit_key, GOOD) == "saved"
    assert submit(store, rater, served.submit_key, Verdict(1, 1, "tie")) == "saved"
    with store.read() as session:
        (rating,) = session.exec(select(Rating)).all()
    assert (rating.fluency_left, rating.fluency_right, rating.preference) == (3, 5, "right")


def test_a_key_of_another_rater_is_refused(store):
    _, (one, two) = make_round(store, raters=("R1", "R2"))
    served = serve(store, one)
    with pytest.raises(LabError, match="not yours"):
        submit(store, two, served.submit_key, GOOD)
    assert count(store, Rating) == 0


@pytest.mark.parametrize("verdict", [Verdict(0, 3, "tie"), Verdict(3, 6, "tie"), Verdict(3, 3, "both"),
                                     Verdict(True, 3, "tie"), Verdict(3, 3, "tie", "x" * 5000)])
def test_a_verdict_out_of_range_is_refused(store, verdict):
    _, (rater,) = make_round(store)
    served = serve(store, rater)
    with pytest.raises(SpecError):
        submit(store, rater, served.submit_key, verdict)
    assert count(store, Rating) == 0


def test_a_rater_sees_every_pair_once_and_then_the_end(store):
    _, (rater,) = make_round(store, n_items=6)
    totals = []
    while served := serve(store, rater):
        totals.append((served.n_done, served.n_total))
        submit(store, rater, served.submit_key, GOOD)
    assert totals == [(i, 6) for i in range(6)]


def test_a_skipped_pair_frees_its_place_and_does_not_come_back(store):
    made, (one, two) = make_round(store, n_items=1, quota=1, raters=("R1", "R2"))
    served = serve(store, one)
    assert serve(store, two) is None
    skip(store, one, served.submit_key, "language")
    skip(store, one, served.submit_key, "language")
    assert serve(store, one) is None
    assert serve(store, two) is not None
    with store.read() as session:
        assert progress(session, made.id).n_skipped == 1
    with pytest.raises(SpecError, match="unreadable"):
        skip(store, two, "any", "bored")


def test_undo_keeps_the_first_version_and_counts_the_last(store):
    made, (rater,) = make_round(store, n_items=3)
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
        (row,) = current_ratings(session, made.id)
        assert (row.fluency_left, row.preference) == (2, "tie")
        assert [r.version for r in session.exec(select(Rating).order_by(Rating.version)).all()] == [1, 2]
        assert progress(session, made.id).n_ratings == 1
        assert not can_undo(session, rater)


def test_an_abandoned_pair_is_given_to_someone_else_and_its_verdict_still_counts(store):
    made, (one, two) = make_round(store, n_items=1, quota=1, raters=("R1", "R2"))
    served = serve(store, one)
    assert serve(store, two) is None
    let_leases_run_out(store)
    taken = serve(store, two)
    assert taken is not None
    submit(store, two, taken.submit_key, GOOD)
    assert submit(store, one, served.submit_key, GOOD) == "saved"
    with store.read() as session:
        assert progress(session, made.id).n_ratings == 2


def test_a_pause_longer_than_the_lease_resumes_on_the_same_pair_and_sides(store):
    _, (one, two) = make_round(store, n_items=4, raters=("R1", "R2"))
    served = serve(store, one)
    let_leases_run_out(store)
    serve(store, two)
    assert serve(store, one) == served


def test_a_correction_left_open_keeps_its_first_verdict(store):
    made, (rater,) = make_round(store, n_items=2)
    submit(store, rater, serve(store, rater).submit_key, GOOD)
    undo_last(store, rater)
    let_leases_run_out(store)
    assert serve(store, rater).previous is None
    with store.read() as session:
        assert progress(session, made.id).n_ratings == 1


def let_leases_run_out(store):
    with store.write() as session:
        for assignment in session.exec(select(Assignment).where(Assignment.state == "open")).all():
            assignment.lease_until = now() - next_pair.LEASE - timedelta(minutes=1)
            session.add(assignment)


def test_sides_are_even_over_units_and_raters(store):
    made, raters = make_round(store, n_items=24, quota=4, raters=[f"R{i}" for i in range(5)])
    order, rng = list(raters), random.Random(0)
    while order:
        rater = rng.choice(order)
        served = serve(store, rater)
        if served is None:
            order.remove(rater)
        else:
            submit(store, rater, served.submit_key, GOOD)
    with store.read() as session:
        rows = session.exec(select(Assignment, Unit).join(Unit)).all()
    unit_balance, rater_balance, per_unit = Counter(), Counter(), Counter()
    for assignment, unit in rows:
        sign = 1 if assignment.left_answer_id == unit.answer_a_id else -1
        unit_balance[unit.id] += sign
        rater_balance[assignment.rater_id] += sign
        per_unit[unit.id] += 1
    assert set(per_unit.values()) == {4} and len(per_unit) == 24
    assert max(map(abs, unit_balance.values())) == 0
    assert max(map(abs, rater_balance.values())) <= 6


def test_sixteen_raters_at_once_with_double_submits_fill_the_quota_exactly(store):
    made, raters = make_round(store, n_items=20, quota=3, raters=[f"R{i}" for i in range(16)])
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
    assert count(store, Rating) == 60 and count(store, Assignment) == 60


def test_results_and_export_open_only_when_the_round_is_closed(store, tmp_path):
    made, (rater,) = make_round(store)
    rate_all(store, rater)
    with store.read() as session, pytest.raises(LabError, match="still open"):
        round_results(session, made.id)
    with pytest.raises(LabError, match="still open"):
        export_round(store, made.id, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    close_round(store, made.id)
    assert close_round(store, made.id).closed_at == close_round(store, made.id).closed_at
    with store.read() as session:
        assert round_results(session, made.id).n_ratings == 6


def test_a_closed_round_takes_no_rating_and_no_rater(store):
    made, (rater,) = make_round(store)
    served = serve(store, rater)
    close_round(store, made.id)
    for refused in (lambda: submit(store, rater, served.submit_key, GOOD), lambda: serve(store, rater),
                    lambda: undo_last(store, rater), lambda: skip(store, rater, served.submit_key, "language"),
                    lambda: invite(store, made.id, ["late"])):
        with pytest.raises(LabError, match="closed"):
            refused()
    assert count(store, Rating) == 0


def test_the_export_has_every_version_and_is_safe_in_a_spreadsheet(store, tmp_path):
    made, (rater,) = make_round(store, n_items=2, name="=1+1")
    first = serve(store, rater)
    submit(store, rater, first.submit_key, Verdict(3, 5, "right", '=HYPERLINK("x")\nsecond line, ä', 4321))
    undo_last(store, rater)
    submit(store, rater, serve(store, rater).submit_key, Verdict(4, 4, "left", "-1 for style"))
    rate_all(store, rater)
    close_round(store, made.id)
    ratings, preferences, about = export_round(store, made.id, tmp_path / "open")
    rows = list(csv.DictReader(ratings.open(encoding="utf-8")))
    assert [(r["version"], r["current"]) for r in rows] == [("1", "0"), ("2", "1"), ("1", "1")]
    assert rows[0]["round"] == "'=1+1" and rows[0]["comment"].startswith("'=HYPERLINK")
    assert rows[0]["comment"].endswith("second line, ä") and rows[0]["visible_s"] == "4.3"
    assert rows[1]["comment"] == "'-1 for style"
    times = [row[key] for row in rows for key in ("served_at", "rated_at")]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", moment) for moment in times)
    assert {rows[0]["model_left"], rows[0]["model_right"]} == {A, B}
    assert rows[1]["preferred_model"] == rows[1]["model_left"]
    lines = [json.loads(line) for line in preferences.read_text(encoding="utf-8").splitlines()]
    chosen = {first.question: first.left}
    assert all(line["chosen"] == chosen.get(line["prompt"], line["chosen"]) for line in lines) and len(lines) == 2
    assert json.loads(about.read_text(encoding="utf-8"))["results"]["n_ratings"] == 2


def test_the_blinded_export_names_no_model(store, tmp_path):
    made, (rater,) = make_round(store)
    rate_all(store, rater)
    close_round(store, made.id)
    text = "".join(p.read_text(encoding="utf-8") for p in export_round(store, made.id, tmp_path / "b", blinded=True))
    assert not [label for label, _, _ in MODELS if label in text]
    assert '"seed"' not in text and "SECRET-THOUGHT" not in text
    assert {row["model_left"] for row in csv.DictReader((tmp_path / "b" / "ratings.csv").open())} == {"X", "Y"}


def test_results_are_in_the_frame_of_the_models_not_of_the_sides(store):
    made, raters = make_round(store, n_items=6, quota=3, raters=("R1", "R2", "R3"))
    with store.read() as session:
        shown = {a.shown_text: a.model_label for a in session.exec(select(Answer)).all()}
    for rater in raters:
        while served := serve(store, rater):
            verdict = Verdict(2, 4, "right") if shown[served.right] == B else Verdict(4, 2, "left")
            submit(store, rater, served.submit_key, verdict)
    close_round(store, made.id)
    with store.read() as session:
        found = round_results(session, made.id)
    assert (found.fluency_a.estimate, found.fluency_b.estimate) == (2, 4)
    assert (found.difference.low, found.difference.estimate, found.difference.high) == (2, 2, 2)
    assert found.preferences == {"a": 0, "tie": 0, "b": 18} and found.preference_b.estimate == 1
    assert (found.agreement.alpha, found.agreement.n_units) == (1, 12)
    assert found.difference.n_clusters == 6


def test_a_guest_needs_something_to_rate_and_is_marked(store):
    with pytest.raises(LabError, match="nothing to rate yet"):
        guests.guest_token(store)
    seed_bank(store)
    one, two = guests.guest_token(store), guests.guest_token(store)
    with store.read() as session:
        (rater, the_round), (other, _) = rater_by_token(session, one), rater_by_token(session, two)
    assert rater.guest and other.id != rater.id and count(store, Round) == 1
    assert (the_round.model_a, the_round.model_b) == (A, B)
    assert serve(store, rater.id) is not None


def test_an_unknown_round_is_one_clear_sentence(store, tmp_path):
    for call in (lambda: invite(store, 9, ["R1"]), lambda: close_round(store, 9),
                 lambda: export_round(store, 9, tmp_path)):
        with pytest.raises(LabError, match="there is no round 9"):
            call()


def test_a_bank_that_one_model_answered_cannot_be_rated(store):
    with store.write() as session:
        job = Job(uid="solo00000001", kind="answers", name="solo")
        session.add(job)
        session.flush()
        session.add(AnswerBank(job_id=job.id, name="solo", benchmark="demo-medical"))
    with store.read() as session:
        assert banks(session) == []
