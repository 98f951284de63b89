"""Rounds in a real store: what they freeze, what they leave out, whom they invite, when they open and close."""

from __future__ import annotations

import pytest
from sqlmodel import select

from lab.core.errors import LabError, SpecError
from lab.rating.design import THINKING, RoundSpec, stored
from lab.rating.round_texts import text_hash
from storage.queries.rater_entry import rater_by_token
from storage.queries.rater_sessions import submit, undo_last
from storage.queries.raters import delete_rater, invite, new_link, revoke, trial_link
from storage.queries.rating_events import events
from storage.queries.ratings import banks, progress, results_open, round_models
from storage.queries.round_results import round_results
from storage.queries.rounds import close_round, create_round, preview_round, unblind_round
from storage.tables import Answer, AnswerBank, Assignment, BlindGuess, Job, Rater, Rating, RatingEvent, Round, Unit
from tests.rating.bank import MODELS, THOUGHT, seed_bank
from tests.rating.rounds import GOOD, PLAIN, A, B, join, make_round, rate_all, rows_of, serve


def test_a_bank_lists_its_models_and_questions(store):
    bank_id = seed_bank(store, 6)
    with store.read() as session:
        (bank,) = banks(session)
    assert (bank.id, bank.n_questions, bank.benchmark) == (bank_id, 6, "demo-medical")
    assert [(m.label, m.arm, m.n_answers) for m in bank.models] == [(label, arm, 6) for label, arm, _ in MODELS]


def test_a_bank_that_one_model_answered_cannot_be_rated(store):
    with store.write() as session:
        job = Job(uid="solo00000001", kind="answers", name="solo")
        session.add(job)
        session.flush()
        session.add(AnswerBank(job_id=job.id, name="solo", benchmark="demo-medical"))
    with store.read() as session:
        assert banks(session) == []


def test_a_round_keeps_what_was_left_out_and_why(store):
    bank_id = seed_bank(store, 6)
    with store.write() as session:
        answers = session.exec(select(Answer).order_by(Answer.id)).all()
        answers[0].finish_reason = "length"
        answers[4].shown_text, answers[4].think_state = "", "unclosed_length"
        answers[7].shown_text = answers[6].shown_text
        session.add_all(answers)
    made = create_round(store, RoundSpec(name="Fluency", bank=bank_id, models=(A, B), **PLAIN))
    assert made.excluded == {
        "pairs": {"unclosed thinking": 1, "truncated": 1, "identical": 1},
        "by_model": {A: {"truncated": 1}, B: {"unclosed thinking": 1}},
    }
    assert made.n_excluded == 3 and len(rows_of(store, Unit)) == 3


def test_what_is_rated_is_frozen_with_its_hash_and_its_whole_design(store):
    made = make_round(store, practice=True, gold_every=3)
    units = rows_of(store, Unit)
    assert {unit.sha256 for unit in units} == {text_hash(u.question, u.text_a, u.text_b) for u in units}
    design = stored(made.design)
    assert design.definition and len(design.anchors) == 5 and design.consent and design.sha() == made.design_sha
    with store.write() as session:  # a bank that changes later changes nothing that is rated
        for answer in session.exec(select(Answer)).all():
            answer.shown_text = "other"
            session.add(answer)
    assert not any("other" in (unit.text_a, unit.text_b) for unit in rows_of(store, Unit))


def test_golds_are_a_text_against_its_spoilt_self_and_practice_has_its_own_words(store):
    make_round(store, n_items=12, practice=True, gold_every=4)
    units = rows_of(store, Unit)
    golds, practice = ([u for u in units if u.role == role] for role in ("gold", "practice"))
    shown = {a.shown_text for a in rows_of(store, Answer)}
    assert len(golds) == 3 and all(g.text_a in shown and g.text_b not in shown and g.model_a == "" for g in golds)
    assert all(g.expected == {"preference": "a"} for g in golds) and len(practice) == 5
    assert all(p.explanation and p.expected["preference"] in ("a", "tie", "b") for p in practice)


