"""The log-in in a browser: by keyboard, in narrow and dark windows, and what an open page says when it has ended."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.ui.access.conftest import NAME, PASSWORD

pytestmark = [
    pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def url(web) -> Iterator[str]:
    """The address of the guarded lab, served on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(web, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    server.force_exit = True
    thread.join(timeout=10)


@pytest.fixture(scope="module")
def browser():
    sync_playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").sync_playwright
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


def fill_in(page, password: str = PASSWORD) -> None:
    """By keyboard alone, beginning where the page has put the cursor."""
    page.keyboard.type(NAME)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_log_in_page_fits_a_phone_says_what_is_wrong_and_is_accessible(browser, url, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    page = browser.new_page(viewport={"width": 400, "height": 700}, color_scheme=scheme)
    page.goto(f"{url}/jobs")
    fill_in(page, "wrong")
    page.wait_for_selector("[role=alert]")
    assert "not right" in page.inner_text("[role=alert]") and page.evaluate("document.activeElement.id") == "password"
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    found = axe.run(page).response["violations"]
    assert not [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")]
    page.close()


def test_a_page_works_behind_the_log_in_and_says_when_it_has_ended(browser, url):
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    page, refused = context.new_page(), []
    page.on("response", lambda answer: refused.append(answer.url) if answer.status >= 400 else None)
    page.goto(f"{url}/jobs")
    fill_in(page)
    page.wait_for_selector("tr .row-link", timeout=60_000)  # an event went through the queue and came back
    page.wait_for_function("document.querySelector('[data-user]').textContent == 'ana'")
    assert page.url == f"{url}/jobs" and refused == []
    other = context.new_page()
    other.goto(f"{url}/jobs")
    other.get_by_role("button", name="Log out").click()
    other.wait_for_selector("#password")
    page.wait_for_selector(".lab-ended", timeout=30_000)  # the page asks for news every few seconds
    assert "Log in again" in page.inner_text(".lab-ended")
    fill_in(other)
    page.wait_for_selector(".lab-ended", state="detached", timeout=30_000)
    context.close()
