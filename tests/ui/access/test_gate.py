"""The gate: no address of the researcher's app answers without a session, whatever the address and the method."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from starlette.requests import HTTPConnection
from starlette.routing import Mount
from starlette.websockets import WebSocketDisconnect

from lab.ui.access.gate import user_of
from storage.queries.accounts import set_disabled
from storage.queries.logins import log_out
from tests.ui.access.conftest import COOKIE, NAME, OWN, log_in

BROWSER = {"accept": "text/html,application/xhtml+xml", "sec-fetch-mode": "navigate"}
PLAIN = [  # what speaks plain HTTP although no page links to it
    ("GET", "/config"), ("POST", "/gradio_api/call/lambda"), ("POST", "/gradio_api/queue/join"),
    ("GET", "/gradio_api/queue/data?session_hash=x"), ("POST", "/gradio_api/component_server/"),
    ("GET", "/gradio_api/component_server"), ("POST", "/gradio_api/run/predict"), ("POST", "/gradio_api/upload"),
    ("GET", "/gradio_api/file=/etc/hostname"), ("GET", "/gradio_api/file/README.md"), ("GET", "/gradio_api/info"),
    ("GET", "/gradio_api/heartbeat/x"), ("GET", "/gradio_api/startup-events"), ("GET", "/theme.css"),
    ("GET", "/assets/index.js"), ("GET", "/static/img/logo.svg"), ("GET", "/gradio_api/user"), ("GET", "/no-such-page"),
    ("POST", "/rate"), ("PUT", "/rate"), ("GET", "//rate/x"), ("GET", "/RATE/x"), ("GET", "/ratex"), ("GET", "/login/"),
    ("GET", "/login/x"), ("GET", "/%6cogout/"),
]


OWN_PAGES = ("/login", "/logout")  # Gradio has routes of these names; the gate never lets a request reach them


def addresses(routes, prefix: str = "") -> Iterator[tuple[str, str]]:
    """(method, path) of every route, those of mounted apps too, with something in the place of each parameter."""
    for route in routes:
        path = prefix + re.sub(r"\{[^}]+\}", "x", getattr(route, "path", ""))
        if isinstance(route, Mount):
            yield from addresses(route.routes, prefix + route.path)
            yield "GET", f"{path.rstrip('/')}/x"
        elif inner := getattr(route, "original_router", None) or getattr(route, "router", None):
            yield from addresses(inner.routes, prefix)
        else:
            for method in getattr(route, "methods", None) or ["WEBSOCKET"]:
                yield method, path


def test_the_walk_finds_gradios_private_addresses_too(web):
    found = {path for _, path in addresses(web.routes)}
    assert len(found) > 60
    assert {"/", "/config", "/gradio_api/queue/join", "/gradio_api/call/x", "/gradio_api/component_server",
            "/gradio_api/file=x", "/rate/gradio_api/queue/join"} <= found


def test_no_route_of_the_researchers_app_answers_without_a_session(web, stranger):
    tried = 0
    for method, path in sorted(set(addresses(web.routes))):
        if path.startswith("/rate/") or (path == "/rate" and method in ("GET", "HEAD")) or path in OWN_PAGES:
            continue
        if method == "WEBSOCKET":
            with pytest.raises(WebSocketDisconnect), stranger.websocket_connect(path):
                pass
        else:
            answer = stranger.request(method, path)
            assert answer.status_code == 401, (method, path, answer.status_code)
            assert method == "HEAD" or answer.json() == {"detail": "Log in first.", "login": "/login"}
        tried += 1
    assert tried > 60


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/logout", 405), ("PUT", "/login", 405), ("DELETE", "/logout", 405), ("POST", "/login", 400),
    ("GET", "/login", 200), ("HEAD", "/login", 200), ("OPTIONS", "/login", 405),
])
def test_the_gate_answers_its_own_pages_itself_whatever_the_method(stranger, method, path, status):
    answer = stranger.request(method, path)
    assert answer.status_code == status and "gradio" not in answer.text.lower()
    assert "content-security-policy" in answer.headers or "html" not in answer.headers["content-type"]


def test_a_path_that_climbs_out_of_the_raters_app_stays_in_it(web, running):
    """Sent raw: clients tidy such paths before they send them."""
    for path in ("/rate/../config", "/rate/../gradio_api/info", "/rate//config", "/rate/%2e%2e/config"):
        assert b"dependencies" not in _raw_get(running, web, path), path


def _raw_get(running, web, path: str) -> bytes:
    sent: list[bytes] = []

    async def call() -> None:
        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message) -> None:
            sent.append(message.get("body", b""))

        await web({"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "path": path,
                   "raw_path": path.encode(), "query_string": b"", "root_path": "", "scheme": "http",
                   "headers": [(b"host", b"testserver")], "server": ("testserver", 80), "client": ("1.2.3.4", 1)},
                  receive, send)

    running.portal.call(call)
    return b"".join(sent)


@pytest.mark.parametrize(("method", "path"), PLAIN)
def test_private_endpoints_files_and_odd_spellings_are_refused_by_plain_http(stranger, method, path):
    answer = stranger.request(method, path, json={"data": [], "fn_index": 0, "session_hash": "x"})
    assert answer.status_code == 401 and answer.headers["cache-control"] == "no-store"
    assert "components" not in answer.text


def test_a_cookie_that_nobody_was_given_is_no_session(web, stranger):
    for value in ("x", "a" * 43, "'; --", "\u00e9"):
        assert stranger.get("/config", headers={"cookie": f"{COOKIE}={value}".encode()}).status_code == 401


@pytest.mark.parametrize("path", ["/gradio_api/queue/join", "/rate", "/anything"])
def test_a_websocket_is_refused(stranger, path):
    with pytest.raises(WebSocketDisconnect) as refused, stranger.websocket_connect(path):
        pass
    assert refused.value.code == 1008


@pytest.mark.parametrize(("path", "where"), [
    ("/", "/login"), ("/jobs?id=3&tab=log", "/login?next=/jobs%3Fid%3D3%26tab%3Dlog"),
    ("/train", "/login?next=/train"), ("//evil.example/x", "/login?next=//evil.example/x"),
])
def test_a_person_is_led_to_the_log_in_page_and_back(stranger, path, where):
    answer = stranger.get(f"http://testserver{path}", headers=BROWSER)
    assert (answer.status_code, answer.headers["location"]) == (303, where)


def test_the_raters_app_stays_open_and_the_page_of_a_link_has_its_script(stranger):
    assert stranger.get("/rate/", headers=BROWSER).status_code == 200
    assert stranger.get("/rate/some-token", headers=BROWSER).headers["location"].startswith("/rate/?t=")
    assert stranger.get("/rate/config").status_code == 200


def test_with_a_session_pages_config_and_calls_answer_and_gradio_knows_who_it_is(known):
    page = known.get("/train", headers=BROWSER)
    assert page.status_code == 200 and page.headers["cache-control"] == "no-store"
    assert f'"username":"{NAME}"' in page.text.replace(" ", "") and "Log out" in page.text
    assert known.get("/gradio_api/user").json() == NAME
    assert known.get("/config").status_code == 200 and known.get("/theme.css").status_code == 200


def test_gradio_itself_refuses_what_no_gate_has_admitted(web, running):
    """The second lock: the researcher's app as it is mounted, asked without the gate in front of it."""
    mounted = next(route.app for route in reversed(web.routes) if isinstance(route, Mount))
    bare = TestClient(mounted)
    for method, path in (("GET", "/"), ("GET", "/config"), ("POST", "/gradio_api/queue/join"),
                         ("POST", "/gradio_api/call/x"), ("GET", "/gradio_api/file=README.md")):
        assert bare.request(method, path, json={"data": []}).status_code == 401, path
    assert user_of(HTTPConnection({"type": "http"})) is None


