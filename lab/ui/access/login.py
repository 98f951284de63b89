"""Log in and log out: the two addresses that the gate answers itself."""

from __future__ import annotations

import logging
from urllib.parse import parse_qs, urlsplit

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route, Router
from starlette.types import Scope

from lab.core.errors import LabError
from lab.core.settings import Settings
from lab.ui.access.login_page import login_page, plain_page
from lab.ui.access.rate_limit import RateLimit, client_key
from lab.ui.app_state import LabApp
from storage.queries.accounts import normal_name
from storage.queries.logins import LONGEST, account_seen, log_in, log_out

LOG = logging.getLogger("lab.access")
WINDOW_S = 15 * 60
TRIES_OF_A_NAME, TRIES_OF_AN_ADDRESS = 10, 30  # an address may be a whole hospital's
AT_ONCE = 2  # passwords checked at the same time: each takes 64 MiB
LONGEST_FORM = 16 * 1024  # bytes
WRONG = "Name or password is not right. Capitals matter in the password, not in the name."
NO_STORE = {"cache-control": "no-store"}


def cookie_name(settings: Settings) -> str:
    """Cookies do not tell ports apart: two labs of one machine must not take each other's."""
    return f"lab_session_{settings.port}"


def own_path(scope: Scope, path: str) -> str:
    """A path as the browser knows it, where a proxy has put the lab under a prefix."""
    return scope.get("root_path", "").rstrip("/") + path


def safe_next(target: str) -> str:
    """Where to go after the log-in: a path of this lab, never another site."""
    odd = any(ord(sign) <= 32 or sign == "\\" for sign in target)  # browsers drop tabs, and take \\ for /
    if odd or not target.startswith("/") or target.startswith("//"):
        return "/"
    try:
        parts = urlsplit(target)
    except ValueError:
        return "/"
    ours = not parts.scheme and not parts.netloc and parts.path not in ("/login", "/logout")
    return target if ours else "/"


class LoginPages:
    """`router` answers /login and /logout, and no other address."""

    def __init__(self, lab: LabApp):
        self.store, self.settings = lab.store, lab.settings
        self.by_name = RateLimit(TRIES_OF_A_NAME, WINDOW_S)
        self.by_address = RateLimit(TRIES_OF_AN_ADDRESS, WINDOW_S)
        self._hashing: CapacityLimiter | None = None
        self.router = Router([
            Route("/login", self.show, methods=["GET"]), Route("/login", self.submit, methods=["POST"]),
            Route("/logout", self.leave, methods=["POST"]),
        ], redirect_slashes=False)

    async def show(self, request: Request) -> Response:
        target = safe_next(request.query_params.get("next", "/"))
        try:
            known = await to_thread.run_sync(self._known, self._token(request))
        except LabError as error:
            return _page(login_page(target, error=str(error)), 503)
        return _to(request, target) if known else _page(login_page(target))

    async def submit(self, request: Request) -> Response:
        form = await _form(request)
        if form is None:
            return _page(login_page("/", error="The form could not be read. Fill it in once more."), 400)
        if not self.settings.needs_login:
            return _to(request, "/")
        name, target = form.get("name", ""), safe_next(form.get("next", "/"))
        who, where = normal_name(name)[:80], client_key(request.scope)
        if not (self.by_address.take(where) and self.by_name.take(who)):
            return self._too_many(who, where, target)
        try:
            token = await self._checked(name, form.get("password", ""))
        except LabError as error:
            return _page(login_page(target, name, str(error)), 503)
        if token is None:
            LOG.warning("log-in failed: name %r from %s", who, where)
            return _page(login_page(target, name, WRONG), 401)
        LOG.info("logged in: %s from %s", who, where)
        self.by_name.forget(who)
        self.by_address.give_back(where)
        await self._end(self._token(request))
        return self._admitted(_to(request, target), request, token)

    async def leave(self, request: Request) -> Response:
        try:
            await self._end(self._token(request))
        except LabError as error:
            return _page(plain_page("You are still logged in", str(error)), 503)
        answer = _to(request, "/login" if self.settings.needs_login else "/")
        answer.delete_cookie(cookie_name(self.settings), path=self._cookie_path(request))
        return answer

    def _too_many(self, who: str, where: str, target: str) -> Response:
        LOG.warning("log-in refused, too many tries: name %r from %s", who, where)
        wait_s = max(self.by_name.wait_s(who), self.by_address.wait_s(where))
        minutes = max(1, round(wait_s / 60))
        sentence = f"Too many tries. Wait {minutes} minute{'' if minutes == 1 else 's'}, then try again."
        answer = _page(login_page(target, who, sentence), 429)
        answer.headers["retry-after"] = str(int(wait_s) + 1)
        return answer

    async def _checked(self, name: str, password: str) -> str | None:
        self._hashing = self._hashing or CapacityLimiter(AT_ONCE)  # made where the event loop runs
        return await to_thread.run_sync(log_in, self.store, name, password, limiter=self._hashing)

    def _admitted(self, answer: Response, request: Request, token: str) -> Response:
        answer.set_cookie(
            cookie_name(self.settings), token, max_age=int(LONGEST.total_seconds()), path=self._cookie_path(request),
            httponly=True, samesite="lax", secure=request.url.scheme == "https",
        )
        return answer

    async def _end(self, token: str) -> None:
        if token:
            await to_thread.run_sync(log_out, self.store, token)

    def _known(self, token: str) -> bool:
        return not self.settings.needs_login or (bool(token) and account_seen(self.store, token) is not None)

    def _token(self, request: Request) -> str:
        return request.cookies.get(cookie_name(self.settings), "")

    def _cookie_path(self, request: Request) -> str:
        return own_path(request.scope, "") or "/"


async def _form(request: Request) -> dict[str, str] | None:
    """The fields of a plain form of some length; None for anything else."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        return None
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_FORM:
            return None
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=10)
    except ValueError:
        return None
    return {name: values[0] for name, values in fields.items()}


def _page(text: str, status: int = 200) -> Response:
    return HTMLResponse(text, status, NO_STORE)


def _to(request: Request, path: str) -> Response:
    """`path` may carry the prefix already: it came from an address that the browser knew."""
    prefix = own_path(request.scope, "")
    whole = path if prefix and path.startswith(f"{prefix}/") else prefix + path
    return RedirectResponse(whole, 303, NO_STORE)
