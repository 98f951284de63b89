"""A lab with a login: two accounts, and its whole web app, with and without a session."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from app import build_web
from lab.core.settings import Settings
from lab.ui.access.gate import Gate, user_of
from lab.ui.app_state import LabApp
from storage.database import Store, open_store
from storage.queries.accounts import add_account

NAME, PASSWORD = "ana", "four plain words here"
COOKIE = "lab_session_7860"
OWN = {"origin": "http://testserver"}


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with one account and nothing else."""
    made = open_store(home=tmp_path_factory.mktemp("people"))
    add_account(made, NAME, PASSWORD)
    yield made
    made.close()


def gated(store: Store, env: dict[str, str], name: str = "testserver") -> TestClient:
    """A fresh gate alone, in front of an app that answers every address with its path and who asks."""
    async def echo(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"reached {request.url.path} as {user_of(request)}")

    settings = Settings.from_env({"LAB_HOME": str(store.home)} | env)
    app = Starlette(routes=[Route("/{path:path}", echo, methods=["GET", "POST", "PUT"])])
    return TestClient(Gate(app, LabApp(store, settings)), base_url=f"http://{name}", follow_redirects=False)


@pytest.fixture(scope="module")
def guarded(lab: LabApp) -> LabApp:
    """The lab of the page tests, with an account and listening to everybody."""
    add_account(lab.store, NAME, PASSWORD)
    return replace(lab, settings=replace(lab.settings, host="0.0.0.0"))


@pytest.fixture(scope="module")
def web(guarded: LabApp) -> FastAPI:
    return build_web(guarded.store, guarded.settings)


@pytest.fixture(scope="module")
def running(web: FastAPI) -> Iterator[TestClient]:
    """The one client that has started the app; the others share what it started."""
    with TestClient(web, follow_redirects=False) as client:
        yield client


@pytest.fixture
def stranger(running: TestClient, web: FastAPI) -> TestClient:
    """A client without a session."""
    return TestClient(web, follow_redirects=False)


@pytest.fixture(scope="module")
def last_token() -> dict[str, str]:
    """The session that `known` used last: logging in for every test would take long."""
    return {}


@pytest.fixture
def known(running: TestClient, web: FastAPI, last_token: dict[str, str]) -> TestClient:
    """A client that has logged in."""
    client = TestClient(web, follow_redirects=False, cookies=last_token)
    if client.get("/gradio_api/user").status_code != 200:
        client.cookies.clear()
        assert log_in(client).status_code == 303
        last_token[COOKIE] = client.cookies[COOKIE]
    return client


def log_in(client: TestClient, name: str = NAME, password: str = PASSWORD, **more: object):
    fields = {"name": name, "password": password, "next": more.pop("next", "/")}
    return client.post("/login", data=fields, **more)
