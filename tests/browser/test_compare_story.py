"""A story of the Compare page: ask, watch, reload, go on, edit, save, open by link elsewhere, vote blind."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ROOT, keep_text, watched_page

pytestmark = pytest.mark.browser

NAMES = ("demo-llama", "_trace_s0", "_answer_s0", "arm-trace", "arm-answer", "arm-base")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory):
    home: Path = tmp_path_factory.mktemp("compare")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {**os.environ, "LAB_HOME": str(home), "HF_HUB_OFFLINE": "1", "LAB_DATABASE_URL": ""}
    command = [sys.executable, "-m", "tests.browser.scripted_lab", str(port)]
    with (home / "web.log").open("wb") as log:
        web = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT)
    deadline = time.monotonic() + 90
    while True:
        assert web.poll() is None and time.monotonic() < deadline, (home / "web.log").read_text()
        try:
            httpx.get(f"http://127.0.0.1:{port}/compare", trust_env=False)
            break
        except httpx.TransportError:
            time.sleep(0.3)
    yield f"http://127.0.0.1:{port}"
    web.kill()
    web.wait()


@pytest.fixture(scope="module")
def page(url, browser):
    with watched_page(browser, url) as page:
        page.goto(f"{url}/compare")
        expect(page.get_by_text("Answers appear here")).to_be_visible()
        expect(page.locator("#compare-model-3 input")).to_have_value(re.compile("trace_s0"))
        yield page


def ask(page, text: str) -> None:
    page.locator("#compare-question textarea").fill(text)
    page.locator("#compare-ask").click()


def last_turn(page, n_columns: int = 3) -> None:
    """Wait until every column of the turn at the bottom has ended by itself."""
    expect(page.locator("#compare-answers").get_by_text(re.compile("tokens/s"))).to_have_count(n_columns)
    expect(page.locator("#compare-ask")).to_be_enabled()


def test_answers_stream_and_a_reload_in_the_middle_goes_on_with_them(page):
    ask(page, "How much is it? [slow] [unclosed]")
    answers = page.locator("#compare-answers")
    expect(answers.get_by_text("warming up").first).to_be_visible()
    expect(answers.get_by_text("thinking …").first).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?c=[0-9a-f]{12}$"))
    page.reload()
    expect(page.locator("#compare-stop")).to_be_enabled()
    before = answers.locator(".thought-text").first.text_content()
    expect(answers.locator(".thought-text").first).not_to_have_text(before)
    page.locator("#compare-stop").click()
    expect(answers.get_by_text("stopped by you")).to_have_count(3)
    page.get_by_role("button", name="Edit question 1").click()
    expect(page.get_by_text("Question 1 and its answers are replaced, when Ask is pressed.")).to_be_visible()
    ask(page, "How much is it?")
    last_turn(page)
    expect(answers.get_by_text(re.compile("Thinking · 19"))).to_be_visible()
    expect(answers.get_by_text("proven: the base, adapters off")).to_be_visible()


def test_a_second_question_goes_on_below_and_an_opened_thought_stays_open(page):
    page.locator("#compare-answers summary").first.click()
    ask(page, "And **now**?")
    expect(page.locator("#compare-past").get_by_text("How much is it?")).to_be_visible()
    last_turn(page)
    expect(page.locator("#compare-answers").get_by_text("Question 2")).to_be_visible()
    page.locator("#compare-mode").get_by_text("Plain").click()
    expect(page.locator("#compare-answers").get_by_text(re.compile(r"answer of \*\*it\*\*")).first).to_be_visible()
    page.locator("#compare-mode").get_by_text("Rendered").click()
    expect(page.locator("#compare-answers strong").first).to_have_text("it")


def test_an_edited_question_replaces_what_came_after_it(page):
    page.get_by_role("button", name="Edit question 1").click()
    expect(page.get_by_text("the 1 question after it go")).to_be_visible()
    expect(page.locator("#compare-question textarea")).to_have_value("How much is it?")
    ask(page, "How much, then?")
    last_turn(page)
    expect(page.locator("#compare-answers").get_by_text("How much, then?")).to_be_visible()
    expect(page.get_by_text("And **now**?")).to_have_count(0)


def test_one_failed_column_may_be_retried_alone(page):
    ask(page, "please [fail]")
    expect(page.locator("#compare-answers").get_by_text("asked to fail")).to_have_count(3)
    expect(page.get_by_role("button", name="Retry this column")).to_have_count(3)
    page.get_by_role("button", name="Retry this column").first.click()
    expect(page.locator("#compare-answers").get_by_text("warming up")).to_have_count(1)
    expect(page.get_by_role("button", name="Retry this column")).to_have_count(3)


def test_a_saved_comparison_is_listed_and_its_link_opens_it_elsewhere(page, url, browser):
    page.get_by_text("Save, share, send to raters").click()
    title = page.locator("#compare-title input, #compare-title textarea")
    title.click()
    title.press_sequentially("The kept one", delay=30)  # the fold has just been opened: the box may not listen yet
    page.locator("#compare-save").click()
    listed = page.locator("#compare-list")
    expect(listed.get_by_text("The kept one")).to_be_visible()
    link = listed.get_by_role("link", name="The kept one").get_attribute("href")
    elsewhere = browser.new_context(viewport={"width": 400, "height": 800}).new_page()
    elsewhere.goto(url + link)
    expect(elsewhere.locator("#compare-past").get_by_text("How much, then?")).to_be_visible()
    expect(elsewhere.locator("#compare-answers").get_by_text("please [fail]")).to_be_visible()
    assert elsewhere.evaluate("document.documentElement.scrollWidth") <= 400, "it fits a narrow window"
    elsewhere.context.close()


def test_a_delete_asks_first_and_leaves_an_empty_page(page):
    page.locator("#compare-list").get_by_role("button", name="Delete: The kept one").click()
    expect(page.get_by_text(re.compile("Delete 'The kept one' with its 2 questions"))).to_be_visible()
    page.locator("#compare-delete").click()
    expect(page.get_by_text("No comparison is saved yet")).to_be_visible()
    expect(page.get_by_text("Answers appear here")).to_be_visible()
    expect(page).to_have_url(re.compile("/compare$"))


def test_a_blind_vote_comes_before_the_names_whoever_looks(page, url, browser):
    page.locator("#compare-blind input").check()
    ask(page, "Which is better?")
    expect(page.locator("#compare-vote-A")).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?c=[0-9a-f]{12}$"))
    received = open_and_keep(browser, page.url)
    assert "name after the vote" in received
    assert not [name for name in NAMES if name in own_part(received)]
    text = page.locator("#compare-answers").inner_html() + page.locator("#compare-setup").all_inner_texts().__repr__()
    assert not [name for name in NAMES if name in text]
    page.locator("#compare-vote-B").click()
    expect(page.locator("#compare-answers").get_by_text("Voted blind: B is better")).to_be_visible()
    expect(page.locator("#compare-answers").get_by_text("demo-llama", exact=True).first).to_be_visible()
    page.reload()
    expect(page.locator("#compare-answers").get_by_text("Voted blind: B is better")).to_be_visible()


def open_and_keep(browser, address: str) -> str:
    """Everything another browser receives as text when it opens the address."""
    received: list[str] = []

    context = browser.new_context()
    page = context.new_page()
    keep_text(page, received)
    page.goto(address)
    expect(page.locator("#compare-vote-A")).to_be_visible()
    expect(page.locator("#compare-setup")).to_be_hidden()
    page.wait_for_timeout(500)
    received.append(page.content())
    context.close()
    return "\n".join(received)


def own_part(received: str) -> str:
    """Without the style sheet, which has a rule for every arm."""
    return re.sub(r"(?s)<style.*?</style>|\.(?:chip\.)?arm-\w+[^}]*\}|\"css\":\s*\"(?:[^\"\\]|\\.)*\"", "", received)
