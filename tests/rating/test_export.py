"""Files of a round: safe in a spreadsheet, one line a question, ties out."""

from __future__ import annotations

import json

import pytest

from lab.rating.export import PairTexts, blind_names, preferences_jsonl, safe_cell
from lab.rating.results import RatingRow

PAIRS = [PairTexts("q1", "Why?", "text a", "text b"), PairTexts("q2", "How?", "text c", "text d")]


def vote(item, rater, preference, a_left=True) -> RatingRow:
    return RatingRow(item, rater, a_left, 3, 3, preference)


@pytest.mark.parametrize("text", ["=1+1", "+41", "-2", "@cmd", "\tx", "\rx"])
def test_text_that_a_spreadsheet_would_run_is_defused(text):
    assert safe_cell(text) == "'" + text


@pytest.mark.parametrize("value", ["plain", "1 + 1", "", -2, 0.5])
def test_other_cells_stay_as_they_are(value):
    assert safe_cell(value) == value


def test_the_majority_decides_and_the_votes_are_given():
    votes = [vote("q1", "R1", "right"), vote("q1", "R2", "left", a_left=False), vote("q1", "R3", "left"),
             vote("q1", "R4", "tie")]
    (line,) = [json.loads(x) for x in preferences_jsonl(PAIRS, votes, ("m", "n")).splitlines()]
    assert (line["prompt"], line["chosen"], line["rejected"]) == ("Why?", "text b", "text a")
    assert (line["chosen_model"], line["votes_chosen"], line["votes_rejected"], line["votes_tie"]) == ("n", 2, 1, 1)


def test_even_votes_ties_and_unrated_questions_are_left_out():
    votes = [vote("q1", "R1", "right"), vote("q1", "R2", "left"), vote("q2", "R1", "tie")]
    assert preferences_jsonl(PAIRS, votes, ("m", "n")) == ""


def test_blind_names_are_stable_for_a_round_and_take_both_orders():
    assert blind_names("s") == blind_names("s")
    assert {blind_names(str(i)) for i in range(20)} == {("X", "Y"), ("Y", "X")}
