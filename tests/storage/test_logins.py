"""Sessions in a real store: who holds a token, for how long, and what is kept of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlmodel import select

from storage import passwords
from storage.database import Store
from storage.queries.accounts import add_account, set_disabled
from storage.queries.logins import IDLE, LONGEST, SEEN_EVERY, account_of, account_seen, log_in, log_out
from storage.tables import Account, LoginSession, now

GOOD = "four plain words here"


@pytest.fixture
def token(store: Store, quick_hashes: None) -> str:
    add_account(store, "ana", GOOD)
    return log_in(store, "ana", GOOD)


def holder(store: Store, token: str) -> str | None:
    with store.read() as session:
        found = account_of(session, token)
    return found and found.name


def age(store: Store, **by: timedelta) -> None:
    """Every session's moments, moved into the past."""
    with store.write() as session:
        for login in session.exec(select(LoginSession)):
            for name, past in by.items():
                setattr(login, name, getattr(login, name) - past)
            session.add(login)


def test_a_token_is_known_by_its_hash_alone(store: Store, token: str) -> None:
    assert holder(store, token) == "ana" and len(token) >= 43
    with store.read() as session:
        (kept,) = session.exec(select(LoginSession))
        assert session.exec(select(Account)).one().last_login_at is not None
    assert token not in kept.model_dump_json() and len(kept.token_hash) == 64
    assert holder(store, kept.token_hash) is None and holder(store, "") is None and holder(store, token[:-1]) is None


def test_every_log_in_is_a_session_of_its_own(store: Store, token: str) -> None:
    other = log_in(store, "ANA", GOOD)
    log_out(store, token)
    log_out(store, token)
    assert other != token and holder(store, token) is None and holder(store, other) == "ana"


@pytest.mark.parametrize(("name", "password"), [("ana", "four plain words her"), ("ben", GOOD), ("", ""),
                                                ("ana", ""), ("ana", "x" * 5000), ("ana' OR 1=1", GOOD)])
def test_what_does_not_belong_together_opens_nothing(store: Store, token: str, name: str, password: str) -> None:
    assert log_in(store, name, password) is None


def test_a_session_ends_twelve_hours_after_it_was_seen(store: Store, token: str) -> None:
    age(store, last_seen_at=IDLE - timedelta(minutes=1))
    assert holder(store, token) == "ana"
    age(store, last_seen_at=timedelta(minutes=2))
    assert holder(store, token) is None and account_seen(store, token) is None


def test_being_seen_slides_the_end_on_but_not_beyond_seven_days(store: Store, token: str) -> None:
    age(store, last_seen_at=IDLE - timedelta(minutes=1))
    assert account_seen(store, token).name == "ana"
    age(store, last_seen_at=IDLE - timedelta(minutes=1))
    assert holder(store, token) == "ana"
    age(store, expires_at=LONGEST)
    assert holder(store, token) is None


def test_a_sight_is_written_down_every_few_minutes_only(store: Store, token: str) -> None:
    def seen():
        with store.read() as session:
            return session.exec(select(LoginSession.last_seen_at)).one()

    first = seen()
    account_seen(store, token)
    assert seen() == first
    age(store, last_seen_at=SEEN_EVERY + timedelta(seconds=1))
    account_seen(store, token)
    assert abs(now() - seen()) < timedelta(minutes=1)


def test_sessions_that_have_ended_are_gone_with_the_next_log_in(store: Store, token: str) -> None:
    age(store, last_seen_at=IDLE)
    log_in(store, "ana", GOOD)
    with store.read() as session:
        assert len(session.exec(select(LoginSession)).all()) == 1


def test_a_hash_of_older_parameters_is_made_anew_when_its_password_comes(store: Store) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(GOOD.encode())
    with store.write() as session:
        session.add(Account(name="old", password_hash=old))
    assert log_in(store, "old", "not the password") is None
    with store.read() as session:
        assert session.exec(select(Account.password_hash)).one() == old
    assert log_in(store, "old", GOOD)
    with store.read() as session:
        fresh = session.exec(select(Account.password_hash)).one()
    assert fresh != old and not passwords.is_outdated(fresh) and log_in(store, "old", GOOD)


@pytest.mark.parametrize("name", ["ana", "off", "nobody"])
def test_unknown_and_disabled_names_take_as_much_work_as_wrong_passwords(
    sqlite_store: Store, monkeypatch, name: str
) -> None:
    """Nearly all the time of a log-in is one hash: it is counted, for a clock is at the mercy of the machine."""
    for one in ("ana", "off"):
        add_account(sqlite_store, one, GOOD)
    set_disabled(sqlite_store, "off", True)
    log_in(sqlite_store, "nobody", "so that nobody's own hash is made")
    checked, verify = [], PasswordHasher.verify

    def counting(hasher, stored, password):
        checked.append(stored.rpartition("$")[0].rpartition("$")[0])
        return verify(hasher, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", counting)
    assert log_in(sqlite_store, name, "a wrong password") is None
    assert checked == ["$argon2id$v=19$m=65536,t=3,p=4"]
