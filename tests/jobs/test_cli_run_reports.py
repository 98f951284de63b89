"""`runs list`, `compare`, `leaderboard` and `curve` from the command line."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from jobs.cli.commands import main
from storage.database import Store
from storage.tables import Study
from tests.storage.answered_runs import add_run, answer, cut, job_of, unparsed, wrong
from tests.stores import new_store

ASKED = {"max_new_tokens": 128, "temperature": 0.0, "seed": 0}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("LAB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("LAB_DATABASE_URL", raising=False)
    return new_store(tmp_path / "home")


def _rows(n: int, n_right: int) -> list[dict[str, Any]]:
    return [answer(f"q{i}") if i < n_right else wrong(f"q{i}") for i in range(n)]


def _run(store: Store, rows: list[dict[str, Any]], label: str, **columns: Any) -> int:
    return add_run(store, rows, **{"model_label": label, "settings": ASKED, **columns})


def _curve(store: Store, label: str) -> int:
    """A run of 20 questions with a curve: right in 16 with all tokens, in 4 where it was cut, in 12 where closed."""
    main_run = _run(store, _rows(20, 16), label, arm="trace")
    job = job_of(store, main_run)
    for way, right in (("cut", 4), ("forced", 12)):
        rows = [answer(f"q{i}") if i < right else cut(f"q{i}") if way == "cut" else wrong(f"q{i}") for i in range(20)]
        settings = ASKED | ({"max_new_tokens": 16} if way == "cut" else {"max_think_tokens": 16, "max_new_tokens": 80})
        _run(store, rows, label, arm="trace", job_id=job, part=f"{way} 16", settings=settings,
             figures={"curve": {"of": "", "way": way, "budget": 16}})
    return main_run


def test_runs_are_listed_newest_first_without_the_points_of_curves(store: Store, capsys) -> None:
    with store.write() as session:
        session.add(Study(id=1, name="s"))
    curve = _curve(store, "thinker")
    other = _run(store, [answer("a"), unparsed("b")], "other", study_id=1, benchmark="c")
    assert main(["runs", "list"]) == 0
    said = capsys.readouterr().out
    assert re.findall(r"^ *(\d+) ", said, re.M) == [str(other), str(curve)]
    assert "80.0 % [58.4, 91.9] n=20" in said and "strict 1" in said
    assert main(["runs", "list", "--all"]) == 0
    said = capsys.readouterr().out
    assert "[cut 16]" in said and "[forced 16]" in said
    for chosen in (["--benchmark", "c"], ["--study", "1"], ["--model", "oth"]):
        assert main(["runs", "list", *chosen, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["total"], [run["id"] for run in told["runs"]]) == (1, [other])
    assert main(["runs", "list", "--limit", "1"]) == 0 and "1 of 2; --limit shows more" in capsys.readouterr().out
    assert main(["runs", "list", "--model", "nobody"]) == 0 and "No benchmark run" in capsys.readouterr().out


def test_two_runs_are_compared_on_the_same_questions(store: Store, capsys) -> None:
    first, second = _run(store, _rows(40, 30), "first"), _run(store, _rows(40, 18), "second")
    assert main(["runs", "compare", str(first), str(second)]) == 0
    said = capsys.readouterr().out
    assert "+30.0 points [" in said and "n=40" in said and "12 the first, 0 the second" in said
    assert "exact McNemar" in said and "better" in said and "points or more, with 80 % power" in said
    assert main(["runs", "compare", str(first), str(second), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["difference"] == pytest.approx(0.3) and told["test"] == "exact McNemar"
    assert told["p"] == pytest.approx(2 * 0.5**12) and told["first_run"] == first


def test_runs_that_were_asked_otherwise_are_not_compared(store: Store, capsys) -> None:
    first = _run(store, _rows(4, 3), "first")
    for other in ({"settings": ASKED | {"max_new_tokens": 64}}, {"benchmark": "c"}):
        second = _run(store, _rows(4, 2), "second", **other)
        assert main(["runs", "compare", str(first), str(second)]) == 2
        assert "cannot be compared: different" in capsys.readouterr().err


def test_the_leaderboard_ranks_within_each_benchmark_and_in_every_format(store: Store, tmp_path: Path, capsys) -> None:
    for benchmark in ("b", "c"):
        for label, right in (("strong", 38), ("strong-too", 37), ("weak", 4)):
            _run(store, _rows(40, right), label, benchmark=benchmark)
    assert main(["runs", "leaderboard"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"1–2\s+strong ", said) and re.search(r"3\s+weak", said) and "mean over the benchmarks" in said
    assert main(["runs", "leaderboard", "--benchmark", "c"]) == 0
    one = capsys.readouterr().out
    assert one.startswith("c 1") and "mean over" not in one
    assert main(["runs", "leaderboard", "--benchmark", "c", "--benchmark", "b"]) == 0
    assert "mean over the benchmarks" in capsys.readouterr().out
    signs = {"markdown": "| strong", "latex": r"\begin{tabular}", "csv": "strong,", "json": '"strong"'}
    for name, sign in signs.items():
        to = tmp_path / f"board.{name}"
        assert main(["runs", "leaderboard", "--format", name, "-o", str(to)]) == 0
        assert sign in to.read_text(), name
    json.loads((tmp_path / "board.json").read_text())
    assert main(["runs", "leaderboard", "--study", "5"]) == 0 and "No benchmark run yet" in capsys.readouterr().out


def test_a_curve_shows_what_the_budget_did(store: Store, tmp_path: Path, capsys) -> None:
    run = _curve(store, "thinker")
    assert main(["runs", "curve", str(run)]) == 0
    said = capsys.readouterr().out
    assert re.search(r"16\s+cut\s+20.0 % \[.*n=20\s+80.0 %", said) and "closed by force" in said
    assert "left alone" in said and "80.0 % [58.4, 91.9] n=20" in said
    assert main(["runs", "show", str(run)]) == 0 and "budget curve" in capsys.readouterr().out
    other = _curve(store, "twin")
    assert main(["runs", "curve", str(run), str(other)]) == 0
    said = capsys.readouterr().out
    assert "thinker" in said and "twin" in said and said.count("0.0  [") >= 3
    to = tmp_path / "curve.csv"
    assert main(["runs", "curve", str(run), "--format", "csv", "-o", str(to)]) == 0
    assert len(list(csv.DictReader(io.StringIO(to.read_text())))) == 3
    for name in ("markdown", "latex", "json"):
        assert main(["runs", "curve", str(run), "--format", name]) == 0 and capsys.readouterr().out


def test_a_run_without_a_curve_and_three_runs_are_refused(store: Store, capsys) -> None:
    run = _run(store, _rows(4, 2), "plain")
    assert main(["runs", "curve", str(run)]) == 2 and "no budget curve" in capsys.readouterr().err
    assert main(["runs", "curve", "1", "2", "3"]) == 2 and "two runs" in capsys.readouterr().err
