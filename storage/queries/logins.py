"""Sessions of the researcher's pages: log in, who holds this token, log out.

A browser holds a random token, the store only its sha256. A session ends 12 hours after it was seen last, 7 days after
it began, with a new password, or when its account is disabled or removed.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from datetime import datetime, timedelta

from sqlmodel import Session, col, delete, select

from lab.core.errors import LabError
from storage.clock import store_now
from storage.database import Store
from storage.passwords import hashed, is_outdated, is_right
from storage.queries.accounts import find_account
from storage.tables.accounts import Account, LoginSession

IDLE, LONGEST = timedelta(hours=12), timedelta(days=7)
SEEN_EVERY = timedelta(minutes=5)  # a sight is noted so often: a page's requests are no writes
LOG = logging.getLogger("lab.access")


def log_in(store: Store, name: str, password: str) -> str | None:
    """The token of a new session, told this once; None when name and password do not belong together.

    Unknown and disabled names take as long as wrong passwords: an answer's time tells nobody who has an account.
    """
    with store.read() as session:
        account = find_account(session, name)
    usable = account is not None and not account.disabled
    if not is_right(account.password_hash if usable else None, password):
        return None
    fresh = hashed(password) if is_outdated(account.password_hash) else account.password_hash
    with store.write() as session:
        current = session.get(Account, account.id)
        if current is None or current.disabled or current.password_hash != account.password_hash:
            return None  # changed while the password was checked
        moment = store_now(session)
        current.password_hash, current.last_login_at = fresh, moment
        session.add(current)
        _sweep(session, moment)
        return _new_session(session, current, moment)


def account_of(session: Session, token: str) -> Account | None:
    """Who holds this token; None when it is unknown, ended or too old, or when the account is disabled."""
    found = _held(session, token)
    return found and found[0]


def account_seen(store: Store, token: str) -> Account | None:
    """As `account_of`, and the session counts as seen now, which slides its end on."""
    with store.read() as session:
        found = _held(session, token)
        due = found is not None and store_now(session) - found[1].last_seen_at > SEEN_EVERY
    if due:
        try:
            _note_seen(store, found[1].id)
        except LabError as error:  # a busy store keeps nobody out: the next request notes it
            LOG.warning("that a session was seen is not noted yet: %s", error)
    return found and found[0]


def log_out(store: Store, token: str) -> None:
    """The session is deleted; a token that is unknown already stays so."""
    with store.write() as session:
        session.exec(delete(LoginSession).where(col(LoginSession.token_hash) == _sha256(token)))


def _new_session(session: Session, account: Account, moment: datetime) -> str:
    token = secrets.token_urlsafe(32)
    session.add(LoginSession(account_id=account.id, token_hash=_sha256(token), created_at=moment,
                             expires_at=moment + LONGEST, last_seen_at=moment))
    return token


def _held(session: Session, token: str) -> tuple[Account, LoginSession] | None:
    found = session.exec(select(Account, LoginSession).join(LoginSession).where(
        LoginSession.token_hash == _sha256(token), col(Account.disabled).is_(False))).first()
    if found is None:
        return None
    account, login = found
    moment = store_now(session)
    alive = moment < login.expires_at and moment - login.last_seen_at < IDLE
    return (account, login) if alive else None


def _note_seen(store: Store, login_id: int) -> None:
    with store.write() as session:
        login = session.get(LoginSession, login_id)
        if login is not None:
            login.last_seen_at = store_now(session)
            session.add(login)


def _sweep(session: Session, moment: datetime) -> None:
    """Sessions that have ended are not kept: they would tell when who was here."""
    session.exec(delete(LoginSession).where(
        (col(LoginSession.expires_at) <= moment) | (col(LoginSession.last_seen_at) <= moment - IDLE)))


def _sha256(token: str) -> str:
    """A token is 256 random bits: nobody guesses it back from a plain hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
