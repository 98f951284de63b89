"""A user's own file is read strictly: what is wrong, in which file, on which line, in which column."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.core.errors import LabError, UnknownName
from lab.data.columns import VERIFIERS
from lab.data.jsonl import read_jsonl
from lab.data.resolving import check_dataset_name, resolve_dataset
from lab.verify.verifier import verifiers

GOOD = {"question": "What is 1+1?", "answer": "It is 2.\nAnswer: 2"}


def written(tmp_path: Path, *lines: object) -> Path:
    path = tmp_path / "mine.jsonl"
    path.write_text("\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("column", ["trace", "thinking", "reasoning", "reasoning_content"])
def test_a_trace_is_found_under_any_of_its_usual_names(tmp_path: Path, column: str) -> None:
    (row,) = read_jsonl(written(tmp_path, GOOD | {column: "1+1=2"}))
    assert (row.trace, row.gold, row.id, row.verifier) == ("1+1=2", "2", "mine-1", "exact")


def test_missing_columns_get_their_defaults_and_blank_lines_are_not_rows(tmp_path: Path) -> None:
    rows = read_jsonl(written(tmp_path, GOOD, "", {"question": "Capital?", "answer": "Paris", "trace": None}, ""))
    assert [row.gold for row in rows] == ["2", "Paris"]
    assert [row.id for row in rows] == ["mine-1", "mine-3"]
    assert rows[1].trace is None


def test_options_make_a_choice_row_and_a_list_is_lettered(tmp_path: Path) -> None:
    (row,) = read_jsonl(written(tmp_path, GOOD | {"options": ["one", "two"], "gold": "B"}))
    assert (row.options, row.verifier) == ({"A": "one", "B": "two"}, "choice")


BROKEN = [
    ('{"question": "x", ', "line 2 column 19: not valid JSON"),
    ("[1, 2]", "line 2: a row is a JSON object"),
    ({"answer": "x"}, "line 2: column 'question' is missing or empty"),
    ({"question": "x", "answer": "  "}, "line 2: column 'answer' is missing or empty"),
    ({"question": "x", "answer": 3}, "line 2: column 'answer' should be text, not int"),
    (GOOD | {"reasonning": "x"}, "line 2: column 'reasonning' is not known. Did you mean 'reasoning'?"),
    (GOOD | {"trace": "a", "thinking": "b"}, "both hold a trace"),
    (GOOD | {"verifier": "numerik"}, "unknown verifier 'numerik'. Did you mean 'numeric'?"),
    (GOOD | {"options": "A or B"}, "column 'options' should be"),
    (GOOD | {"id": "mine-1"}, "'mine-1' is already used on line 1"),
]


@pytest.mark.parametrize(("line", "said"), BROKEN)
def test_a_broken_line_is_named(tmp_path: Path, line: object, said: str) -> None:
    with pytest.raises(LabError) as caught:
        read_jsonl(written(tmp_path, GOOD, line))
    assert "mine.jsonl line 2" in str(caught.value)
    assert said in str(caught.value)


def test_an_empty_file_a_missing_file_and_a_file_that_is_no_text_are_plain_errors(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="is empty"):
        read_jsonl(written(tmp_path, "", ""))
    with pytest.raises(LabError, match="does not exist"):
        read_jsonl(tmp_path / "none.jsonl")
    (tmp_path / "bytes.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LabError, match="not UTF-8"):
        read_jsonl(tmp_path / "bytes.jsonl")


def test_a_line_separator_inside_a_text_is_no_end_of_line(tmp_path: Path) -> None:
    (row,) = read_jsonl(written(tmp_path, json.dumps(GOOD | {"trace": "a\u2028b"}, ensure_ascii=False)))
    assert row.trace == "a\u2028b"


def test_a_dataset_is_found_by_name_or_by_path_and_a_typo_gets_a_near_miss(tmp_path: Path) -> None:
    assert resolve_dataset("demo-medical").name == "demo-medical"
    assert len(resolve_dataset(str(written(tmp_path, GOOD))).load()) == 1
    with pytest.raises(UnknownName, match="Did you mean 'demo-medical'"):
        resolve_dataset("demo-medicl")
    with pytest.raises(LabError, match="does not exist"):
        resolve_dataset(str(tmp_path / "other.jsonl"))


def test_checking_a_name_gives_faults_instead_of_raising() -> None:
    assert check_dataset_name("dataset", "demo-general") == []
    (fault,) = check_dataset_name("dataset", "demo-generall")
    assert fault.field == "dataset" and "Did you mean 'demo-general'" in fault.message


def test_the_verifiers_a_file_may_name_are_those_that_exist() -> None:
    assert set(VERIFIERS) == set(verifiers())
