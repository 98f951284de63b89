"""Who may use the researcher's pages, and their sessions. Passwords and tokens are kept as hashes only."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from storage.tables.jobs import now


class Account(SQLModel, table=True):
    """A person with a name and a password."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)  # as `storage.queries.accounts.normal_name` writes it: lower case
    password_hash: str  # argon2id, with its parameters and salt
    disabled: bool = False
    created_at: datetime = Field(default_factory=now)
    last_login_at: datetime | None = None


class LoginSession(SQLModel, table=True):
    """One log-in of one browser. It ends at `expires_at`, or when it was not seen for long before."""

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id", index=True)
    token_hash: str = Field(unique=True)  # sha256 of what the browser's cookie holds
    created_at: datetime = Field(default_factory=now)
    expires_at: datetime  # however busy the session is
    last_seen_at: datetime = Field(default_factory=now)  # kept to some minutes: not every request is a write
