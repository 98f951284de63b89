"""`runs …` from the command line: what is printed, what is written, which exit code comes back."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jobs.cli.commands import main
from lab.benchmarks.scorers.scorer import Scorer, scorers
from lab.core.types import Example, Score
from storage.database import Store
from storage.queries.reviews import last_review
from storage.queries.scores import scores_of
from storage.tables import Study
from tests.storage.answered_runs import add_run, answer, cut, samples_of, unparsed, wrong
from tests.stores import new_store

ASKED = {"max_new_tokens": 128, "temperature": 0.0, "seed": 0}
ROWS = [answer("a", think_text="because " * 40), wrong("b", final_text="B, or so"), unparsed("c"), cut("d"),
        *(answer(f"x{i}") for i in range(16))]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("LAB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("LAB_DATABASE_URL", raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    return new_store(tmp_path / "home")


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> Scorer:
    def score(answered: Any, example: Example) -> Score:
        letter = answered.final_text.strip()[:1]
        read = letter if letter in (example.options or {}) else None
        return Score(correct=read == example.gold, parsed=read, rule="first letter")

    card = Scorer("lenient", "Lenient", "1", "Reads the first letter.", score)
    monkeypatch.setitem(scorers(), card.name, card)
    return card


def _run(store: Store, rows: Sequence[dict[str, Any]] = ROWS, **columns: Any) -> int:
    return add_run(store, rows, **{"settings": ASKED, **columns})


def _json(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_answers_are_shown_with_question_gold_and_what_was_read(store: Store, capsys) -> None:
    run = _run(store)
    assert main(["runs", "samples", str(run), "--only", "wrong"]) == 0
    said = capsys.readouterr().out
    assert "right is B" in said and "wrong, read as A (answer line)" in said and "B, or so" in said
    assert "not read: truncated" in said and "A) North" in said and "5 of" not in said
    assert main(["runs", "samples", str(run), "--limit", "1", "--lines", "2"]) == 0
    said = capsys.readouterr().out
    assert "[thought]" in said and "more lines" in said and "1 of 20; --limit shows more" in said
    assert all(len(line) <= 100 for line in said.splitlines())
    assert main(["runs", "samples", str(run), "--only", "forced"]) == 0 and "No such answer" in capsys.readouterr().out


def test_answers_of_two_runs_stand_side_by_side(store: Store, capsys) -> None:
    first, second = _run(store), _run(store, [wrong("a", "D", think_text="hm"), wrong("b"), answer("only here")],
                                      model_label="other")
    assert main(["runs", "samples", str(first), "--against", str(second), "--only", "differ"]) == 0
    said = capsys.readouterr().out
    assert f"run {first}: m" in said and f"run {second}: other" in said and "Answer: D" in said
    assert "right, read as B" in said and "wrong, read as D" in said and "sample" in said and "only here" not in said
    assert main(["runs", "samples", str(first), "--against", str(second), "--json"]) == 0
    told = _json(capsys)
    assert told["total"] == 2 and [pair["second"]["parsed"] for pair in told["pairs"]] == ["D", "A"]


def test_a_filter_or_a_run_that_is_not_there_is_an_error_of_the_command(store: Store, capsys) -> None:
    run = _run(store)
    assert main(["runs", "samples", str(run), "--only", "wrnog"]) == 2
    assert "Did you mean 'wrong'" in capsys.readouterr().err
    assert main(["runs", "samples", str(run), "--only", "wrong", "--against", str(run)]) == 2
    assert "a_only" in capsys.readouterr().err
    for command in (["samples", "99"], ["show", "99"], ["reviewed", "99"], ["export", "99"], ["curve", "99"],
                    ["rescore", "99", "--scorer", "strict"], ["compare", "99", str(run)]):
        assert main(["runs", *command]) == 2, command
        assert "there is no benchmark run 99" in capsys.readouterr().err


def test_a_run_is_scored_again_and_shown_with_both_verdicts(store: Store, lenient: Scorer, capsys) -> None:
    run = _run(store)
    assert main(["runs", "rescore", str(run), "--scorer", "lenient"]) == 0
    said = capsys.readouterr().out
    assert "lenient 1" in said and "n=20" in said
    assert main(["runs", "rescore", str(run), "--scorer", "lenient", "--json"]) == 0
    (score,) = _json(capsys)["scores"]
    assert (score["run_id"], score["n_correct"], score["figures"]["only_new"]) == (run, 1, 1)
    assert main(["runs", "rescore", str(run), "--scorer", "lenientt"]) == 2
    assert "Did you mean 'lenient'" in capsys.readouterr().err
    assert main(["runs", "rescore", "mine", "--scorer", "lenient"]) == 2
    assert "not the number of a run" in capsys.readouterr().err
    assert main(["runs", "show", str(run)]) == 0
    said = capsys.readouterr().out
    assert "other readings of the same answers" in said and "lenient 1" in said and "85.0 %" in said


def test_a_study_is_scored_again_and_a_run_that_cannot_be_fails_the_command(
    store: Store, lenient: Scorer, capsys
) -> None:
    with store.write() as session:
        session.add(Study(id=1, name="s"))
    run, weighed = _run(store, study_id=1), _run(store, study_id=1, mode="likelihood-plain")
    assert main(["runs", "rescore", "study:1", "--scorer", "lenient"]) == 1
    said = capsys.readouterr().out
    assert f"run {weighed} (m, b)" in said and "likelihood" in said
    with store.read() as session:
        assert len(scores_of(session, run)) == 1
    assert main(["runs", "rescore", "study:x", "--scorer", "lenient"]) == 2


def test_only_a_newer_version_of_the_runs_scorer_is_adopted(
    store: Store, lenient: Scorer, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = _run(store)
    assert main(["runs", "rescore", str(run), "--scorer", "lenient", "--adopt"]) == 1
    assert "only a newer version of the same scorer" in capsys.readouterr().out
    monkeypatch.setitem(scorers(), "strict", replace(lenient, name="strict", version="9"))
    assert main(["runs", "rescore", str(run), "--scorer", "strict", "--adopt"]) == 0
    assert f"run {run} has these verdicts as its own now" in capsys.readouterr().out
    assert main(["runs", "show", str(run), "--json"]) == 0
    told = _json(capsys)
    assert (told["scorer_version"], told["n_correct"]) == ("9", 1)
    assert {score["scorer_version"]: score["figures"].get("was_own") for score in told["scores"]
            if score["scorer"] == "strict"} == {"9": None, "1": True}


def test_what_an_answer_says_is_kept_without_a_dialogue(store: Store, capsys) -> None:
    run = _run(store)
    samples = {sample.item_id: sample.id for sample in samples_of(store, run)}
    assert main(["runs", "review", str(run), "--as", "R1", "--sample", str(samples["a"]), "--said", "south"]) == 0
    assert "The scorer read B (answer line): the same. Right is B." in capsys.readouterr().out
    assert main(["runs", "review", str(run), "--as", "R1", "--sample", str(samples["b"]), "--said", "none",
                 "--note", "hedged"]) == 0
    assert "kept: no answer" in capsys.readouterr().out
    with store.read() as session:
        last = last_review(session, run, "R1")
    assert (last.said, last.note, last.agrees) == (None, "hedged", False)
    assert main(["runs", "review", str(run), "--as", "R1", "--said", "B"]) == 2
    assert "--sample" in capsys.readouterr().err
    assert main(["runs", "review", str(run), "--as", "R1", "--sample", str(samples["a"]), "--said", "Z"]) == 2
    assert "one of A, B, C, D" in capsys.readouterr().err
    assert main(["runs", "review", str(_run(store)), "--as", "R1", "--sample", str(samples["a"]), "--said", "B"]) == 2
    assert "has no sample" in capsys.readouterr().err


def test_a_dialogue_asks_one_answer_after_another_and_goes_back(store: Store, capsys, monkeypatch) -> None:
    run = _run(store, [answer("a"), unparsed("b"), wrong("c")])
    typed = iter(["Z", "", "B", ":u", "C", "none"])
    shown: list[str] = []

    def ask(prompt: str) -> str:
        shown.append(capsys.readouterr().out)
        return next(typed, ":q")

    monkeypatch.setattr("builtins.input", ask)
    assert main(["runs", "review", str(run), "--as", "R1"]) == 0
    assert "0 of 3 read" in shown[0] and "Right is" not in shown[0] and "read as" not in shown[0]
    assert "is no answer to this question" in shown[1] and "is empty" in shown[2] and "kept: B" in shown[3]
    assert "kept: C" in shown[5]  # in the place of the B that was taken back
    assert "kept: no answer" in shown[6]
    assert main(["runs", "reviewed", str(run), "--json"]) == 0
    told = _json(capsys)
    assert told["n_read"] == told["rate"]["n"] == 2 and told["rate"]["low"] < told["rate"]["estimate"] == 1


def test_reading_the_whole_draw_gives_the_extraction_error(store: Store, capsys, monkeypatch) -> None:
    run = _run(store, [answer("a"), unparsed("b"), wrong("c"), cut("d")])
    monkeypatch.setattr("builtins.input", lambda prompt: "B")
    assert main(["runs", "review", str(run), "--as", "R1"]) == 0
    assert "All answers of the draw are read" in capsys.readouterr().out
    assert main(["runs", "reviewed", str(run)]) == 0
    said = capsys.readouterr().out
    assert "extraction error: 66.7 %" in said and "1 cut at the budget" in said and "answer line" in said
    assert "accuracy as scored: 25.0 %" in said and "with people's readings where there are some: 75.0 %" in said

    def closed(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", closed)
    assert main(["runs", "review", str(run), "--as", "R2"]) == 0
    assert main(["runs", "review", str(run), "--as", "R2", "--sample", "1"]) == 0


def test_a_run_is_exported_with_all_that_was_made_of_its_answers(
    store: Store, lenient: Scorer, tmp_path: Path, capsys
) -> None:
    run = _run(store)
    first = samples_of(store, run)[0]
    main(["runs", "rescore", str(run), "--scorer", "lenient"])
    main(["runs", "review", str(run), "--as", "R1", "--sample", str(first.id), "--said", "B"])
    capsys.readouterr()
    to = tmp_path / "run.json"
    assert main(["runs", "export", str(run), "-o", str(to)]) == 0
    told = json.loads(to.read_text())
    assert told["run"]["id"] == run and len(told["samples"]) == 20 and told["scores"][0]["scorer"] == "lenient"
    assert told["samples"][0]["final_text"] == first.final_text
    assert told["samples"][0]["scores"]["lenient 1"]["rule"] == "first letter"
    assert told["samples"][0]["reviews"][0] | {"created_at": ""} == {
        "reviewer": "R1", "said": "B", "agrees": True, "note": "", "created_at": ""}
    assert main(["runs", "export", str(run), "-o", str(to)]) == 2 and "is there already" in capsys.readouterr().err
    assert main(["runs", "export", str(run), "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 20 and rows[1]["lenient 1: correct"] == "True" and rows[1]["parsed"] == "A"
