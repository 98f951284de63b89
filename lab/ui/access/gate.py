"""The gate: nothing of the researcher's app answers without a session, where a login is needed.

It stands before routing, so it holds for pages, for every endpoint of Gradio (private ones answer plain HTTP), for
files, streams, websockets and whatever is mounted later. Open are the rater's app, whose links are its keys, and the
log-in page, which the gate itself answers. Gradio asks `user_of` once more for each call: a second lock on the door.
"""

from __future__ import annotations

import logging
from urllib.parse import quote

from starlette._utils import get_route_path  # what routing itself goes by: the two can never disagree
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lab.core.errors import LabError
from lab.ui.access.login import LoginPages, cookie_name, own_path
from lab.ui.access.login_page import plain_page
from lab.ui.access.origins import is_foreign, is_own_name
from lab.ui.app_state import LabApp
from storage.queries.logins import account_seen

LOG = logging.getLogger("lab.access")
USER = "lab.user"  # where the scope of an admitted request says whose it is
# Both apps are Gradio's and share one folder of files: these addresses of the rater's would hand out the researcher's.
NOT_FOR_RATERS = tuple(f"/rate/gradio_api/{name}" for name in (
    "file", "proxy", "upload", "stream", "deep_link", "process_recording", "custom_component"))
FOREIGN = "This request comes from a page of another address than the lab's own, so it was refused."
UNKNOWN_NAME = (
    "This lab has no login, so it answers to names of its own machine only, such as localhost. To reach it under "
    "another name, give it a login: LAB_LOGIN=on, and an account with `python -m jobs users add NAME`."
)
LOG_IN_FIRST = "Log in first."
NOT_FOUND = JSONResponse({"detail": "Not Found"}, 404)


def user_of(request: HTTPConnection) -> str | None:
    """Who asks, for Gradio: the account that the gate admitted, and nobody where no gate stood before."""
    return request.scope.get(USER)


class Gate:
    """Pure ASGI middleware around the whole server."""

    def __init__(self, app: ASGIApp, lab: LabApp):
        self.app, self.lab = app, lab
        self.settings = lab.settings
        self.own_pages = LoginPages(lab).router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif _is_raters(scope):
            closed = get_route_path(scope).startswith(NOT_FOR_RATERS)
            await (_answer(NOT_FOUND, scope, receive, send) if closed else self.app(scope, receive, send))
        elif sentence := self._improper(scope):
            LOG.warning("refused %r: %s", scope["path"], sentence)  # a path may hold line breaks
            await _answer(_refusal(scope, 403, sentence), scope, receive, send)
        elif scope["type"] == "http" and get_route_path(scope) in ("/login", "/logout"):
            alone = {name: value for name, value in scope.items() if name != "app"}  # for a plain 405
            await self.own_pages(alone, receive, send)
        elif self.settings.needs_login:
            await self._with_session(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _improper(self, scope: Scope) -> str | None:
        """The public demo takes requests from anywhere: its visitors have no rights that a page could borrow."""
        if self.settings.space:
            return None
        if is_foreign(scope):
            return FOREIGN
        unknown = not self.settings.needs_login and self.settings.login == "auto" and not is_own_name(scope)
        return UNKNOWN_NAME if unknown else None

    async def _with_session(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = HTTPConnection(scope).cookies.get(cookie_name(self.settings), "")
        try:
            account = await run_in_threadpool(account_seen, self.lab.store, token) if token else None
        except LabError as error:  # the store is away or busy: nobody can be told apart
            await _answer(_refusal(scope, 503, str(error)), scope, receive, send)
            return
        if account is None:
            await _answer(_to_log_in(scope), scope, receive, send)
            return
        scope[USER] = account.name
        await self.app(scope, receive, _unkept(send) if scope["type"] == "http" else send)


def _is_raters(scope: Scope) -> bool:
    """What routing gives to the rater's app, and nothing that it would give to the other one."""
    path = get_route_path(scope)
    return path.startswith("/rate/") or (path == "/rate" and scope.get("method") in ("GET", "HEAD"))


def _to_log_in(scope: Scope) -> Response:
    """A person is led to the log-in page and back; a program is told."""
    if not _is_page(scope):
        return JSONResponse({"detail": LOG_IN_FIRST, "login": own_path(scope, "/login")}, 401,
                            {"cache-control": "no-store", "x-lab-login": "needed"})
    asked = quote(get_route_path(scope), safe="/:@!$&'()*+,;=-._~")
    query = scope.get("query_string", b"").decode("latin-1")
    target = own_path(scope, asked) + (f"?{query}" if query else "")
    where = own_path(scope, "/login") + (f"?next={quote(target, safe='/')}" if target != "/" else "")
    return RedirectResponse(where, 303, {"cache-control": "no-store"})


def _refusal(scope: Scope, status: int, sentence: str) -> Response:
    headers = {"cache-control": "no-store"}
    if _is_page(scope):
        return HTMLResponse(plain_page("Trace Lab does not answer here", sentence), status, headers)
    return JSONResponse({"detail": sentence}, status, headers)


def _is_page(scope: Scope) -> bool:
    """Whether a browser wants to show the answer as a page."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return False
    headers = HTTPConnection(scope).headers
    return "text/html" in headers.get("accept", "") and headers.get("sec-fetch-mode", "navigate") == "navigate"


async def _answer(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": LOG_IN_FIRST})
    else:
        await response(scope, receive, send)


def _unkept(send: Send) -> Send:
    """Pages of a session are not kept by the browser: after a log-out, 'back' shows nothing of them."""
    async def forward(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            if headers.get("content-type", "").startswith("text/html"):
                headers["cache-control"] = "no-store"
        await send(message)

    return forward
