"""Names from a spreadsheet's table, links back into one."""

from __future__ import annotations

import pytest

from lab.core.errors import LabError
from lab.rating.files.names import links_csv, rater_names


@pytest.mark.parametrize(("text", "names"), [
    ("R1\nR2\n", ["R1", "R2"]), ("id;name\n1;Ana\n2;Bo\n;\n", ["Ana", "Bo"]), ("Code\tx\nR1\ty", ["R1"]),
    ("\ufeffrater,mail\n\"A, B\",a@b\n", ["A, B"]),
])
def test_the_column_of_names_is_found(text, names):
    assert rater_names(text.encode(), "list.csv") == names


def test_the_old_western_code_page_is_read():
    assert rater_names("name\nZoë".encode("cp1252"), "list.csv") == ["Zoë"]


@pytest.mark.parametrize(("data", "said"), [
    (b"", "no name"), (b"name\n\n", "no name below"), (b"x" * 1_000_001, "1 MB")])
def test_a_table_without_names_says_so(data, said):
    with pytest.raises(LabError, match=said):
        rater_names(data, "list.csv")


def test_links_are_a_table_that_no_spreadsheet_runs():
    assert links_csv([("=R1", "http://x/rate/r-1")]) == "name,link\n'=R1,http://x/rate/r-1\n"
