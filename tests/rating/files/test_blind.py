"""Blinded files: no name in them, and nothing from which one could work out which letter is which model."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import permutations
from random import Random

import pytest

from lab.rating.files.blind import NAMES, Blinding, blinded, draw_blinding, text_hash
from lab.rating.files.contents import Contents, Said, UnitText
from lab.rating.files.writing import Form, texts_of
from lab.rating.measures_correlation import Measure
from tests.rating.files.made import ANSWER, BASE, TRACE, made

LETTERS = Blinding({BASE: "X", TRACE: "Y"}, 77)


def world(contents: Contents, swap: dict[str, str]) -> Contents:
    """The same texts and ratings, had other models of the same design written them."""
    order = contents.facts.models.index
    turned = {unit.uid for unit in contents.units if unit.model_b and
              order(swap[unit.model_a]) > order(swap[unit.model_b])}
    return replace(
        contents, units=tuple(_unit(unit, swap, unit.uid in turned) for unit in contents.units),
        said=tuple(_said(said, swap, said.row.unit in turned) for said in contents.said),
        measures=tuple(Measure(one.item_id, swap[one.model], one.name, one.value) for one in contents.measures),
    )


def _unit(unit: UnitText, swap: dict[str, str], turned: bool) -> UnitText:
    if not unit.model_a:
        return unit
    a, b, x, y = swap[unit.model_a], swap[unit.model_b], unit.text_a, unit.text_b
    if turned:
        a, b, x, y = b, a, y, x
    return replace(unit, model_a=a, model_b=b, text_a=x, text_b=y, sha256=text_hash(unit.question, x, y))


def _said(said: Said, swap: dict[str, str], turned: bool) -> Said:
    row = said.row
    if row.model_a:
        row = replace(row, model_a=swap[row.model_a], model_b=swap[row.model_b])
    return replace(said, row=row.turned() if turned else row)


@pytest.mark.parametrize("models", [(BASE, TRACE), (BASE, TRACE, ANSWER)], ids=["two models", "three models"])
def test_the_files_are_the_same_whichever_model_wrote_the_texts_of_a_letter(models):
    """So whoever holds them knows no more than the draw, and that is nobody's to repeat."""
    contents = made(models)
    letters = dict(zip(models, NAMES, strict=False))
    files = texts_of(blinded(contents, Blinding(letters, 77)), Form())
    assert letters[BASE] in files["ratings.csv"]
    for permuted in list(permutations(models))[1:]:
        swap = dict(zip(models, permuted, strict=True))
        other = Blinding({swap[model]: letter for model, letter in letters.items()}, 77)
        assert texts_of(blinded(world(contents, swap), other), Form()) == files


def test_without_turning_units_the_files_would_tell(monkeypatch):
    """The test above can fail: a file that keeps the order of the design gives the models away."""
    contents, swap = made(), {BASE: TRACE, TRACE: BASE}
    monkeypatch.setattr(Blinding, "turns", lambda self, a, b: False)
    one = texts_of(blinded(contents, LETTERS), Form())
    other = texts_of(blinded(world(contents, swap), Blinding({BASE: "Y", TRACE: "X"}, 77)), Form())
    assert one["units.jsonl"] != other["units.jsonl"]


def test_no_name_of_a_model_the_round_the_bank_or_who_made_it_is_in_a_blinded_file():
    files = texts_of(blinded(made(), LETTERS), Form())
    for name, text in files.items():
        for secret in ("pico", "trace", "Do traces help", "Bank of", "ana\"", "says 'wait'", "perplexity", "auc"):
            assert secret not in text, (name, secret)
    told = texts_of(made(), Form())
    assert "Bank of traces" in told["design.json"] and TRACE in told["ratings.csv"]


def test_the_seed_from_which_sides_were_drawn_is_replaced_everywhere():
    contents = made(seed=987650001)
    files = texts_of(blinded(contents, LETTERS), Form())
    assert all("987650001" not in text for text in files.values())
    assert json.loads(files["results.json"])["seed"] == 77 == json.loads(files["design.json"])["design"]["seed"]


def test_who_failed_how_often_and_whom_raters_guess_are_left_out():
    files = texts_of(blinded(made(), LETTERS), Form())
    design, results = json.loads(files["design.json"]), json.loads(files["results.json"])
    assert design["excluded"] == {"pairs": {"truncated": 2}} and design["design"]["guess_target"] == ""
    assert results["blinding"] == [] and results["judges"] == [] and "left_out" in results
    assert [one["name"] for one in results["measures"] if one["model"] == ""] == ["words"]


def test_differences_turn_their_sign_with_the_letters_and_nothing_else():
    told = json.loads(texts_of(made(), Form())["results.json"])["views"][0]["contrasts"][0]
    for names, sign in (({BASE: "X", TRACE: "Y"}, 1), ({BASE: "Y", TRACE: "X"}, -1)):
        found = json.loads(texts_of(blinded(made(), Blinding(names, 0)), Form())["results.json"])
        contrast = found["views"][0]["contrasts"][0]
        assert (contrast["a"], contrast["b"]) == ("X", "Y")
        estimate = told["fluency"]["difference"]["estimate"]
        assert contrast["fluency"]["difference"]["estimate"] == pytest.approx(sign * estimate) and estimate != 0


def test_names_take_every_order_and_are_as_many_as_models():
    drawn = [draw_blinding((BASE, TRACE), Random(i)).names for i in range(30)]
    assert {tuple(names.values()) for names in drawn} == {("X", "Y"), ("Y", "X")}
    assert set(draw_blinding(tuple("abcdefgh"), Random(1)).names.values()) == set(NAMES)


def test_the_hash_of_a_blinded_unit_is_of_its_texts_as_they_stand_there():
    for unit in blinded(made(), Blinding({BASE: "Y", TRACE: "X"}, 0)).units:
        assert unit.sha256 == text_hash(unit.question, unit.text_a, unit.text_b)
