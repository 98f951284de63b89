"""A rater's whole session in a browser, by keyboard alone; every byte the browser receives is searched for a model."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI

from lab.core.settings import Settings
from lab.ui.app_state import LabApp
from lab.ui.rater.app import mount_rater
from storage.database import open_store
from storage.queries.ratings import current_ratings, progress
from storage.queries.rounds import RoundPlan, create_round, invite
from tests.rating.bank import MODELS, seed_bank

CHROMIUM = os.environ.get("LAB_CHROMIUM") or "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync"]
FORBIDDEN = [label.encode() for label, _, _ in MODELS] + [b"demo-llama", b"SECRET-THOUGHT", b"model_label", b"item-00"]
OTHER_PAIR = "key => document.querySelector('#rater main')?.dataset.key !== key"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"no Chromium at {CHROMIUM} (set LAB_CHROMIUM)"),
]


@pytest.fixture
def rating(tmp_path):
    """(store, round, address of the rater's link), served on a free port."""
    store = open_store(home=tmp_path / "home")
    made = create_round(store, RoundPlan(seed_bank(store, 4), MODELS[0][0], MODELS[1][0], "Fluency", quota=1))
    token = invite(store, made.id, ["R1"])[0][1]
    web = FastAPI()
    mount_rater(web, LabApp(store, Settings.from_env({"LAB_HOME": str(tmp_path / "home")})))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(web, host="127.0.0.1", port=port, log_level="error", timeout_keep_alive=120))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield store, made, f"http://127.0.0.1:{port}/rate/{token}"
    server.should_exit = True
    thread.join(timeout=10)
    store.close()


@pytest.fixture
def page():
    sync_playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").sync_playwright
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser.new_page(viewport={"width": 400, "height": 850})
        browser.close()


def press(page, keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def submit_by_keys(page, keys: str) -> None:
    """Score, choose, Enter; wait for the next screen. A short wait first: Enter is ignored while a pair is new."""
    key = page.get_attribute("main.pair", "data-key")
    page.wait_for_timeout(700)
    press(page, keys)
    page.keyboard.press("Enter")
    page.wait_for_function(OTHER_PAIR, arg=key)


def test_a_session_by_keyboard_is_stored_and_no_byte_names_a_model(rating, page):
    store, made, link = rating
    received, errors = record(page), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(link)
    page.wait_for_selector("[data-action=start]")
    page.focus("[data-action=start]")
    page.keyboard.press("Enter")
    page.wait_for_selector("main.pair")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    press(page, "4")
    page.keyboard.press("Enter")  # not whole yet: nothing is sent
    assert page.inner_text(".missing") == "Still open: a score for B, which reads better"
    shown = page.locator(".text").all_inner_texts()  # the question, A, B
    page.reload()
    page.wait_for_selector("main.pair")
    assert page.locator(".text").all_inner_texts() == shown and len(shown) == 3

    submit_by_keys(page, "421")
    page.keyboard.press("u")
    page.wait_for_selector(".notice")
    submit_by_keys(page, "533")  # the correction
    submit_by_keys(page, "222")
    page.click("summary:has-text('Skip')")
    page.click("[data-reason=language]")
    page.wait_for_function("document.querySelector('#rater h1').textContent.startsWith('Pair 3')")
    page.wait_for_function("!document.querySelector('.rater-stage[aria-busy]')")
    submit_by_keys(page, "152")
    assert page.inner_text("h1") == "Thank you"

    with store.read() as session:
        rows = current_ratings(session, made.id)
        assert progress(session, made.id).n_skipped == 1
    given = [(row.fluency_left, row.fluency_right, row.preference) for row in rows]
    assert given == [(5, 3, "right"), (2, 2, "tie"), (1, 5, "tie")]
    assert all(row.visible_ms and row.visible_ms >= 600 for row in rows)
    assert errors == []
    origin = link.split("/rate/")[0]
    assert [url for url, _ in received if not url.startswith((origin, "data:", "blob:"))] == []
    assert sum("component_server" in url for url, _ in received) == 9  # two openings, start, undo, skip, four verdicts
    leaks = [(url, word) for url, text in received for word in FORBIDDEN if word in text or word in url.encode()]
    assert leaks == []


def record(page) -> list[tuple[str, bytes]]:
    """Every (address, body) that reaches the browser from here on.

    Not read: the heartbeat, a stream that never ends, and Gradio's own scripts and styles, the same for everyone.
    """
    received: list[tuple[str, bytes]] = []

    def pass_on(route) -> None:
        if any(part in route.request.url for part in ("/heartbeat/", "/rate/assets/", "/rate/static/")):
            received.append((route.request.url, b""))
            route.continue_()
            return
        response = route.fetch(max_redirects=0)
        received.append((route.request.url, response.body()))
        route.fulfill(response=response)

    page.route("**/*", pass_on)
    return received


def test_when_the_lab_is_gone_the_choice_stays_and_can_be_sent_again(rating, page):
    store, made, link = rating
    page.goto(link)
    page.click("[data-action=start]")
    page.wait_for_selector("main.pair")
    page.route("**/component_server/**", lambda route: route.abort())
    page.wait_for_timeout(700)
    press(page, "431")
    page.keyboard.press("Enter")
    page.wait_for_selector(".offline")
    assert page.is_checked("[name=fluency_left][value='4']")
    page.unroute("**/component_server/**")
    page.click("[data-action=again]")
    page.wait_for_function("document.querySelector('#rater h1').textContent.startsWith('Pair 2')")
    with store.read() as session:
        assert len(current_ratings(session, made.id)) == 1
