"""`comparisons` from the command line: listed, shown, exported, frozen for raters, deleted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobs.cli.commands import main
from storage.database import Store
from storage.queries.comparisons import Turn, add_turn, save_comparison, vote
from storage.tables import AnswerBank
from tests.storage.test_comparisons import BASE, TRACE, ask, said


@pytest.fixture
def store(any_store: Store) -> Store:
    return any_store


@pytest.fixture
def saved(store: Store) -> str:
    """A saved comparison of two questions; its uid."""
    uid = ask(store, "Why is it so?")
    with store.write() as session:
        answers = said("second one", "second two")
        answers[0] |= {"thought": "let me see"}
        answers[1] |= {"error": "the engine went away", "phase": "failed"}
        add_turn(session, uid, Turn("And then?", answers=answers))
        vote(session, uid, 0, {"best": 1})
        save_comparison(session, uid, "Fever")
    return uid


def test_saved_ones_are_listed_and_drafts_when_asked_for(store: Store, saved: str, capsys) -> None:
    draft = ask(store, "Draft?")
    assert main(["comparisons"]) == 0
    listed = capsys.readouterr().out
    assert saved in listed and "Fever" in listed and f"{BASE}, {TRACE}" in listed and draft not in listed
    assert main(["comparisons", "--drafts", "--limit", "1"]) == 0 and "1 of 2" in capsys.readouterr().out
    assert main(["comparisons", "--search", "nothing like it"]) == 0
    assert "No saved comparison" in capsys.readouterr().out
    assert main(["comparisons", "--json"]) == 0
    assert [one["uid"] for one in json.loads(capsys.readouterr().out)] == [saved]


def test_one_is_shown_question_by_question(saved: str, capsys) -> None:
    assert main(["comparisons", "show", saved]) == 0
    shown = capsys.readouterr().out
    assert shown.index("# Why is it so?") < shown.index("# And then?") and f"## {TRACE}\nfailed: the engine" in shown
    assert 'vote: {"best": 1}' in shown and f"/compare?c={saved}" in shown and "let me see" not in shown
    assert main(["comparisons", "show", saved, "--thinking"]) == 0
    assert "[thinking]\nlet me see\n[answer]\nsecond one" in capsys.readouterr().out


def test_one_is_exported_whole_and_no_file_is_written_over(saved: str, tmp_path: Path, capsys) -> None:
    file = tmp_path / "fever.json"
    assert main(["comparisons", "export", saved, "--to", str(file)]) == 0
    told = json.loads(file.read_text(encoding="utf-8"))
    assert (told["uid"], told["title"], len(told["turns"])) == (saved, "Fever", 2)
    assert told["turns"][0]["answers"][1]["stats"]["final_text"] == "two Why is it so?" and "id" not in told
    assert main(["comparisons", "export", saved, "--to", str(file)]) == 2
    assert main(["comparisons", "export", saved, "--to", str(tmp_path / "no" / "x.json")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_they_become_a_bank_and_a_deleted_one_leaves_it(store: Store, saved: str, capsys) -> None:
    other = ask(store, "Another?")
    assert main(["comparisons", "bank", "Asked by hand", saved, other]) == 0
    assert "holds 2 questions" in (told := capsys.readouterr().out) and "ratings make 1" in told
    assert main(["ratings", "make", "1", BASE, TRACE]) == 0 and "round 1 is open: 2 units" in capsys.readouterr().out
    assert main(["comparisons", "delete", other]) == 0
    assert main(["comparisons", "delete", other]) == 2 and "no comparison" in capsys.readouterr().err
    with store.read() as session:
        assert session.get(AnswerBank, 1).name == "Asked by hand"


def test_a_bank_that_cannot_be_is_refused_with_its_faults(store: Store, saved: str, capsys) -> None:
    assert main(["comparisons", "bank", "", saved, "nothing"]) == 2
    assert main(["comparisons", "bank", " ", saved]) == 2
    assert "name: should have 1 to" in capsys.readouterr().err
