"""Nothing that a rater's browser receives tells the models apart: every byte of whole sessions is searched."""

from __future__ import annotations

import json
import re

import pytest
from fastapi import FastAPI
from sqlmodel import select
from starlette.testclient import TestClient

from lab.core.settings import Settings
from lab.rating.practice import practice_units
from lab.ui.access.rate_limit import RateLimit
from lab.ui.app_state import LabApp
from lab.ui.rater.app import mount_rater
from lab.ui.rater.limits import Limits
from lab.ui.rater.session import answer
from storage.database import open_store
from storage.tables.ratings import Assignment
from tests.rating.bank import MODELS, THOUGHT, seed_bank
from tests.ui.rater_walk import ABOUT, CLOSING, FULL, key_of, round_with, secrets_of, served_roles, speak_french

FORBIDDEN = [
    "demo-llama", "SECRET-THOUGHT", THOUGHT, "&lt;think", "<think", "item-0", "model_label", "model_a", "answer_a_id",
    "guess_target", "a_left", "arm-trace", "+ thinking", "submit_key", "unit_id", *(label for label, _, _ in MODELS),
]
TEXT = re.compile(r'(class="text"[^>]*>)[^<]*')  # what a unit says, which may well hold any word
ROLES = re.compile(r"\b(gold|repeat|main)\b")


@pytest.fixture
def store(tmp_path):
    store = open_store(home=tmp_path / "home")
    yield store
    store.close()


def web(store, space=False, limits=None) -> TestClient:
    server = FastAPI()
    env = {"LAB_HOME": str(store.home), **({"SPACE_ID": "x/y"} if space else {})}
    mount_rater(server, LabApp(store, Settings.from_env(env)), limits)
    return TestClient(server, follow_redirects=False)


class Wire:
    """A browser's calls over HTTP, every answer kept as it came."""

    def __init__(self, client: TestClient, token: str):
        self.client, self.token = client, token
        config = client.get("/rate/config")
        self.texts = [config.text, *(client.get(path).text for path in (
            "/rate/", f"/rate/?t={token}", "/rate/gradio_api/info", "/rate/theme.css"))]
        (self.component,) = [c["id"] for c in config.json()["components"] if c["type"] == "html"]

    def step(self, action: str = "open", **call):
        data = {"token": self.token, "action": action, **call}
        reply = self.client.post("/rate/gradio_api/component_server/", json={
            "component_id": self.component, "fn_name": "step", "session_hash": "s", "data": data})
        self.texts += [reply.text, str(reply.headers)]
        return reply.json()

    def session(self, language: str) -> list[str]:
        """From consent to the end, with everything in between; returns the HTML of the units."""
        units = []
        self.step("language", language=language)
        self.step("agree")
        self.step("about", answers=ABOUT)
        reply = self.step("start")
        for unit in practice_units(language):
            side = {"a": "left", "b": "right"}.get(unit.preference, "tie")
            self.step("practice", key=key_of(reply), fluency_left=unit.fluency_a, fluency_right=unit.fluency_b,
                      preference=side)
            reply = self.step()
        while reply["screen"] in ("unit", "rest"):
            if reply["screen"] == "unit":
                units.append(reply["html"])
            if len(units) == 2:
                self.step("flag", key=key_of(reply), text="odd")
                self.step("rest")
                self.step("undo")
                reply = self.step()
            reply = self.step("resume") if reply["screen"] == "rest" else self.step("submit", key=key_of(reply), **FULL)
        while reply["screen"] == "guess":
            reply = self.step("guess", key=key_of(reply), said="left", sureness=1)
        reply = self.step("close", answers=CLOSING)
        assert reply["screen"] == "end"
        return units


