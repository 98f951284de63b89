"""Accounts in a real store: names, passwords and their rules; only hashes are kept."""

from __future__ import annotations

import pytest
from sqlmodel import select

from lab.core.errors import LabError, SpecError
from storage.database import Store
from storage.queries.accounts import (
    add_account,
    can_anyone_log_in,
    change_password,
    list_accounts,
    remove_account,
    set_disabled,
)
from storage.queries.logins import account_of, log_in
from storage.tables import Account, LoginSession

GOOD = "four plain words here"
pytestmark = pytest.mark.usefixtures("quick_hashes")  # the work of a hash: test_logins.py


def faults_of(store: Store, name: str, password: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        add_account(store, name, password)
    assert password == "" or len(password) < 3 or password not in str(caught.value)
    return [str(fault) for fault in caught.value.faults]


def test_an_account_keeps_a_hash_and_never_the_password(store: Store) -> None:
    add_account(store, " Ana ", GOOD)
    with store.read() as session:
        (kept,) = list_accounts(session)
    assert kept.name == "ana" and kept.password_hash.startswith("$argon2id$") and GOOD not in kept.password_hash
    assert kept.created_at.tzinfo is not None and kept.last_login_at is None and not kept.disabled


def test_a_name_is_taken_in_every_case_and_spelling(store: Store) -> None:
    add_account(store, "Zo\u00e9", GOOD)
    assert faults_of(store, "ZOE\u0301", GOOD)[0].startswith("name: there is an account 'zo\u00e9' already")


@pytest.mark.parametrize("name", ["", " ", "two words", "-x", "a/b", "x" * 81, "<b>", "a\nb", "a'b"])
def test_a_name_is_plain(store: Store, name: str) -> None:
    assert [fault[:6] for fault in faults_of(store, name, GOOD)] == ["name: "]


@pytest.mark.parametrize(("password", "fault"), [
    ("elevenchars", "should have at least 12 characters (it has 11)"), ("", "at least 12"),
    ("a.long.name@x", "should not be the name"), ("A.Long.NAME@x", "should not be the name"),
    ("x" * 1025, "at most 1024"),
])
def test_a_password_has_twelve_characters_and_is_not_the_name(store: Store, password: str, fault: str) -> None:
    told = faults_of(store, "a.long.name@x", password)
    assert fault in told[0] and told[0].startswith("password: ") and len(told) == 1


def test_all_faults_are_told_at_once(store: Store) -> None:
    assert [fault.partition(":")[0] for fault in faults_of(store, "a b", "short")] == ["name", "password"]


def test_a_new_password_ends_every_session_and_the_old_one_is_void(store: Store) -> None:
    add_account(store, "ana", GOOD)
    tokens = [log_in(store, "ana", GOOD) for _ in range(2)]
    with pytest.raises(SpecError, match="at least 12"):
        change_password(store, "ana", "short")
    with store.read() as session:
        assert all(account_of(session, token) for token in tokens)
    change_password(store, "ANA", "another four words")
    with store.read() as session:
        assert not any(account_of(session, token) for token in tokens)
    assert log_in(store, "ana", GOOD) is None and log_in(store, "ana", "another four words")


def test_a_disabled_account_lets_nobody_in_until_it_is_enabled(store: Store) -> None:
    add_account(store, "ana", GOOD)
    token = log_in(store, "ana", GOOD)
    set_disabled(store, "ana", True)
    with store.read() as session:
        assert account_of(session, token) is None and not can_anyone_log_in(session)
    assert log_in(store, "ana", GOOD) is None
    set_disabled(store, "ana", False)
    assert log_in(store, "ana", GOOD)
    with store.read() as session:
        assert account_of(session, token) is None and can_anyone_log_in(session)


def test_removing_deletes_the_account_and_its_sessions_alone(store: Store) -> None:
    for name in ("ana", "ben"):
        add_account(store, name, GOOD)
    log_in(store, "ana", GOOD)
    kept = log_in(store, "ben", GOOD)
    remove_account(store, "ana")
    with store.read() as session:
        assert [one.name for one in session.exec(select(Account))] == ["ben"]
        assert len(session.exec(select(LoginSession)).all()) == 1 and account_of(session, kept).name == "ben"


@pytest.mark.parametrize("change", [remove_account, lambda store, name: set_disabled(store, name, True),
                                    lambda store, name: change_password(store, name, GOOD)])
def test_an_unknown_name_is_told_with_the_nearest(store: Store, change) -> None:
    add_account(store, "anastasia", GOOD)
    with pytest.raises(LabError, match="no account 'anastassia'. Did you mean 'anastasia'"):
        change(store, "anastassia")
