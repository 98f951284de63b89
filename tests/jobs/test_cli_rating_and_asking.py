"""`ratings …` and `ask` from the command line: what is printed, what is written, which exit code comes back."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from sqlmodel import select

from jobs import engines
from jobs.cli import asking
from jobs.cli.commands import main
from lab.engine.scripted import scripted_engine
from lab.rating.verdicts import Verdict
from storage.database import Store, open_store
from storage.queries.rater_entry import consent, rater_by_token, start, where
from storage.queries.rater_sessions import submit
from storage.tables import Job, Rater, Round
from tests.ui.seed_store import seed_store

TRACE, ANSWER = "demo-llama_demo-medical_trace_s0", "demo-llama_demo-medical_answer_s0"
PLAIN = ("practice=false", "about=false", "guesses=0", "repeat_share=0", "gold_every=0")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("LAB_HOME", str(tmp_path))
    store = open_store(home=tmp_path)
    seed_store(store)
    return store


def rate_everything(store: Store, token: str) -> int:
    with store.read() as session:
        rater = rater_by_token(session, token)[0].id
    consent(store, rater, agreed=True)
    start(store, rater)
    count = 0
    while (served := where(store, rater).unit) is not None:
        submit(store, rater, served.submit_key, Verdict(4, 3, "left", visible_ms=9000))
        count += 1
    return count


def token_in(text: str) -> str:
    return re.search(r"/rate/(r-[0-9a-f]+)", text).group(1)


def test_a_round_is_made_rated_closed_and_exported(store: Store, tmp_path: Path, capsys) -> None:
    assert main(["ratings", "banks"]) == 0 and ANSWER in capsys.readouterr().out
    assert main(["ratings", "rounds"]) == 0 and "No round" in capsys.readouterr().out
    assert main(["ratings", "make", "1", ANSWER, TRACE, *PLAIN, "--quota", "1"]) == 0
    assert re.search(r"round 1 is open: \d+ units", capsys.readouterr().out)
    assert main(["ratings", "invite", "1", "R1"]) == 0
    rated = rate_everything(store, token_in(capsys.readouterr().out))
    assert main(["ratings", "quality", "1"]) == 0 and "R1" in capsys.readouterr().out
    out = tmp_path / "out"
    for command in (["export", "1", str(out)], ["results", "1"]):
        assert main(["ratings", *command]) == 1 and "close" in capsys.readouterr().err.lower()
    assert main(["ratings", "close", "1"]) == 0
    assert main(["ratings", "export", "1", str(out), "--blinded"]) == 0
    text = (out / "ratings.csv").read_text(encoding="utf-8-sig")
    assert len(list(csv.DictReader(io.StringIO(text)))) == rated > 0
    everything = "".join(path.read_text(encoding="utf-8-sig") for path in out.iterdir())
    assert TRACE not in everything and ANSWER not in everything  # though the round's own name holds both
    assert main(["ratings", "export", "1", str(tmp_path / "all"), "--zip"]) == 0
    assert (tmp_path / "all" / "round-1.zip").is_file()
    capsys.readouterr()
    assert main(["ratings", "results", "1"]) == 0
    said = capsys.readouterr().out
    assert f"{TRACE} against {ANSWER}" in said and f"{rated} ratings" in said and "preferred in" in said
    assert main(["ratings", "results", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"]["n_ratings"] == rated


def test_a_design_is_previewed_and_made_with_changes(store: Store, capsys) -> None:
    changes = ["bank=1", f"models=['{ANSWER}', '{TRACE}']", "quota=2"]
    assert main(["ratings", "preview", "docs/guide/round.yaml", *changes]) == 0
    said = capsys.readouterr().out
    assert "2 ratings each" in said and "style alone" in said or "units of" in said
    with store.read() as session:
        assert session.get(Round, 1) is None
    assert main(["ratings", "make", "docs/guide/round.yaml", *changes, "name=Mine"]) == 0
    capsys.readouterr()
    assert main(["ratings", "show", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["name"], told["design"]["quota"], told["models"]) == ("Mine", 2, [ANSWER, TRACE])
    assert main(["ratings", "show", "1"]) == 0 and "quota 2" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["make", "preview"])
def test_a_round_of_models_that_are_not_in_the_bank_lists_every_fault(store: Store, capsys, command) -> None:
    assert main(["ratings", command, "1", "nobody", "noone"]) == 2
    said = capsys.readouterr().err
    assert "'nobody' gave no answer" in said and "'noone' gave no answer" in said and ANSWER in said


def test_every_wrong_setting_is_told_at_once(store: Store, capsys) -> None:
    assert main(["ratings", "make", "1", "a", "a", "mood=1", "criteria=[clarty]", "--quota", "0"]) == 2
    said = capsys.readouterr().err
    assert "quota" in said and "mood: no such field" in said and "Did you mean 'clarity'" in said
    assert main(["ratings", "make", "docs/guide/round.yaml", "one", "two"]) == 2
    assert capsys.readouterr().err.count("a design names its models itself") == 2
    assert main(["ratings", "make", "lab/recipes/demo/study.yaml"]) == 2
    assert "kind: should be round" in capsys.readouterr().err


def test_people_are_invited_from_a_table_get_new_links_and_can_be_deleted(store: Store, tmp_path: Path, capsys) -> None:
    main(["ratings", "make", "1", ANSWER, TRACE, *PLAIN])
    (tmp_path / "list.csv").write_text("id,name\n1,Ana\n2,Bo\n")
    links = tmp_path / "links.csv"
    asked = ["ratings", "invite", "1", "--csv", str(tmp_path / "list.csv"), "--links", str(links)]
    assert main([*asked, "--url", "ftp://x"]) == 2 and "http" in capsys.readouterr().err
    assert main([*asked, "--url", "https://lab.example.org/"]) == 0
    rows = list(csv.DictReader(links.open()))
    assert [row["name"] for row in rows] == ["Ana", "Bo"]
    assert rows[0]["link"].startswith("https://lab.example.org/rate/r-") and "r-" not in capsys.readouterr().out
    assert main([*asked]) == 2 and "there already" in capsys.readouterr().err  # before anybody is invited twice
    assert main(["ratings", "link", "1", "Ana"]) == 0
    assert token_in(capsys.readouterr().out) != token_in(rows[0]["link"])
    assert main(["ratings", "trial", "1"]) == 0 and token_in(capsys.readouterr().out)
    assert main(["ratings", "revoke", "1", "Bo"]) == 0
    assert main(["ratings", "delete-rater", "1", "Ana"]) == 2 and "--yes" in capsys.readouterr().err
    assert main(["ratings", "delete-rater", "1", "Ana", "--yes"]) == 0
    with store.read() as session:
        assert {rater.code: rater.state for rater in session.exec(select(Rater)).all() if rater.kind != "trial"} == {
            "Bo": "revoked"}
    assert main(["ratings", "link", "1", "Ana"]) == 1 and "no rater 'Ana'" in capsys.readouterr().err


def test_a_round_goes_to_another_lab_and_its_votes_come_back(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    main(["ratings", "make", "1", ANSWER, TRACE, *PLAIN])
    sent, back = tmp_path / "sent.zip", tmp_path / "votes.zip"
    assert main(["ratings", "send", "1", str(sent)]) == 0
    monkeypatch.setenv("LAB_HOME", str(tmp_path / "away"))
    away = open_store(home=tmp_path / "away")
    assert main(["ratings", "receive", str(sent)]) == 0 and "round 1 is here" in capsys.readouterr().out
    assert main(["ratings", "unblind", "1", "--why", "curious"]) == 1 and "stays blind" in capsys.readouterr().err
    main(["ratings", "invite", "1", "R1"])
    rated = rate_everything(away, token_in(capsys.readouterr().out))
    assert main(["ratings", "votes", "1", str(back)]) == 0
    monkeypatch.setenv("LAB_HOME", str(tmp_path))
    for new in (rated, 0):
        capsys.readouterr()
        assert main(["ratings", "receive", str(back)]) == 0 and f"{new} new ratings" in capsys.readouterr().out
    back.write_bytes(back.read_bytes()[:-40])
    assert main(["ratings", "receive", str(back)]) == 1 and "not a whole ZIP" in capsys.readouterr().err
    assert main(["ratings", "receive", str(tmp_path / "no.zip")]) == 2
    away.close()


def test_unblinding_needs_a_reason_and_is_told(store: Store, capsys) -> None:
    main(["ratings", "make", "1", ANSWER, TRACE, *PLAIN])
    assert main(["ratings", "unblind", "1", "--why", " "]) == 2
    assert main(["ratings", "unblind", "1", "--why", "a deadline"]) == 0
    capsys.readouterr()
    assert main(["ratings", "results", "1"]) == 0 and "still open" in capsys.readouterr().out


def test_the_power_of_a_round_is_that_of_the_table_in_the_specification(capsys) -> None:
    assert main(["ratings", "power", "100", "3"]) == 0 and "10.2 points" in capsys.readouterr().out
    assert main(["ratings", "power", "100", "5", "--rho", "0.1", "--difference", "7.4"]) == 0
    said = capsys.readouterr().out
    assert "7.4 points from 50 %" in said and re.search(r"needs (9\d|10\d) questions", said)
    assert main(["ratings", "power", "0", "3"]) == 2


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