def test_a_session_ends_with_log_out_disabling_and_not_before(known, guarded):
    assert known.get("/config").status_code == 200
    set_disabled(guarded.store, NAME, True)
    try:
        assert known.get("/config").status_code == 401
    finally:
        set_disabled(guarded.store, NAME, False)
    assert known.get("/config").status_code == 401  # enabling gives no old session back
    known.cookies.clear()
    assert log_in(known).status_code == 303 and known.get("/config").status_code == 200
    log_out(guarded.store, known.cookies[COOKIE])
    assert known.get("/config").status_code == 401


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://testserver:8080", "http://[", ""])
@pytest.mark.parametrize(("method", "path"), [
    ("POST", "/gradio_api/queue/join"), ("POST", "/gradio_api/upload"), ("POST", "/logout"), ("POST", "/login"),
    ("OPTIONS", "/gradio_api/queue/join"), ("GET", "/config"),
])
def test_a_page_of_another_address_gets_nothing_even_with_a_session(known, origin, method, path):
    answer = known.request(method, path, headers={"origin": origin, "access-control-request-method": "POST"})
    assert answer.status_code == 403 and "another address" in answer.json()["detail"]
    assert "access-control-allow-origin" not in answer.headers


def test_the_labs_own_pages_are_not_foreign(known):
    assert known.get("/config", headers=OWN).status_code == 200
    behind = {"origin": "https://lab.example.org", "x-forwarded-host": "lab.example.org"}
    assert known.get("/config", headers=behind).status_code == 200


def test_a_websocket_of_another_address_is_refused_with_a_session_too(known):
    with pytest.raises(WebSocketDisconnect), known.websocket_connect("/x", headers={"origin": "https://evil.example"}):
        pass


def test_a_file_of_the_researchers_is_for_their_session_only_and_no_way_for_raters_leads_to_it(known, stranger):
    (path,) = known.post("/gradio_api/upload", files={"files": ("notes.txt", b"what was found")}).json()
    assert known.get(f"/gradio_api/file={path}").content == b"what was found"
    for way in (f"/gradio_api/file={path}", f"/rate/gradio_api/file={path}", f"/rate//gradio_api/file={path}",
                f"/rate/gradio_api/file/{path.lstrip('/')}"):
        answer = stranger.get(way)
        assert answer.status_code in (401, 403, 404) and b"found" not in answer.content, way
