"""clmm.csv parsed back, and the R script by its structure: there is no R here to run it."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

from lab.rating.files.clmm import clmm_csv, clmm_script
from tests.rating.files.made import ANSWER, BASE, TRACE, made


def parsed(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_each_choice_and_each_score_of_the_main_ratings_is_a_row():
    contents = made()
    rows = parsed(clmm_csv(contents))
    assert [row["what"] for row in rows].count("choice") == len(contents.main) == 12
    assert [row["what"] for row in rows].count("score") == 24
    assert {row["model"] for row in rows if row["what"] == "score"} == {BASE, TRACE}
    assert {row["choice"] for row in rows if row["what"] == "choice"} <= {"left", "tie", "right"}


def test_scores_keep_their_model_whatever_side_it_stood_on():
    contents = made()
    rows = [row for row in parsed(clmm_csv(contents)) if row["score"]]
    told = {(row["unit"], row["rater"], row["model"]): row["score"] for row in rows}
    for row in contents.main:
        assert told[row.unit, row.rater, BASE] == str(row.fluency_a)
        assert told[row.unit, row.rater, TRACE] == str(row.fluency_b)


def test_both_bad_is_a_tie_and_late_ratings_are_left_out():
    contents = made()
    bad = replace(contents.said[1], row=replace(contents.said[1].row, preference="both_bad"))
    late = replace(contents.said[2], row=replace(contents.said[2].row, surplus=True))
    (row,) = [row for row in parsed(clmm_csv(replace(contents, said=(bad, late)))) if row["what"] == "choice"]
    assert row["choice"] == "tie"


def test_the_script_names_the_models_in_order_and_fits_both_models_with_both_random_intercepts():
    script = clmm_script(made((BASE, TRACE, ANSWER)))
    assert f'models <- c("{BASE}", "{TRACE}", "{ANSWER}")' in script and "@" not in script
    assert script.count("(1 | item) + (1 | rater)") == 2 and script.count("clmm(") == 1 and "library(ordinal)" in script
    for opening, closing in ("()", "{}", "[]"):
        plain = re.sub(r'"(\\.|[^"\\])*"|#.*', "", script)
        assert plain.count(opening) == plain.count(closing)


def test_every_column_the_script_reads_is_in_the_table():
    columns = parsed(clmm_csv(made()))[0]
    used = set(re.findall(r"(?:rows|choice|score)\$(\w+)", clmm_script(made())))
    assert used <= set(columns) and {"item", "rater", "left", "right", "order", "choice", "score", "model"} <= used


def test_a_name_with_quotes_or_a_formula_is_one_string_of_r():
    contents = made()
    facts = replace(contents.facts, models=('say "x"\\', "=1+1"))
    assert 'c("say \\"x\\"\\\\", "\'=1+1")' in clmm_script(replace(contents, facts=facts))
