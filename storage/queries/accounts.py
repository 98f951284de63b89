"""Accounts of the researcher's pages: who there is, and their passwords. Their sessions are in `logins`."""

from __future__ import annotations

import re
import unicodedata

from sqlmodel import Session, col, delete, select

from lab.core.errors import Fault, LabError, SpecError, nearest
from storage.database import Store
from storage.passwords import hashed, password_faults
from storage.tables.accounts import Account, LoginSession

NAME = re.compile(r"\w[\w.@+-]{0,79}")


def normal_name(name: str) -> str:
    """As names are stored and compared: 'Zoé ' and 'zoé' are one person, however the é was typed."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def add_account(store: Store, name: str, password: str) -> Account:
    """SpecError with all faults: of the name, that it is taken, of the password."""
    plain = normal_name(name)
    faults = [] if NAME.fullmatch(plain) else [
        Fault("name", "should have 1 to 80 letters, digits or . _ @ + - and begin with a letter or a digit", name)]
    with store.read() as session:
        if not faults and find_account(session, plain):
            faults.append(_taken(plain))
    faults += password_faults(plain, password)
    if faults:
        raise SpecError(faults, "account")
    made = Account(name=plain, password_hash=hashed(password))
    with store.write() as session:
        if find_account(session, plain):  # made by somebody else, while this password was hashed
            raise SpecError([_taken(plain)], "account")
        session.add(made)
    return made


def list_accounts(session: Session) -> list[Account]:
    """By name, those that are disabled too."""
    return list(session.exec(select(Account).order_by(col(Account.name))))


def can_anyone_log_in(session: Session) -> bool:
    """Whether there is an account that is not disabled."""
    return session.exec(select(Account.id).where(col(Account.disabled).is_(False))).first() is not None


def find_account(session: Session, name: str) -> Account | None:
    """By name, in any case."""
    return session.exec(select(Account).where(Account.name == normal_name(name))).first()


def get_account(session: Session, name: str) -> Account:
    """By name, in any case; LabError with the nearest one."""
    found = find_account(session, name)
    if found is None:
        known = session.exec(select(Account.name))
        raise LabError(f"there is no account '{name}'. {nearest(normal_name(name), known)}", "spec")
    return found


def change_password(store: Store, name: str, password: str) -> None:
    """A new password ends every session of the account: whoever knew the old one is out."""
    with store.read() as session:
        account = get_account(session, name)
    faults = password_faults(account.name, password)
    if faults:
        raise SpecError(faults, "account")
    fresh = hashed(password)
    with store.write() as session:
        account = get_account(session, name)
        account.password_hash = fresh
        session.add(account)
        _end_sessions(session, account)


def set_disabled(store: Store, name: str, disabled: bool) -> None:
    """A disabled account stays, with its password, and cannot be used; its sessions end."""
    with store.write() as session:
        account = get_account(session, name)
        account.disabled = disabled
        session.add(account)
        if disabled:
            _end_sessions(session, account)


def remove_account(store: Store, name: str) -> None:
    """The account and its sessions are deleted. Where the lab noted who did something, the name stays."""
    with store.write() as session:
        account = get_account(session, name)
        _end_sessions(session, account)
        session.flush()
        session.delete(account)


def _end_sessions(session: Session, account: Account) -> None:
    session.exec(delete(LoginSession).where(col(LoginSession.account_id) == account.id))


def _taken(name: str) -> Fault:
    return Fault("name", f"there is an account '{name}' already; `python -m jobs users password {name}` changes its "
                         "password", name)
