"""Requests that another site's page makes in a visitor's name, and names that are not this machine's own.

A browser says which page a request comes from (`Origin`); a page of another site must not start work here, and must not
read anything, whether there is a login or not. A lab without a login besides answers to names of its own machine only:
then neither a foreign name that leads to 127.0.0.1 (DNS rebinding) nor a proxy somebody put in front opens it.
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

USUAL_PORTS = {"http": ":80", "https": ":443"}


def is_foreign(scope: Scope) -> bool:
    """Whether the request's Origin is another one than the address it was sent to. None at all is no browser's."""
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    if origin is None:
        return False
    # A page cannot set X-Forwarded-Host without being asked for leave first (preflight), which carries Origin alone.
    own = [headers.get("host", ""), headers.get("x-forwarded-host", "").partition(",")[0].strip()]
    try:
        parts = urlsplit(origin.lower())
    except ValueError:
        return True
    usual = USUAL_PORTS.get(parts.scheme)
    if usual is None or not parts.netloc:  # 'null': a page that hides where it comes from
        return True
    return parts.netloc.removesuffix(usual) not in [name.lower().removesuffix(usual) for name in own if name]


def is_own_name(scope: Scope) -> bool:
    """Whether the name that was asked for is this machine's: localhost, a loopback address, any name without dots."""
    host = Headers(scope=scope).get("host", "").lower()
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return "." not in name.removesuffix(".localhost")
