"""`ratings …` and `ask` from the command line: what is printed, what is written, which exit code comes back."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from jobs import engines
from jobs.cli import asking
from jobs.cli.commands import main
from lab.engine.scripted import scripted_engine
from storage.database import Store, open_store
from storage.queries.rater_sessions import Verdict, rater_by_token, serve, submit
from storage.tables import Job
from tests.ui.seed_store import seed_store

TRACE, ANSWER = "demo-llama_demo-medical_trace_s0", "demo-llama_demo-medical_answer_s0"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("LAB_HOME", str(tmp_path))
    store = open_store(home=tmp_path)
    seed_store(store)
    return store


def rate_everything(store: Store, token: str) -> int:
    with store.read() as session:
        rater, _ = rater_by_token(session, token)
    count = 0
    while (served := serve(store, rater.id)) is not None:
        submit(store, rater.id, served.submit_key, Verdict(4, 3, "left"))
        count += 1
    return count


def test_a_round_is_made_rated_closed_and_exported(store: Store, tmp_path: Path, capsys) -> None:
    assert main(["ratings", "banks"]) == 0 and ANSWER in capsys.readouterr().out
    assert main(["ratings", "rounds"]) == 0 and "No round" in capsys.readouterr().out
    assert main(["ratings", "make", "1", ANSWER, TRACE, "--quota", "1"]) == 0
    assert re.search(r"round 1 is open: \d+ pairs", capsys.readouterr().out)
    assert main(["ratings", "invite", "1", "R1"]) == 0
    token = re.search(r"/rate/(r-\S+)", capsys.readouterr().out).group(1)
    rated = rate_everything(store, token)
    out = tmp_path / "out"
    assert main(["ratings", "export", "1", str(out)]) == 1 and "close" in capsys.readouterr().err.lower()
    assert main(["ratings", "close", "1"]) == 0
    assert main(["ratings", "export", "1", str(out), "--blinded"]) == 0
    text = (out / "ratings.csv").read_text(encoding="utf-8-sig")
    assert len(list(csv.DictReader(io.StringIO(text)))) == rated > 0
    everything = "".join(path.read_text(encoding="utf-8-sig") for path in out.iterdir())
    assert TRACE not in everything and ANSWER not in everything  # though the round's own name holds both


def test_a_round_of_models_that_are_not_in_the_bank_lists_every_fault(store: Store, capsys) -> None:
    assert main(["ratings", "make", "1", "nobody", "noone", "--quota", "0"]) == 2
    said = capsys.readouterr().err
    assert "quota" in said


def test_ask_prints_every_answer_and_an_error_fails_the_command(store: Store, monkeypatch, capsys) -> None:
    monkeypatch.setattr(asking, "spawn_worker", lambda settings: None)
    with scripted_engine("demo-llama") as url:
        with store.write() as session:
            job = Job(uid="e-demo", kind="engine", slots=0, name="engine", spec={"base": "demo-llama"},
                      state="running", facts={"url": url})
            session.add(job)
        monkeypatch.setattr(engines, "ensure_engine", lambda store, base: job)
        assert main(["ask", "How much?", "demo-llama", f"variant:{TRACE}", "--json"]) == 0
        answers = json.loads(capsys.readouterr().out)
        assert set(answers) == {"demo-llama", TRACE} and answers[TRACE]["think_text"]
        assert main(["ask", "How much? [fail]", "demo-llama", "--thinking"]) == 1


def test_ask_names_every_unknown_model_at_once(store: Store, capsys) -> None:
    assert main(["ask", "How much?", "demo-lama", f"variant:{TRACE}x"]) == 2
    said = capsys.readouterr().err
    assert "Did you mean 'demo-llama'" in said and f"Did you mean '{TRACE}'" in said
