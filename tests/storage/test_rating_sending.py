"""What leaves a lab: a round without names, votes without tokens."""

from __future__ import annotations

import pytest

from lab.core.errors import LabError
from lab.rating.files.bundle import unpack
from lab.rating.files.sent_round import read_round
from storage.queries.raters import invite
from storage.queries.rating_sending import send_name, to_send, votes, votes_name
from storage.queries.rounds import close_round
from storage.tables import Rater
from tests.rating.bank import MODELS, THOUGHT
from tests.rating.rounds import B, join, make_round, rows_of
from tests.storage.two_labs import every_byte, open_away, rate_by_text, sent_to


def test_the_bundle_of_a_round_names_nobody_and_nothing(sqlite_store):
    made = make_round(sqlite_store, name="Do traces help?", gold_every=3, practice=True, guesses=3, guess_target=B,
                      seed=987654321)
    invite(sqlite_store, made.id, ["Dr Keller"])
    text = every_byte(to_send(sqlite_store, made.id))
    secrets = [label for label, _, _ in MODELS] + ["demo-llama", THOUGHT[:20], "Do traces help", "Demo answers"]
    secrets += ["item-0", "Keller", "987654321", made.design_sha]
    assert [secret for secret in secrets if secret in text] == []


def test_a_round_is_sent_the_same_each_time_and_is_whole(sqlite_store):
    made = make_round(sqlite_store, gold_every=3, practice=True)
    data = to_send(sqlite_store, made.id)
    assert data == to_send(sqlite_store, made.id) and send_name(made) == f"round-{made.id}-to-send.zip"
    sent = read_round(unpack(data))
    assert sent.design.models == ("X", "Y") and sent.design.consent and sent.design.quota == 2
    assert {unit.role for unit in sent.units} == {"main", "gold", "practice"}
    assert {(unit.model_a, unit.model_b) for unit in sent.units if unit.role == "main"} == {("X", "Y")}


def test_a_closed_round_is_not_sent_and_a_round_of_ones_own_has_no_votes_to_send(sqlite_store):
    made = make_round(sqlite_store)
    with pytest.raises(LabError, match="this lab's own"):
        votes(sqlite_store, made.id)
    close_round(sqlite_store, made.id)
    with pytest.raises(LabError, match="closed"):
        to_send(sqlite_store, made.id)


def test_votes_hold_no_token_and_nobody_on_trial_and_a_sent_round_is_not_sent_on(sqlite_store, tmp_path):
    away = open_away(tmp_path)
    there = sent_to(sqlite_store, away, make_round(sqlite_store).id)
    (one,) = join(away, there.id, "R1")
    rate_by_text(away, one)
    invite(away, there.id, ["trial x"], kind="trial")
    text = every_byte(votes(away, there.id))
    assert votes_name(there) == f"round-{there.id}-votes.zip" and "R1" in text and "trial x" not in text
    assert all(rater.token_hash not in text for rater in rows_of(away, Rater)) and "token" not in text
    with pytest.raises(LabError, match="came from another lab"):
        to_send(away, there.id)
    close_round(away, there.id)
    assert votes(away, there.id)
    away.close()