def test_one_answer_at_a_time_makes_a_unit_of_each_answer(store):
    made = make_round(store, n_items=4, task="fluency", gold_every=2, practice=True)
    units = rows_of(store, Unit)
    main = [u for u in units if u.role == "main"]
    assert len(main) == 8 and {u.model_a for u in main} == {A, B} and all(u.text_b == "" for u in units)
    assert all(u.expected == {"fluency_a": 1} for u in units if u.role == "gold") and made.models == [A, B]


def test_three_models_and_an_arm_with_its_thinking(store):
    bank_id = seed_bank(store, 4)
    with store.write() as session:
        for answer in session.exec(select(Answer).where(Answer.model_label == B)).all():
            answer.think_text = THOUGHT
            session.add(answer)
    faces = (A, B, B + THINKING)
    made = create_round(store, RoundSpec(name="r", bank=bank_id, models=faces, **PLAIN))
    units = rows_of(store, Unit)
    assert len(units) == 12 and all((THOUGHT in u.text_b) == (u.model_b == B + THINKING) for u in units)
    with store.read() as session:
        assert {name: model.arm for name, model in round_models(session, made).items()} == {
            A: "answer", B: "trace", B + THINKING: "trace"}
    with pytest.raises(SpecError, match="no thinking of"):
        create_round(store, RoundSpec(name="r", bank=bank_id, models=(A + THINKING, B), **PLAIN))


def test_some_questions_may_go_to_every_rater(store):
    made = make_round(store, n_items=10, quota=1, shared_share=0.2)
    one, two = join(store, made.id, "R1", "R2")
    assert rate_all(store, one) == 10 and rate_all(store, two) == 2
    with store.read() as session:
        counts = progress(session, made.id)
    assert (counts.n_needed, counts.n_ratings, counts.n_complete) == (12, 12, 10)


def test_a_round_that_cannot_be_is_refused_with_all_its_faults(store):
    bank_id = seed_bank(store, 2)
    spec = RoundSpec(name="r", bank=bank_id, models=("nobody", "noone"), **PLAIN)
    with store.read() as session:
        with pytest.raises(SpecError) as caught:
            preview_round(session, spec)
        assert [fault.field for fault in caught.value.faults] == ["models.0", "models.1"]
        with pytest.raises(SpecError, match="no answer bank 99"):
            preview_round(session, spec.model_copy(update={"bank": 99}))
    with store.write() as session:
        for answer in session.exec(select(Answer)).all():
            answer.finish_reason = "length"
            session.add(answer)
    with pytest.raises(LabError, match="no answers that can be rated against each other .2 truncated"):
        create_round(store, RoundSpec(name="r", bank=bank_id, models=(A, B), **PLAIN))
    assert rows_of(store, Round) == []


def test_only_the_hash_of_a_token_is_stored(store):
    made = make_round(store)
    ((_, token),) = invite(store, made.id, ["R9"])
    with store.read() as session:
        rater, the_round = rater_by_token(session, token)
        assert rater.code == "R9" and the_round.id == made.id
        assert token not in str([row.model_dump() for row in session.exec(select(Rater)).all()])
        assert rater_by_token(session, token[:-1]) is None


def test_inviting_reports_every_bad_name(store):
    made = make_round(store)
    join(store, made.id, "R1")
    with pytest.raises(SpecError) as caught:
        invite(store, made.id, ["R1", "R2", "R2", "x" * 50])
    assert len(caught.value.faults) == 3
    with pytest.raises(SpecError, match="at least one"):
        invite(store, made.id, ["", "  "])
    assert len(rows_of(store, Rater)) == 1


def test_a_new_link_ends_the_old_one_and_keeps_the_rater(store):
    made = make_round(store)
    ((_, old),) = invite(store, made.id, ["R1"])
    new = new_link(store, made.id, "R1")
    with store.read() as session:
        assert rater_by_token(session, old) is None and rater_by_token(session, new)[0].code == "R1"
    with pytest.raises(LabError, match="no rater 'R7'. It has: R1"):
        new_link(store, made.id, "R7")


