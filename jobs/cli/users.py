"""`users …`: who may log in to the researcher's pages. A password is asked for without echo, and never an argument."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from datetime import datetime

from jobs.cli.text import aligned
from lab.core.errors import LabError
from storage.database import Store, open_store
from storage.queries.accounts import (
    add_account,
    can_anyone_log_in,
    change_password,
    get_account,
    list_accounts,
    normal_name,
    remove_account,
    set_disabled,
)

NOBODY = "Nobody can log in now. A lab that others can reach does not start until there is an account."


def list_users(options: argparse.Namespace) -> int:
    with open_store().read() as session:
        found = list_accounts(session)
    if options.json:
        print(json.dumps([{
            "name": one.name, "disabled": one.disabled, "created_at": one.created_at.isoformat(),
            "last_login_at": one.last_login_at and one.last_login_at.isoformat(),
        } for one in found], indent=2))
        return 0
    rows = [[one.name, "disabled" if one.disabled else "open", _day(one.created_at), _day(one.last_login_at)]
            for one in found]
    print(aligned(("name", "state", "made", "logged in last"), rows) if rows else
          "No account. `python -m jobs users add NAME` makes one.")
    return 0


def add(options: argparse.Namespace) -> int:
    made = add_account(open_store(), options.name, _password(options.stdin, normal_name(options.name)))
    print(f"{made.name} can log in")
    return 0


def change(options: argparse.Namespace) -> int:
    store = open_store()
    with store.read() as session:
        name = get_account(session, options.name).name  # a mistyped name is told before a password is asked for
    change_password(store, name, _password(options.stdin, name))
    print(f"{name} has a new password, and was logged out everywhere")
    return 0


def disable(options: argparse.Namespace) -> int:
    store = open_store()
    set_disabled(store, options.name, True)
    print(f"{normal_name(options.name)} is disabled, and was logged out everywhere")
    return _warn_if_nobody_is_left(store)


def enable(options: argparse.Namespace) -> int:
    set_disabled(open_store(), options.name, False)
    print(f"{normal_name(options.name)} can log in again")
    return 0


def remove(options: argparse.Namespace) -> int:
    store = open_store()
    remove_account(store, options.name)
    print(f"{normal_name(options.name)} is removed, and was logged out everywhere")
    return _warn_if_nobody_is_left(store)


def _warn_if_nobody_is_left(store: Store) -> int:
    with store.read() as session:
        if not can_anyone_log_in(session):
            print(NOBODY)
    return 0


def _password(from_stdin: bool, name: str) -> str:
    """From the first line of stdin, or asked for twice without echo."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise LabError("there is no terminal to ask for the password at. Give it as the first line of stdin: --stdin",
                       "spec")
    first = getpass.getpass(f"Password for {name} (at least 12 characters): ")
    if getpass.getpass("The same again: ") != first:
        raise LabError("the two passwords differ; nothing was changed", "spec")
    return first


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "–"
