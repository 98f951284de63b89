"""Passwords: what one has to be, and their argon2id hashes.

Hashing takes some 50 ms and 64 MiB on purpose, so it is done outside of write transactions, and whoever does it for
strangers limits how many they start at once.
"""

from __future__ import annotations

import secrets
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from lab.core.errors import Fault

if TYPE_CHECKING:
    from argon2 import PasswordHasher

LEAST, MOST = 12, 1024  # characters


def password_faults(name: str, password: str) -> list[Fault]:
    """What is wrong with a password for the account `name` (in lower case); it is never repeated in the words."""
    text = unicodedata.normalize("NFKC", password)
    faults = []
    if len(text) < LEAST:
        faults.append(Fault("password", f"should have at least {LEAST} characters (it has {len(text)}); a few words "
                                        "that do not belong together are easy to keep in mind"))
    if len(text) > MOST:
        faults.append(Fault("password", f"should have at most {MOST} characters"))
    if text.strip().casefold() == name:
        faults.append(Fault("password", "should not be the name"))
    return faults


def hashed(password: str) -> str:
    """Algorithm, parameters, salt and hash in one text."""
    return _hasher().hash(_bytes(password))


def is_right(stored: str | None, password: str) -> bool:
    """Whether the password made this hash. None, for somebody who does not exist, takes as long as a wrong password."""
    from argon2.exceptions import VerifyMismatchError

    nobodys = _nobodys_hash()  # before the branch: its first making takes time, too
    if len(password) > MOST:
        return False
    try:
        return _hasher().verify(stored or nobodys, _bytes(password)) and stored is not None
    except VerifyMismatchError:
        return False


def is_outdated(stored: str) -> bool:
    """Whether the hash was made with other parameters than those of today."""
    return _hasher().check_needs_rehash(stored)


def _bytes(password: str) -> bytes:
    """One form for what keyboards of different systems type for the same letters."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


@cache
def _hasher() -> PasswordHasher:
    """With the library's own parameters: argon2id as RFC 9106 has it for little memory."""
    from argon2 import PasswordHasher

    return PasswordHasher()


@cache
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_bytes(32))
