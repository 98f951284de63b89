"""The rater's app without a browser: each step of a session, the addresses, and what leaks into any answer."""

from __future__ import annotations

import json
import re

import pytest
from starlette.testclient import TestClient

from lab.core.settings import Settings
from lab.rating.rounds import DEFINITION
from lab.ui.app_state import LabApp
from lab.ui.rater.app import mount_rater
from lab.ui.rater.session import answer
from storage.database import open_store
from storage.queries.ratings import current_ratings, progress
from storage.queries.rounds import RoundPlan, close_round, create_round, invite
from tests.rating.bank import MODELS, THOUGHT, seed_bank

FORBIDDEN = [label for label, _, _ in MODELS] + ["demo-llama", "SECRET-THOUGHT", THOUGHT, "&lt;think", "item-0"]
FULL = {"fluency_left": 4, "fluency_right": 2, "preference": "left", "comment": "", "visible_ms": 8000}


@pytest.fixture
def store(tmp_path):
    store = open_store(home=tmp_path / "home")
    yield store
    store.close()


@pytest.fixture
def session(store):
    """A round of four pairs and the token of its one rater."""
    made = create_round(store, RoundPlan(seed_bank(store, 4), MODELS[0][0], MODELS[1][0], "Fluency", quota=1))
    return made, invite(store, made.id, ["R1"])[0][1]


def key_of(reply) -> str:
    return re.search(r'data-key="([^"]+)"', reply["html"]).group(1)


def web(store, space=False) -> TestClient:
    from fastapi import FastAPI

    server = FastAPI()
    env = {"LAB_HOME": str(store.home), **({"SPACE_ID": "x/y"} if space else {})}
    mount_rater(server, LabApp(store, Settings.from_env(env)))
    return TestClient(server, follow_redirects=False)


def step(client: TestClient, **call):
    config = client.get("/rate/config").json()
    (component,) = [c["id"] for c in config["components"] if c["type"] == "html"]
    body = {"component_id": component, "fn_name": "step", "session_hash": "s", "data": call}
    return client.post("/rate/gradio_api/component_server/", json=body)


def test_a_session_runs_from_the_instructions_to_the_end(store, session):
    made, token = session
    reply = answer(store, {"token": token})
    assert reply["screen"] == "intro" and "4 pairs of answers, about 3 min" in reply["html"]
    assert DEFINITION[:40] in reply["html"]
    reply, seen = answer(store, {"token": token, "action": "start"}), []
    while reply["screen"] == "pair":
        seen.append(re.search(r"Pair (\d+) <small>of (\d+)", reply["html"]).groups())
        reply = answer(store, {"token": token, "action": "submit", "key": key_of(reply), **FULL})
    assert seen == [(str(i), "4") for i in (1, 2, 3, 4)]
    assert reply["screen"] == "end" and "You rated 4 pairs" in reply["html"] and "Change my last" in reply["html"]
    with store.read() as opened:
        assert progress(opened, made.id).n_complete == 4


def test_opening_the_link_again_goes_back_to_the_same_pair(store, session):
    _, token = session
    first = answer(store, {"token": token, "action": "start"})
    assert answer(store, {"token": token}) == first == answer(store, {"token": token, "action": "what?"})


def test_nothing_is_stored_before_the_form_is_whole_and_what_was_chosen_stays(store, session):
    made, token = session
    reply = answer(store, {"token": token, "action": "start"})
    call = {**FULL, "preference": None, "comment": "so far"}
    refused = answer(store, {"token": token, "action": "submit", "key": key_of(reply), **call})
    assert refused["screen"] == "pair" and key_of(refused) == key_of(reply)
    assert "preference: should be one of" in refused["html"] and "so far" in refused["html"]
    assert re.search(r'name="fluency_left" value="4" checked', refused["html"])
    with store.read() as opened:
        assert current_ratings(opened, made.id) == []


@pytest.mark.parametrize("strange", [
    {"fluency_left": "4"}, {"fluency_left": [1]}, {"fluency_left": 4.5}, {"preference": {"a": 1}},
    {"fluency_right": 99}, {"visible_ms": "x", "fluency_left": None},
])
def test_strange_values_are_refused_politely(store, session, strange):
    made, token = session
    reply = answer(store, {"token": token, "action": "start"})
    refused = answer(store, {"token": token, "action": "submit", "key": key_of(reply), **FULL, **strange})
    assert refused["screen"] == "pair" and 'role="alert"' in refused["html"]
    with store.read() as opened:
        assert current_ratings(opened, made.id) == []


@pytest.mark.parametrize("visible, kept", [
    (8000, 8000), (8000.7, 8000), (-1, None), (True, None), ("9", None), (1e12, None), (float("nan"), None),
])
def test_a_time_that_cannot_be_is_not_stored(store, session, visible, kept):
    made, token = session
    reply = answer(store, {"token": token, "action": "start"})
    answer(store, {"token": token, "action": "submit", "key": key_of(reply), **FULL, "visible_ms": visible})
    with store.read() as opened:
        assert [row.visible_ms for row in current_ratings(opened, made.id)] == [kept]


