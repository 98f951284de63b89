"""`users` from the command line: made, listed, given a new password, disabled, removed."""

from __future__ import annotations

import io
import json

import pytest

from jobs.cli import users
from jobs.cli.commands import WRONG, main
from storage.database import Store
from storage.queries.logins import log_in
from tests.stores import new_store

GOOD, OTHER = "four plain words here", "another four words"


@pytest.fixture
def store(tmp_path, monkeypatch, quick_hashes):
    monkeypatch.setenv("LAB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("LAB_DATABASE_URL", raising=False)
    opened = new_store(tmp_path / "home")
    yield opened
    opened.close()


def typed(monkeypatch, *lines: str) -> list[str]:
    """A person at a terminal who types these lines; what was asked."""
    asked, left = [], list(lines)

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return left.pop(0)

    monkeypatch.setattr(users.getpass, "getpass", answer)
    monkeypatch.setattr("sys.stdin", _Terminal())
    return asked


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def piped(monkeypatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_an_account_is_made_at_a_terminal_asked_twice(store: Store, monkeypatch, capsys) -> None:
    asked = typed(monkeypatch, GOOD, GOOD)
    assert main(["users", "add", "Ana"]) == 0
    out = capsys.readouterr().out
    assert "ana can log in" in out and GOOD not in out and len(asked) == 2 and log_in(store, "ana", GOOD)


def test_two_passwords_that_differ_make_nothing(store: Store, monkeypatch, capsys) -> None:
    typed(monkeypatch, GOOD, OTHER)
    assert main(["users", "add", "ana"]) == WRONG
    assert "differ" in capsys.readouterr().err and log_in(store, "ana", GOOD) is None


def test_a_program_gives_the_first_line_of_stdin(store: Store, monkeypatch, capsys) -> None:
    piped(monkeypatch, f"{GOOD}\nmore\n")
    assert main(["users", "add", "ana", "--stdin"]) == 0 and log_in(store, "ana", GOOD)
    assert main(["users", "list"]) == 0 and "ana" in capsys.readouterr().out


def test_without_a_terminal_it_says_what_to_do(store: Store, monkeypatch, capsys) -> None:
    piped(monkeypatch, GOOD)
    assert main(["users", "add", "ana"]) == WRONG and "--stdin" in capsys.readouterr().err


def test_faults_are_told_with_their_field_and_the_exit_code_of_wrong_input(store: Store, monkeypatch, capsys) -> None:
    piped(monkeypatch, "short\n")
    assert main(["users", "add", "a b", "--stdin"]) == WRONG
    told = capsys.readouterr().err
    assert "name: " in told and "password: should have at least 12 characters" in told and "Traceback" not in told


def test_the_life_of_an_account(store: Store, monkeypatch, capsys) -> None:
    assert main(["users", "list"]) == 0 and "users add NAME" in capsys.readouterr().out
    piped(monkeypatch, GOOD)
    main(["users", "add", "ana", "--stdin"])
    piped(monkeypatch, OTHER)
    assert main(["users", "password", "ANA", "--stdin"]) == 0 and log_in(store, "ana", OTHER)
    capsys.readouterr()
    assert main(["users", "disable", "ana"]) == 0 and "Nobody can log in now" in capsys.readouterr().out
    assert log_in(store, "ana", OTHER) is None
    assert main(["users", "list", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["name"] == "ana" and told["disabled"] and told["last_login_at"] and "hash" not in str(told)
    assert main(["users", "enable", "ana"]) == 0 and log_in(store, "ana", OTHER)
    assert main(["users", "remove", "ana"]) == 0 and log_in(store, "ana", OTHER) is None
    assert main(["users", "remove", "ana"]) == WRONG and "no account 'ana'" in capsys.readouterr().err


def test_a_mistyped_name_is_told_before_a_password_is_asked_for(store: Store, monkeypatch) -> None:
    asked = typed(monkeypatch)
    assert main(["users", "password", "nobody"]) == WRONG and asked == []
