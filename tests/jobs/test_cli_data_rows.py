"""`python -m jobs data …` for rows: browsing, reviewing, versions, lineage, datasheets, funnels, exports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobs.cli.commands import main
from lab.data.jsonl import read_jsonl, write_rows
from lab.data.keeping import keep_made
from lab.data.made import made_of
from lab.data.resolving import resolve_dataset
from storage.database import open_store
from storage.tables import Job
from tests.data.noted_rows import NOTES, example

FUNNEL = {"stages": [{"name": "problems", "n": 8}, {"name": "solved", "n": 4}], "n_open": 1,
          "dropped": [{"stage": "problems", "outcome": "never solved", "n": 3, "items": ["x", "y"]}],
          "solved": [{"attempt": 1, "depth": 2, "n": 4}]}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def made(tmp_path: Path, home: Path) -> str:
    write_rows(tmp_path / "x.jsonl", [example(number) for number in range(4)], NOTES)
    return keep_made(home / "datasets", tmp_path / "x.jsonl", {
        "name": "complex", "title": "Complex", "kind": "rows", "by": "reasoning", "funnel": FUNNEL}).stem


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["data", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_rows_are_searched_filtered_and_sorted(capsys: pytest.CaptureFixture[str], made: str) -> None:
    code, out, _ = said(capsys, "rows", made, "--only", "department=Surgery", "--sort=-complexity")
    assert code == 0 and out.index("row-0") < out.index("row-2") and "row-1" not in out and "2 of 4 rows" in out
    code, out, _ = said(capsys, "rows", made, "what is 2+1", "--full")
    assert code == 0 and "row-2" in out and "That is all." in out and "row-0" not in out
    found = json.loads(said(capsys, "rows", made, "--only", "quality=8..", "--except", "depth=3", "--json")[1])
    assert [row["row"]["id"] for row in found["rows"]] == ["row-0"] and found["facets"]["department"] == {"Surgery": 1}
    code, out, _ = said(capsys, "rows", "demo-medical", "--per-page", "2", "--page", "3")
    assert code == 0 and "2,400 of 2,400 rows; page 3 of 1200" in out


def test_a_filter_that_says_nothing_is_named(capsys: pytest.CaptureFixture[str], made: str) -> None:
    code, _, err = said(capsys, "rows", made, "--only", "departmnt=x", "--only", "quality=high", "--only", "trace")
    assert code == 2 and "3 faults" in err and "Did you mean 'department'" in err and "write 7..10" in err
    code, _, err = said(capsys, "rows", made, "--sort", "qualty")
    assert code == 2 and "Did you mean 'quality'" in err


def test_grades_are_drawn_whole_and_by_department(capsys: pytest.CaptureFixture[str], made: str) -> None:
    code, out, _ = said(capsys, "grades", made)
    assert code == 0 and "quality: n=3, 1 without, mean 7.33, median 8" in out and "Urology: 1" in out
    code, out, _ = said(capsys, "grades", made, "--by", "department")
    assert code == 0 and "quality (Surgery): n=2" in out
    counted = json.loads(said(capsys, "grades", made, "--by", "style", "--json")[1])
    assert counted["n"] == 4 and counted["by"]["quality"]["complex"]["n"] == 2
    assert said(capsys, "grades", made, "--by", "wing")[0] == 2


def test_rows_are_reviewed_and_become_a_version_that_a_training_can_name(
    capsys: pytest.CaptureFixture[str], made: str, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "answer.txt").write_text("Three.\nAnswer: 3\n")
    assert said(capsys, "review", made, "approve", "row-0", "row-3", "--as", "Ana")[0] == 0
    assert said(capsys, "review", made, "reject", "row-1", "--note", "no question", "--as", "Ana")[0] == 0
    code, _, err = said(capsys, "review", made, "edit", "row-2", "--set", "answer=Answer: 9", "--as", "Ana")
    assert code == 2 and "no longer scores 1" in err
    assert said(capsys, "review", made, "edit", "row-2", "--set", f"answer=@{tmp_path / 'answer.txt'}",
                "--set", "trace=", "--as", "Ana")[0] == 0
    assert said(capsys, "review", made, "open", "row-3", "--as", "Ana")[0] == 0
    code, out, _ = said(capsys, "reviews", made)
    assert code == 0 and "1 approved, 1 edited, 1 rejected, 1 open" in out and "answer, trace" in out
    assert json.loads(said(capsys, "reviews", made, "--json")[1])["counts"]["n_rejected"] == 1
    assert "row-2" in said(capsys, "rows", made, "--only", "review=edited")[1]
    code, out, _ = said(capsys, "version", made)
    (kept,) = (home / "datasets").glob("complex-reviewed-*.jsonl")
    assert code == 0 and str(kept) in out and "1 edited" in out
    assert [(row.id, row.trace is None) for row in read_jsonl(kept)] == [
        ("row-0", False), ("row-2", True), ("row-3", False)]
    assert "2 rows" in said(capsys, "version", made, "--only-approved")[1]
    code, out, _ = said(capsys, "lineage", kept.stem)
    assert code == 0 and "made by review" in out.splitlines()[0] and "made by reasoning" in out.splitlines()[1]
    assert [link["depth"] for link in json.loads(said(capsys, "lineage", kept.stem, "--json")[1])] == [0, 1]
    assert "Made here" in said(capsys, "list")[1]


def test_a_further_edit_adds_to_the_first_and_a_row_is_approved_as_edited(
    capsys: pytest.CaptureFixture[str], made: str, home: Path
) -> None:
    for word in ("question=How many?", "trace=counted"):
        assert said(capsys, "review", made, "edit", "row-0", "--set", word, "--as", "Ana")[0] == 0
    assert said(capsys, "review", made, "approve", "row-0", "--as", "Bo")[0] == 0
    assert said(capsys, "version", made)[0] == 0
    (kept,) = (home / "datasets").glob("complex-reviewed-*.jsonl")
    first = read_jsonl(kept)[0]
    assert (first.question, first.trace) == ("How many?", "counted")


def test_wrong_reviews_are_refused(capsys: pytest.CaptureFixture[str], made: str) -> None:
    assert "has no row 'row-9'" in said(capsys, "review", made, "approve", "row-9", "--as", "Ana")[2]
    assert said(capsys, "review", made, "edit", "row-0", "--as", "Ana")[0] == 2
    assert said(capsys, "review", made, "approve", "row-0", "--set", "gold=3", "--as", "Ana")[0] == 2
    assert said(capsys, "review", made, "edit", "row-0", "row-1", "--set", "gold=3", "--as", "Ana")[0] == 2
    assert "cannot be edited" in said(capsys, "review", made, "edit", "row-0", "--set", "id=x", "--as", "Ana")[2]
    assert "Nothing was said" in said(capsys, "reviews", made)[1]
    code, _, err = said(capsys, "version", made)
    assert code == 2 and "no row of it has been reviewed" in err


def test_a_funnel_is_that_of_the_dataset_or_of_the_job(capsys: pytest.CaptureFixture[str], made: str) -> None:
    code, out, _ = said(capsys, "funnel", made)
    assert code == 0 and "50.0 %" in out and "never solved" in out and "1 not ended" in out
    with open_store().write() as session:
        known = {"funnel": FUNNEL}
        for uid, result, facts in (("done", known, {}), ("runs", None, known), ("other", {}, {})):
            session.add(Job(uid=uid, kind="reasoning", name=uid, spec={}, folder=uid, result=result, facts=facts))
    for uid in ("done", "job:runs"):
        assert json.loads(said(capsys, "funnel", uid, "--json")[1]) == FUNNEL
    assert "has no funnel" in said(capsys, "funnel", "other")[2]
    assert said(capsys, "funnel", "nothing")[0] == 2


def test_a_datasheet_is_printed_or_written(capsys: pytest.CaptureFixture[str], made: str, tmp_path: Path) -> None:
    assert "# Datasheet: Complex" in said(capsys, "sheet", made)[1]
    assert said(capsys, "sheet", "demo-medical", "--to", str(tmp_path / "s.md"))[0] == 0
    assert "2,400 rows" in (tmp_path / "s.md").read_text()


def test_an_export_goes_through_the_registered_reader_and_says_what_was_left_out(
    capsys: pytest.CaptureFixture[str], made: str, tmp_path: Path, home: Path
) -> None:
    said(capsys, "review", made, "reject", "row-1", "--as", "Ana")
    target = tmp_path / "out"
    code, out, _ = said(capsys, "export", made, str(target), "--schema", "medical-o1-sft", "--reviewed",
                        "--except", "department=none")
    assert code == 0 and "2 rows in" in out and "1 left out: rejected" in out and "have something in 'notes'" in out
    assert [row.trace for row in resolve_dataset(f"medical-o1-sft@{target}").load()] == [
        example(0).trace, example(2).trace]
    assert "## This export" in (target / "README.md").read_text()
    code, _, err = said(capsys, "export", made, str(target), "--schema", "medical-o1-sft")
    assert code == 2 and "is there already" in err
    told = json.loads(said(capsys, "export", made, str(tmp_path / "all.csv"), "--json")[1])
    assert told["rows"] == 4 and told["left_out"] == {}
    assert made_of(home / "datasets" / f"{made}.jsonl")
