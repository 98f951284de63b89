"""`ratings pairs`: what is printed, what is kept, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobs.cli.commands import main
from lab.data.pairs import resolve_pairs
from storage.database import Store
from storage.queries.rounds import close_round
from tests.rating.rounds import join, make_round, rate_all
from tests.stores import new_store


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """With a round of six units that one person has rated."""
    monkeypatch.setenv("LAB_HOME", str(tmp_path))
    opened = new_store(tmp_path)
    made = make_round(opened, quota=1)
    rate_all(opened, join(opened, made.id, "R1")[0])
    return opened


def test_an_open_round_is_refused_with_the_command_that_closes_it(store: Store, capsys) -> None:
    assert main(["ratings", "pairs", "1"]) == 1
    assert "python -m jobs ratings close 1" in capsys.readouterr().err


def test_pairs_are_looked_at_kept_and_can_be_trained_on(store: Store, tmp_path: Path, capsys) -> None:
    close_round(store, 1)
    assert main(["ratings", "pairs", "1"]) == 1
    assert "too few votes: 6" in capsys.readouterr().err
    assert main(["ratings", "pairs", "1", "--min-votes", "1", "--dry-run"]) == 0
    assert "6 pairs of 6 units, from 6 votes" in capsys.readouterr().out
    assert not (tmp_path / "datasets").exists()
    assert main(["ratings", "pairs", "1", "--min-votes", "1", "--name", "clear ones"]) == 0
    said = capsys.readouterr().out
    (path,) = (tmp_path / "datasets").glob("*.jsonl")
    assert path.name.startswith("clear-ones-") and f"kind: dpo, pairs: {path}" in said and "words on average" in said
    assert len(resolve_pairs(str(path)).load()) == 6


def test_the_counts_come_as_json(store: Store, capsys) -> None:
    close_round(store, 1)
    assert main(["ratings", "pairs", "1", "--min-votes", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["n_pairs"], told["outcomes"]["kept"], told["rule"]["least_votes"]) == (6, 6, 1)
    assert Path(told["path"]).is_file() and told["lengths"]["n"] == 6


def test_a_share_that_is_no_majority_is_refused(store: Store, capsys) -> None:
    close_round(store, 1)
    assert main(["ratings", "pairs", "1", "--agreement", "0.4"]) == 2
    assert "above 0.5" in capsys.readouterr().err