def test_undo_shows_what_was_said_and_skip_moves_on(store, session):
    _, token = session
    first = answer(store, {"token": token, "action": "start"})
    second = answer(store, {"token": token, "action": "submit", "key": key_of(first), **FULL})
    assert 'data-action="undo"' in second["html"] and 'data-action="undo"' not in first["html"]
    undone = answer(store, {"token": token, "action": "undo"})
    assert "You are changing your last rating" in undone["html"]
    assert re.search(r'name="fluency_left" value="4" checked', undone["html"])
    after = answer(store, {"token": token, "action": "submit", "key": key_of(undone), **FULL})
    assert key_of(after) == key_of(second)
    skipped = answer(store, {"token": token, "action": "skip", "key": key_of(after), "reason": "language"})
    assert key_of(skipped) != key_of(after)
    none = answer(store, {"token": token, "action": "undo"})
    assert "only the last rating can be changed" in none["html"]


def test_text_in_an_answer_is_shown_and_never_run(store):
    from sqlmodel import select

    from storage.tables import Answer

    bank = seed_bank(store, 1)
    with store.write() as opened:
        row = opened.exec(select(Answer)).first()
        row.shown_text = "<img src=x onerror=alert(1)> ${1+1} {{x}} `y` & more\n  indented"
        opened.add(row)
    made = create_round(store, RoundPlan(bank, MODELS[0][0], MODELS[1][0], "F", quota=1))
    html = answer(store, {"token": invite(store, made.id, ["R"])[0][1], "action": "start"})["html"]
    assert "<img" not in html and "&lt;img src=x" in html and "${" not in html and "{{" not in html
    assert "\n  indented" in html


@pytest.mark.parametrize("call", [{}, {"token": ""}, {"token": "r-nobody"}, {"token": None}, {"token": {"a": 1}}])
@pytest.mark.parametrize("action", ["open", "start", "submit", "skip", "undo"])
def test_without_a_known_token_there_is_only_a_friendly_page(store, session, call, action):
    reply = answer(store, {**call, "action": action, "key": "x", **FULL})
    assert reply["screen"] == "message" and "We do not know this link" in reply["html"]


def test_a_closed_round_says_so_to_every_action(store, session):
    made, token = session
    close_round(store, made.id)
    for action in ("open", "start", "submit", "skip", "undo"):
        assert "This round is closed" in answer(store, {"token": token, "action": action, **FULL})["html"]


def test_a_fault_of_the_lab_is_a_sentence_for_the_rater_and_a_traceback_in_the_log(store, session, caplog):
    _, token = session
    reply = answer(type("Broken", (), {"read": store.read, "write": None})(), {"token": token, "action": "start"})
    assert reply["screen"] == "message" and "reload the page" in reply["html"]
    assert "Traceback" in caplog.text and "TypeError" not in reply["html"]


def test_links_lead_into_the_app_and_gradios_own_addresses_stay(store, session):
    _, token = session
    client = web(store)
    for path, target in ((f"/rate/{token}", f"/rate/?t={token}"), ("/rate/mistyped", "/rate/?t=mistyped"),
                         ("/rate", "/rate/"), ("/rate/guest", "/rate/?t=guest")):
        reply = client.get(path)
        assert (reply.status_code, reply.headers["location"]) == (302, target)
    for path in ("/rate/", "/rate/config", "/rate/theme.css"):
        assert client.get(path).status_code == 200
    assert client.get("/rate/gradio_api/runs").status_code == 404


def test_a_guest_gets_a_link_in_the_public_demo_only(store, session):
    assert re.fullmatch(r"/rate/\?t=r-[0-9a-f]{40}", web(store, space=True).get("/rate/guest").headers["location"])


def test_a_guest_of_an_empty_demo_is_told_to_come_back(store):
    reply = web(store, space=True).get("/rate/guest")
    assert reply.status_code == 503 and "nothing to rate yet" in reply.text


def test_nobody_can_upload_through_the_raters_app(store):
    reply = web(store).post("/rate/gradio_api/upload", files={"files": ("x.txt", b"hello world")})
    assert reply.status_code >= 400


def test_no_byte_of_a_session_names_a_model_or_its_thinking(store, session):
    _, token = session
    client = web(store)
    texts = [client.get(path).text for path in ("/rate/", "/rate/config", f"/rate/?t={token}", "/rate/gradio_api/info",
                                                "/rate/theme.css")]
    reply = step(client, token=token, action="open")
    texts.append(reply.text)
    reply = step(client, token=token, action="start")
    rated = 0
    while reply.json()["screen"] == "pair":
        texts.append(reply.text)
        if rated == 1:
            texts.append(step(client, token=token, action="undo").text)
            reply = step(client, token=token, action="open")
        reply = step(client, token=token, action="submit", key=key_of(reply.json()), **FULL)
        rated += 1
    texts.append(reply.text)
    assert rated >= 4 and reply.json()["screen"] == "end"
    everything = "\n".join(texts) + "\n".join(json.dumps(text) for text in texts)
    leaked = [word for word in [*FORBIDDEN, str(store.home), "model_label", "arm-trace"] if word in everything]
    assert leaked == []
