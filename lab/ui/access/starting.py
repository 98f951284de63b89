"""What has to hold before the lab may listen, so that nobody opens it to others by mistake."""

from __future__ import annotations

import logging

from lab.core.errors import LabError
from lab.core.settings import Settings
from storage.database import Store
from storage.queries.accounts import can_anyone_log_in

ADD = "python -m jobs users add NAME"


def check_login(settings: Settings) -> None:
    """LabError when the login is asked for where there is none, or refused where there has to be one."""
    if settings.space and settings.login == "on":
        raise LabError("LAB_LOGIN=on does not go with SPACE_ID: the public demo has no login. Leave one of them out.",
                       "spec")
    if settings.login == "off" and settings.needs_login:
        raise LabError(f"LAB_LOGIN=off opens the lab on this machine's own address only, and LAB_HOST is "
                       f"{settings.host}. Leave LAB_LOGIN out and add an account: {ADD}", "spec")


def check_accounts(settings: Settings, store: Store) -> None:
    """LabError when a login is needed and nobody could log in."""
    if not settings.needs_login:
        return
    with store.read() as session:
        if can_anyone_log_in(session):
            return
    why = "LAB_LOGIN is on" if settings.is_loopback else f"Others can reach {settings.host}, so the lab needs a login"
    raise LabError(f"{why}, and there is no account that could log in. Add one: {ADD}")


def show_access_log() -> None:
    """Log-ins, failed ones, and refused requests go to the terminal that runs the lab, each with its time."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log = logging.getLogger("lab.access")
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    log.propagate = False
