"""The texts of a round for a job: what is rated, in its order, and nothing that names a model."""

from __future__ import annotations

import json

import pytest
from sqlmodel import select

from lab.core.errors import LabError
from lab.rating.design import RoundSpec
from lab.rating.round_texts import round_lines
from storage.database import Store
from storage.queries.round_units import find_round, round_texts
from storage.queries.rounds import create_round
from storage.tables import Answer, Round, Unit
from tests.rating.bank import MODELS, seed_bank

ROUND = {"models": tuple(label for label, _, _ in MODELS[:2]), "language": "en", "gold_every": 3}


def made(store: Store, **values) -> Round:
    return create_round(store, RoundSpec(**({"name": "r", "bank": seed_bank(store)} | ROUND | values)))


def test_the_main_units_are_given_with_the_words_that_raters_read(store: Store) -> None:
    the_round = made(store, definition="Fluency is how well it reads.")
    with store.read() as session:
        told, units = round_texts(session, f"round:{the_round.uid}")
        stored = session.exec(select(Unit).where(Unit.round_id == the_round.id)).all()
    assert (told.round, told.language, told.definition) == (the_round.uid, "en", "Fluency is how well it reads.")
    assert len(told.anchors) == 5
    main = [unit for unit in stored if unit.role == "main"]
    assert [unit.unit for unit in units] == [unit.uid for unit in main] and 0 < len(main) < len(stored)
    assert all(one.text_a and one.text_b and one.question for one in units)


def test_no_model_can_be_read_in_them(store: Store) -> None:
    the_round = made(store)
    with store.read() as session:
        text = round_lines(*round_texts(session, f"round:{the_round.uid}"))
        arms = {row.arm for row in session.exec(select(Answer))}
    assert "SECRET-THOUGHT" not in text and not any(label in text for label, _, _ in MODELS)
    keys = {key for line in text.splitlines() for key in json.loads(line)}
    assert keys == {"round", "language", "definition", "anchors", "unit", "item_id", "question", "text_a", "text_b"}
    assert {"trace", "answer"} <= arms


def test_a_round_that_is_not_there_is_named_with_its_near_miss(store: Store) -> None:
    the_round = made(store)
    with store.read() as session:
        assert find_round(session, the_round.uid).id == the_round.id
        with pytest.raises(LabError, match=f"round:{the_round.uid}"):
            find_round(session, f"round:{the_round.uid[:-1]}")
