"""The Benchmarks page in a browser: a rank leads to its run, answers are read blind, views keep to the address."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import RunningLab, start_web, watched_page
from tests.stores import new_store
from tests.ui.seed_store import seed_store

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def seeded(tmp_path_factory) -> Iterator[RunningLab]:
    """The web process alone, over a store of made-up runs."""
    home = tmp_path_factory.mktemp("seeded")
    store = new_store(home)
    seed_store(store)
    store.close()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_WORKER", "off")
        running = RunningLab(home, port, start_web(home, port))
    yield running
    running.kill_web()


@pytest.fixture
def page(seeded, browser):
    with watched_page(browser, seeded.url) as page:
        yield page


def test_a_rank_leads_to_the_answers_behind_it_and_the_address_says_where_one_is(seeded, page):
    page.goto(f"{seeded.url}/benchmarks?base=demo-llama")
    board = page.locator("#view-leaderboard")
    expect(board.get_by_text("Between two blocks")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name="LaTeX", exact=True).click()
    assert r"\begin{tabular}" in saved.value.path().read_text(encoding="utf-8")
    board.get_by_text("demo-llama_demo-medical_trace_s0").first.click()
    expect(page.locator("#run-head")).to_contain_text("demo-llama_demo-medical_trace_s0 on demo-medical")
    page.wait_for_url(re.compile("view=runs"))
    assert "run=2" in page.url and "base=demo-llama" in page.url
    page.get_by_role("tab", name="Facts").click()
    expect(page.locator("#run-facts")).to_contain_text("How it was asked")
    page.wait_for_url(re.compile("part=facts"))
    page.reload()
    expect(page.locator("#run-facts")).to_contain_text("How it was asked")


def test_two_runs_are_read_side_by_side_where_they_differ(seeded, page):
    page.goto(f"{seeded.url}/benchmarks?view=arms&base=demo-llama")
    page.locator("#view-arms td").get_by_text("demo-llama_demo-medical_answer_s0").first.click()
    expect(page.locator("#run-head")).to_contain_text("points better than answer")
    first = page.locator("#run-questions details.sample").first
    first.locator("summary").first.click()
    expect(first.locator(".thought-text").first).to_be_visible()
    expect(first.locator(".sides h3")).to_have_count(2)


def test_an_answer_is_read_blind_and_only_then_is_told_what_the_scorer_read(seeded, page):
    page.goto(f"{seeded.url}/benchmarks?run=3&part=review&by=Ann")
    screen = page.locator("#review-screen")
    expect(screen).to_contain_text("0 of")
    assert "the scorer read" not in screen.inner_text()
    first = screen.locator(".review-question").inner_text()
    screen.locator("input[name=said]").fill("17")
    screen.get_by_role("button", name="It says this").click()
    expect(screen).to_contain_text("The last one: you read 17, the scorer read")
    expect(screen).to_contain_text("1 of")
    expect(screen.locator(".review-question")).not_to_have_text(first)
    screen.get_by_role("button", name="Undo the last one").click()
    expect(screen.locator(".review-question")).to_have_text(first)
    screen.get_by_role("button", name="It gives no answer").click()
    expect(screen).to_contain_text("you read no answer")
    expect(page.locator("#review-measure")).to_contain_text("Measured extraction error")


def test_a_form_with_faults_names_each_with_its_field_and_starts_nothing(seeded, page):
    page.goto(f"{seeded.url}/benchmarks")
    expect(page.locator("#view-leaderboard .leaderboard").first).to_be_visible()
    page.get_by_text("Run a benchmark").click()
    page.get_by_text("More settings").click()
    page.get_by_text("Budget curve and forced answers").click()
    page.get_by_placeholder("16, 32, 64").press_sequentially("16, 999", delay=20)
    page.wait_for_timeout(400)  # nobody types and clicks within the same tick
    page.get_by_role("button", name="Run", exact=True).click()
    told = page.locator("#benchmark-form .lab-error")
    expect(told).to_contain_text("2 things to correct")
    expect(told).to_contain_text("Models")
    expect(told).to_contain_text("max_new_tokens (128), not 999")


@pytest.mark.parametrize("view", ["leaderboard", "arms", "curve", "runs&run=2", "runs&run=2&part=review&by=Ann"])
def test_every_view_fits_a_phone(seeded, page, view):
    page.set_viewport_size({"width": 400, "height": 850})
    page.goto(f"{seeded.url}/benchmarks?view={view}")
    expect(page.locator("#benchmark-views")).to_be_visible()
    page.wait_for_timeout(2500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
