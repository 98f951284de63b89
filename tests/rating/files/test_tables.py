"""Cells that no spreadsheet runs, and tables that come back as they went."""

from __future__ import annotations

import csv
import io

import pytest

from lab.rating.files.tables import csv_text, safe_cell


@pytest.mark.parametrize("text", ["=1+1", "+41", "-2", "@cmd", "\tx", "\rx", "\0=1"])
def test_text_that_a_spreadsheet_would_run_is_defused(text):
    assert safe_cell(text) == "'" + text.replace("\0", "")


@pytest.mark.parametrize("value", ["plain", "1 + 1", "", -2, 0.5, None])
def test_other_cells_stay_as_they_are(value):
    assert safe_cell(value) == value


def test_a_table_comes_back_with_quotes_lines_and_letters_of_any_script():
    rows = [["a,b", 'said "x"', "two\nlines", "Zürich 東京"], ["", "'", ";", "ok"]]
    assert list(csv.reader(io.StringIO(csv_text(("1", "2", "3", "4"), rows))))[1:] == rows