@pytest.mark.parametrize("language", ["en", "fr"])
def test_no_byte_of_a_session_names_a_model_its_thinking_or_the_role_of_a_unit(store, language):
    bank = seed_bank(store, 26)
    if language == "fr":
        speak_french(store)
    _, walker = round_with(store, 26, bank=bank, language=language, gold_every=6, repeat_share=0.2, rest_after_units=9,
                           guesses=2)
    wire = Wire(web(store, limits=Limits(known=RateLimit(10**6, 60))), walker.token)
    units = wire.session(language)
    assert {"main", "gold", "repeat"} <= set(served_roles(store)), "the session has to hold what it must not tell"
    everything = "\n".join(wire.texts) + "\n".join(json.dumps(text) for text in wire.texts)
    searched = [*FORBIDDEN, *secrets_of(store), str(store.home)]
    assert [word for word in searched if word in everything] == []
    assert [found for html in units for found in ROLES.findall(TEXT.sub(r"\1", html))] == []


def test_golds_and_repeats_look_like_any_other_unit(store):
    _, walker = round_with(store, 26, gold_every=6, repeat_share=0.2, practice=False, about=False, guesses=0,
                           rest_after_units=0)
    walker.call("agree")
    reply, shapes = walker.call("start"), {}
    while reply["screen"] == "unit":
        with store.read() as session:
            key = key_of(reply)
            role = session.exec(select(Assignment.role).where(Assignment.submit_key == key)).one()
        shapes.setdefault(role, set()).add(shape_of(reply["html"]))
        reply = walker.call("submit", key=key, **FULL)
    assert set(shapes) == {"main", "gold", "repeat"}
    first, *others = sorted(set().union(*shapes.values()), key=len)
    assert others in ([], [others[0]] if others else []), "only the very first unit differs: it has nothing to undo"
    assert all(shapes[role] <= shapes["main"] for role in shapes) and first


def shape_of(html: str) -> str:
    """A unit without its texts, its key and its numbers."""
    html = TEXT.sub(r"\1", html)
    return re.sub(r"\d+(\.\d+)?", "0", re.sub(r'data-key="[^"]*"', "", html))


def test_links_lead_into_the_app_and_gradios_own_addresses_stay(store):
    _, walker = round_with(store)
    client = web(store)
    for path, target in ((f"/rate/{walker.token}", f"/rate/?t={walker.token}"), ("/rate/mistyped", "/rate/?t=mistyped"),
                         ("/rate", "/rate/"), ("/rate/guest", "/rate/?t=guest")):
        reply = client.get(path)
        assert (reply.status_code, reply.headers["location"]) == (302, target)
    for path in ("/rate/", "/rate/config", "/rate/theme.css"):
        assert client.get(path).status_code == 200
    assert client.get("/rate/gradio_api/runs").status_code == 404


def test_a_guest_gets_a_link_in_the_public_demo_only_and_is_told_when_there_is_nothing(store):
    assert web(store, space=True).get("/rate/guest").status_code == 503
    seed_bank(store, 3)
    client = web(store, space=True)
    assert re.fullmatch(r"/rate/\?t=r-[0-9a-f]{40}", client.get("/rate/guest").headers["location"])


def test_nobody_can_upload_through_the_raters_app(store):
    reply = web(store).post("/rate/gradio_api/upload", files={"files": ("x.txt", b"hello world")})
    assert reply.status_code >= 400


def test_guesses_at_links_are_slowed_down_and_known_links_are_not(store):
    _, walker = round_with(store)
    limits = Limits(unknown=RateLimit(3, 60), known=RateLimit(5, 60))
    client = web(store, limits=limits)
    stranger, rater = Wire(client, "r-" + "1" * 40), Wire(client, walker.token)
    screens = [stranger.step()["screen"] for _ in range(5)]
    assert screens == ["unknown"] * 3 + ["wait"] * 2
    assert [rater.step()["screen"] for _ in range(6)] == ["consent"] * 5 + ["wait"]
    last = client.post("/rate/gradio_api/component_server/", json={
        "component_id": rater.component, "fn_name": "step", "session_hash": "s", "data": {"token": walker.token}})
    assert last.status_code == 429 and 1 <= int(last.headers["retry-after"]) <= 60
    assert "Too many requests" in last.json()["html"]


def test_the_browsers_own_language_is_read_where_the_page_sends_none(store):
    _, walker = round_with(store)
    client = web(store)
    client.headers["accept-language"] = "fr-CH,fr;q=0.9,en;q=0.5"
    assert Wire(client, walker.token).step()["language"] == "fr"
    assert answer(store, {"token": walker.token})["language"] == "en"
