"""Uploading a table on the Train page: which files need a mapping, what the preview says, what is kept and chosen."""

from __future__ import annotations

import json

import pytest

from lab.core.errors import LabError
from lab.data.importing import lineage_of
from lab.ui.train.own_data import (
    MAPPED_FIELDS,
    is_own_format,
    keep_mapped,
    kept_uploads,
    looked_at,
    preview,
    sample_table,
)

CSV = "Frage,Weg,Antwort\n1+1?,1+1=2,Answer: 2\n<b>bold?</b>,x,Answer: 3\nno answer,y,\n"
MAPPING = {"question": "Frage", "trace": "Weg", "answer": "Antwort"}


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "my notes.csv"
    path.write_text(CSV)
    return path


def test_only_jsonl_in_the_labs_own_columns_needs_no_mapping(tmp_path, table):
    own, other, broken = tmp_path / "a.jsonl", tmp_path / "b.jsonl", tmp_path / "c.jsonl"
    own.write_text(json.dumps({"question": "q", "answer": "a", "trace": "t"}))
    other.write_text(json.dumps({"prompt": "q", "response": "a"}))
    broken.write_text("{oops")
    assert is_own_format(own) and is_own_format(broken)  # the strict reader names the broken line
    assert not is_own_format(other) and not is_own_format(table)


def test_the_file_is_shown_with_its_columns_and_escaped(table):
    found = looked_at(table)
    html = sample_table(found)
    assert found.columns == ["Frage", "Weg", "Antwort"] and "Frage" in html
    assert "&lt;b&gt;bold" in html and "<b>bold" not in html


def test_the_preview_shows_what_rows_become_and_names_those_left_out(table):
    html = preview(table, MAPPING)
    assert "2 can be used, 2 with thinking; 1 would be left out" in html
    assert "row 3: no answer" in html and "1+1=2" in html and "<b>bold" not in html
    assert "Choose at least the columns" in preview(table, {})
    with pytest.raises(LabError, match=r"^column mapping of my notes\.csv"):
        preview(table, {"question": "Frage", "answer": "Antwrt"})


def test_a_mapped_table_is_kept_with_its_lineage_and_listed(store, table):
    made = keep_mapped(store.home, table, MAPPING, "May round")
    assert made.path in kept_uploads(store.home) and made.path.name.startswith("May-round-")
    lineage = lineage_of(made.path)
    assert lineage is not None and lineage.source_file == "my notes.csv" and lineage.skipped == {"no answer": 1}


def test_what_cannot_be_read_is_said_without_the_temporary_folder(store, tmp_path):
    path = tmp_path / "broken.csv"
    path.write_text("question,answer\na,b,c\n")
    with pytest.raises(LabError, match=r"^broken\.csv row 1"):
        keep_mapped(store.home, path, {"question": "question", "answer": "answer"})
    assert set(MAPPED_FIELDS) >= {"question", "answer", "trace", "gold", "options"}