def test_a_revoked_rater_rates_no_more_and_what_they_hold_goes_back(store):
    made = make_round(store, n_items=1, quota=1)
    one, two = join(store, made.id, "R1", "R2")
    held = serve(store, one)
    revoke(store, made.id, "R1")
    with pytest.raises(LabError, match="has ended"):
        submit(store, one, held.submit_key, GOOD)
    assert serve(store, one) is None and serve(store, two) is not None
    new_link(store, made.id, "R1")  # a new link lets them in again
    with store.read() as session:
        assert session.get(Rater, one).state == "active"


def test_deleting_a_rater_leaves_nothing_of_them_and_frees_their_places(store):
    made = make_round(store, n_items=3, quota=1, guesses=2)
    one, two = join(store, made.id, "R1", "R2")
    rate_all(store, one)
    undo_last(store, one)
    assert delete_rater(store, made.id, "R1") == 3
    assert [r.code for r in rows_of(store, Rater)] == ["R2"]
    assert all(rows_of(store, table) == [] for table in (Rating, Assignment, BlindGuess))
    left = rows_of(store, RatingEvent)
    assert not [event for event in left if event.rater_id == one] and left[-1].payload == {"ratings": 3}
    assert rate_all(store, two) == 3


def test_a_trial_counts_nowhere(store):
    made = make_round(store, n_items=3, quota=1)
    token = trial_link(store, made.id)
    with store.read() as session:
        trial = rater_by_token(session, token)[0].id
    from storage.queries.rater_entry import consent, start

    consent(store, trial, agreed=True)
    start(store, trial)
    assert rate_all(store, trial) == 3
    (one,) = join(store, made.id, "R1")
    assert rate_all(store, one) == 3
    with store.read() as session:
        assert progress(session, made.id).n_ratings == 3
    close_round(store, made.id)
    with store.read() as session:
        assert round_results(session, made.id).counts.n_raters == 1


def test_results_open_when_the_round_is_closed_and_closing_twice_changes_nothing(store):
    made = make_round(store)
    (one,) = join(store, made.id)
    rate_all(store, one)
    with store.read() as session, pytest.raises(LabError, match="still open"):
        round_results(session, made.id)
    first = close_round(store, made.id, "ann").closed_at
    assert close_round(store, made.id).closed_at == first
    with store.read() as session:
        assert round_results(session, made.id).counts.n_ratings == 6
        assert [e.payload["by"] for e in events(session, made.id) if e.kind == "closed"] == ["ann"]


def test_unblinding_an_open_round_needs_a_reason_and_is_kept(store):
    made = make_round(store)
    with pytest.raises(SpecError, match="say why"):
        unblind_round(store, made.id, "ann", "  ")
    found = unblind_round(store, made.id, "ann", "harm was reported")
    assert results_open(found) and found.unblinded_by == "ann" and found.state == "open"
    assert unblind_round(store, made.id, "bob", "again").unblinded_by == "ann"  # the first look is the one that counts
    with store.read() as session:
        assert [(e.payload["by"], e.payload["why"]) for e in events(session, made.id) if e.kind == "unblinded"] == [
            ("ann", "harm was reported"), ("bob", "again")]


def test_a_closed_round_takes_nobody(store):
    made = make_round(store)
    join(store, made.id, "R1")
    close_round(store, made.id)
    for refused in (lambda: invite(store, made.id, ["late"]), lambda: new_link(store, made.id, "R1")):
        with pytest.raises(LabError, match="closed"):
            refused()


@pytest.mark.parametrize("call", [lambda s: invite(s, 9, ["R1"]), lambda s: close_round(s, 9),
                                  lambda s: unblind_round(s, 9, "a", "b")])
def test_an_unknown_round_is_one_clear_sentence(store, call):
    with pytest.raises(LabError, match="there is no round 9"):
        call(store)
