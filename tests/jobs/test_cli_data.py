"""`python -m jobs data …`: listing, looking at, checking and importing datasets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobs.cli.commands import main
from jobs.own_files import check_own_files, with_full_paths
from lab.data.dataset import datasets
from lab.data.pairs import pair_sets
from lab.training.specs import SftSpec
from tests.data.rows import MADE, write


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["data", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_list_has_every_set_with_its_licence(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "list")
    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert set(datasets()) | set(pair_sets()) <= set(lines)
    assert "gpl-3.0" in lines["medthoughts-8k"] and "23,493" in lines["m23k"]
    cards = json.loads(said(capsys, "list", "--json")[1])
    assert {card["name"] for card in cards} == set(datasets()) | set(pair_sets())


def test_a_card_is_shown_with_rows_or_with_why_there_are_none(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = MADE["s1k-1.1"]
    write(tmp_path, made.file, made.rows)
    code, out, _ = said(capsys, "show", f"s1k-1.1@{tmp_path}", "--rows", "1")
    assert code == 0 and "How many primes" in out and "mit" in out
    code, out, _ = said(capsys, "show", f"s1k-1.1@{tmp_path / 'data'}[:1]", "--rows", "1")
    assert code == 0 and "How many primes" in out
    code, out, _ = said(capsys, "show", "demo-pairs", "--rows", "1")
    assert code == 0 and "rejected_trace" in out
    code, _, err = said(capsys, "show", "demo-pear")
    assert code == 2 and "Did you mean" in err


def test_checking_counts_what_is_left_out(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    made = MADE["medthoughts-8k"]
    write(tmp_path, made.file, [*made.rows, *made.without.values()])
    code, out, _ = said(capsys, "check", f"medthoughts-8k@{tmp_path}")
    assert code == 0 and "2 rows, 3 left out" in out and "1 x no trace" in out and "2 with options" in out
    counts = json.loads(said(capsys, "check", f"medthoughts-8k@{tmp_path}", "--json")[1])
    assert counts["rows"] == 2 and counts["skipped"]["no answer"] == 1


def test_importing_keeps_a_file_that_a_training_can_name(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, home: Path
) -> None:
    source = write(tmp_path, "mine.jsonl", [{"Frage": "1+1?", "Weg": "t", "Antwort": "2"}, {"Frage": "x"}])
    mapping = ("--map", "question=Frage", "--map", "answer=Antwort", "--map", "trace=Weg")
    code, out, _ = said(capsys, "import", str(source), *mapping, "--dry-run")
    assert code == 0 and "1 row would be kept, 1 left out" in out and not home.exists()
    code, out, _ = said(capsys, "import", str(source), *mapping, "--name", "May")
    (kept,) = (home / "uploads").glob("*.jsonl")
    assert code == 0 and kept.name.startswith("May-") and str(kept) in out and "line 2: no answer" in out
    assert "mine.jsonl" in said(capsys, "list")[1]
    assert said(capsys, "check", str(kept))[0] == 0


def test_a_wrong_mapping_is_a_fault_of_what_was_asked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    source = write(tmp_path, "mine.jsonl", [{"Frage": "1+1?", "Antwort": "2"}])
    code, _, err = said(capsys, "import", str(source), "--map", "question=Frag")
    assert code == 2 and "Did you mean 'Frage'" in err
    code, _, err = said(capsys, "import", str(source), "--map", "question")
    assert code == 2 and "FIELD=COLUMN" in err
    code, _, err = said(capsys, "check", str(tmp_path / "none.csv"))
    assert code == 1 and "does not exist" in err


def test_a_submitted_mixture_gets_full_paths_and_its_own_files_are_read_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "mine.jsonl", [{"question": "q", "answer": "a", "trace": "t"}, {"question": "q"}])
    values = with_full_paths({"base": "demo-llama", "dataset": "demo-general[:5] + mine.jsonl", "seed": 1})
    assert values["dataset"] == f"demo-general[:5] + {tmp_path}/mine.jsonl" and values["seed"] == 1
    spec = SftSpec.model_construct(**values)
    (fault,) = check_own_files(spec)
    assert fault.field == "dataset" and "line 2: column 'answer' is missing" in fault.message
