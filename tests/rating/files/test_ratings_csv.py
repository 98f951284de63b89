"""ratings.csv and raters.csv, parsed back: every version, sides as they stood, skips with their reason."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

from lab.rating.files.ratings_csv import raters_csv, ratings_csv
from tests.rating.files.made import BASE, TRACE, made


def parsed(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_every_version_is_a_row_and_the_last_one_is_current():
    contents = made()
    rows = parsed(ratings_csv(contents))
    assert len(rows) == len(contents.said) == 15
    old, new = rows[:2]
    assert (old["version"], old["current"], new["version"], new["current"]) == ("1", "0", "2", "1")
    assert old["unit"] == new["unit"] and old["comment"] == "'=1+1" and new["comment"] == "Zögernd, naïve\n2"


def test_sides_are_as_they_stood_and_preferences_name_the_model():
    for said, row in zip(made().said, parsed(ratings_csv(made())), strict=True):
        if said.row.role == "gold":
            assert (row["model_left"], row["preferred_model"], row["preference_side"]) == ("", "", "left")
            continue
        assert (row["model_left"], row["model_right"]) == ((BASE, TRACE) if said.row.a_left else (TRACE, BASE))
        side = {"left": row["model_left"], "right": row["model_right"]}.get(row["preference_side"])
        assert row["preferred_model"] == (side or row["preference_side"])
        assert row["fluency_left"] == ("" if said.row.fluency_left is None else str(said.row.fluency_left))


def test_a_skipped_unit_has_its_reason_and_no_verdict():
    row = parsed(ratings_csv(made()))[-1]
    assert (row["rater"], row["skip_reason"], row["report"], row["version"]) == ("R99", "language", "odd", "")
    assert row["fluency_left"] == row["preference_side"] == row["visible_s"] == ""


def test_one_answer_on_the_screen_stands_left_and_nothing_right():
    contents = made()
    alone = replace(contents.said[1].row, model_b="", fluency_right=None, preference="", a_left=False)
    (row,) = parsed(ratings_csv(replace(contents, said=(replace(contents.said[1], row=alone),))))
    assert (row["model_left"], row["model_right"]) == (BASE, "")


def test_criteria_have_two_columns_each():
    contents = made(criteria=("clarity",))
    scored = replace(contents.said[1], row=replace(contents.said[1].row, criteria={"clarity": (2, 5)}))
    (row,) = parsed(ratings_csv(replace(contents, said=(scored,))))
    assert (row["clarity_left"], row["clarity_right"]) == ("2", "5")


def test_raters_have_their_answers_and_nothing_that_was_not_asked():
    rows = parsed(raters_csv(made()))
    assert [row["rater"] for row in rows] == ["R00", "R01"]
    assert rows[0]["about_level"] == "native" and rows[0]["closing_remarks"] == "'-fine"
    assert rows[0]["n_rated"] == "7" and "closing_answered" not in rows[0] and "token" not in "".join(rows[0])
