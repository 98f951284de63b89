"""A rater's whole session in a browser, by keyboard alone, on a desk and on a phone; axe looks at every screen."""

from __future__ import annotations

import re

import pytest
from sqlmodel import select

from lab.rating.practice import practice_units
from storage.database import open_store
from storage.tables.ratings import BlindGuess, Rater, Rating
from tests.ui.rater_browser import CHROMIUM, FLAGS, HAS_CHROMIUM, Hand, Server
from tests.ui.rater_walk import round_with

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not HAS_CHROMIUM, reason=f"no Chromium at {CHROMIUM} (set LAB_CHROMIUM)"),
]
QUICK = {"practice": False, "about": False, "guesses": 0, "min_seconds": 0}
ANOTHER = "key => { const box = document.querySelector('[data-form]'); return box?.dataset.key !== key; }"


@pytest.fixture(scope="module")
def browser():
    sync_playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").sync_playwright
    with sync_playwright() as play:
        made = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield made
        made.close()


@pytest.fixture
def store(tmp_path):
    store = open_store(home=tmp_path / "home")
    yield store
    store.close()


@pytest.fixture
def server(store):
    server = Server(store)
    yield server
    server.stop()


def open_page(browser, link: str, **settings):
    context = browser.new_context(**{"viewport": {"width": 1400, "height": 850}, "locale": "en-GB",
                                     "reduced_motion": "reduce", **settings})
    page = context.new_page()
    page.set_default_timeout(45000)  # a busy machine is no fault of the page
    page.goto(link)
    return page


def at_first_unit(browser, server, store, n_items=3, **more):
    """A page at the first unit of a round without practice, and the round's walker."""
    settings = more.pop("settings", {})
    _, walker = round_with(store, n_items, **{**QUICK, **more})
    walker.call("agree")
    walker.call("start")
    page = open_page(browser, server.link(walker.token), **settings)
    page.wait_for_selector('.page[data-screen="unit"]')
    return page, walker


def submit_and_wait(page, *keys: str) -> None:
    before = page.get_attribute("[data-form]", "data-key")
    hand = Hand(page)
    hand.keys(*keys)
    hand.enter()
    page.wait_for_function(ANOTHER, arg=before)


def given(store) -> list[tuple]:
    with store.read() as session:
        rows = session.exec(select(Rating).order_by(Rating.id)).all()
        return [(row.fluency_left, row.fluency_right, row.preference) for row in rows]


@pytest.mark.parametrize("width, colours, locale", [(1400, "light", "en-GB"), (400, "dark", "fr-CH")])
def test_every_stage_goes_by_keyboard_alone_and_is_accessible(browser, server, store, width, colours, locale):
    from axe_playwright_python.sync_playwright import Axe

    _, walker = round_with(store, 2, rest_after_units=1, guesses=1, min_seconds=0, allow_both_bad=True)
    page = open_page(browser, server.link(walker.token), color_scheme=colours, locale=locale,
                     viewport={"width": width, "height": 850}, has_touch=width < 760)
    hand = Hand(page, Axe())
    walk_to_the_units(hand)
    walk_the_units(hand)
    walk_to_the_end(hand)
    assert page.evaluate("document.documentElement.lang") == locale[:2]
    assert hand.faults == []
    with store.read() as session:
        rater = session.exec(select(Rater)).one()
        assert rater.state == "done" and rater.closing["comment"] == "ok" and rater.about["experience"] == "none"
        assert session.exec(select(BlindGuess.sureness)).one() == 3
    assert given(store)[-2:] == [(2, 4, "right"), (5, 3, "both_bad")]
    page.context.close()


def walk_to_the_units(hand: Hand) -> None:
    hand.screen("consent")
    hand.tab_to('[data-open="decline"]')
    hand.keys("Enter")
    hand.look("decline")
    hand.keys("Escape", "Shift+Tab", "Enter")
    hand.screen("about")
    hand.keys("1", "4", "1")
    hand.enter()
    hand.screen("instructions")
    hand.tab_to('[data-action="start"]')
    hand.keys("Enter")
    for number, unit in enumerate(practice_units("en")):
        hand.screen("practice") if number < 2 else hand.page.wait_for_selector('[data-screen="practice"]')
        side = {"a": "ArrowLeft", "b": "ArrowRight"}.get(unit.preference, "t")
        hand.keys(str(unit.fluency_a), str(unit.fluency_b), side)
        hand.enter()
        hand.screen("feedback") if number in (0, 4) else hand.page.wait_for_selector('[data-screen="feedback"]')
        hand.tab_to('[data-action="open"]')
        hand.keys("Enter")


def walk_the_units(hand: Hand) -> None:
    hand.screen("unit")
    for key, window in (("s", "skip"), ("?", "keys")):
        hand.keys(key)
        hand.page.wait_for_selector(f'dialog[data-window="{window}"][open]')
        hand.look(window)
        hand.keys("Escape")
    for window in ("privacy", "withdraw"):
        hand.tab_to(f'[data-open="{window}"]')
        hand.keys("Enter")
        hand.page.wait_for_selector(f'dialog[data-window="{window}"][open]')
        hand.look(window)
        hand.keys("Escape")
    hand.page.focus("h1")
    hand.keys("p")
    hand.screen("paused")
    hand.enter()
    hand.screen("unit")
    hand.keys("2", "4", "3", "c")
    hand.page.keyboard.type("1 u s p")
    hand.keys("Escape")
    hand.look("unit that is filled in")
    hand.enter()
    hand.screen("rest")
    hand.enter()
    hand.screen("unit")
    hand.keys("5", "3", "b")
    hand.enter()


def walk_to_the_end(hand: Hand) -> None:
    hand.screen("guess")
    hand.keys("ArrowRight", "Tab")
    hand.keys("3")
    hand.enter()
    hand.screen("closing")
    hand.keys("1", "1")
    hand.tab_to("textarea")
    hand.page.keyboard.type("ok")
    hand.tab_to("[data-submit]")
    hand.keys("Enter")
    hand.screen("end")


def test_what_was_chosen_survives_a_reload_and_nothing_else_is_stored(browser, server, store):
    page, _ = at_first_unit(browser, server, store)
    texts = page.locator(".text").all_inner_texts()
    page.wait_for_timeout(300)
    Hand(page).keys("4", "2", "c")
    page.keyboard.type("Because")
    page.reload()
    page.wait_for_selector('.page[data-screen="unit"]')
    assert page.locator(".text").all_inner_texts() == texts and len(texts) == 3
    assert page.is_checked('[name=fluency_left][value="4"]') and page.input_value("[name=comment]") == "Because"
    assert page.evaluate("[Object.keys(sessionStorage).length, Object.keys(localStorage).length, document.cookie]") \
        == [1, 0, ""]
    page.focus("h1")
    submit_and_wait(page, "3")
    assert given(store) == [(4, 2, "right")]
    with store.read() as session:
        row = session.exec(select(Rating)).one()
    assert row.comment == "Because" and row.total_ms >= row.visible_ms >= 900, "the time before the reload counts"
    page.context.close()


def test_two_tabs_rate_a_unit_once(browser, server, store):
    page, walker = at_first_unit(browser, server, store)
    other = page.context.new_page()
    other.goto(server.link(walker.token))
    other.wait_for_selector('.page[data-screen="unit"]')
    assert page.get_attribute("[data-form]", "data-key") == other.get_attribute("[data-form]", "data-key")
    submit_and_wait(page, "4", "2", "1")
    submit_and_wait(other, "1", "1", "2")
    assert given(store) == [(4, 2, "left")]
    assert page.get_attribute("[data-form]", "data-key") == other.get_attribute("[data-form]", "data-key")
    page.context.close()


def test_a_server_that_starts_again_in_mid_unit_loses_nothing(browser, server, store):
    page, _ = at_first_unit(browser, server, store)
    Hand(page).keys("5", "4", "1")
    server.stop()
    Hand(page).enter()
    page.wait_for_selector(".offline")
    assert page.is_checked('[name=fluency_left][value="5"]') and given(store) == []
    server.start()
    go_on_after_a_restart(page)
    assert given(store) == [(5, 4, "left")]
    page.context.close()


def go_on_after_a_restart(page) -> None:
    """'Try again' until the unit is sent. Gradio loads the page afresh when it finds the server again, and so does 'Try
    again' when the server does not know the page any more: then the choices are there, and Enter sends them."""
    from playwright.sync_api import Error

    for _ in range(120):
        try:
            if page.inner_text("h1").startswith("Pair 2"):
                return
            if page.locator("[data-again]").count():
                page.click("[data-again]", timeout=500)
            elif page.locator("input:checked").count() == 3:
                Hand(page).enter()
            page.wait_for_timeout(250)
        except Error:  # the page was loaded afresh in between
            page.wait_for_timeout(250)
    raise AssertionError("the page did not go on")


def test_a_lost_connection_is_tried_again_with_the_same_key(browser, server, store):
    page, _ = at_first_unit(browser, server, store)
    sent = []
    page.on("request", lambda one: "component_server" in one.url and sent.append(one.post_data_json["data"]))
    page.route("**/component_server/**", lambda route: route.abort())
    Hand(page).keys("4", "3", "1")
    Hand(page).enter()
    page.wait_for_selector(".offline")
    assert "Nothing you chose is lost" in page.inner_text(".offline")
    page.unroute("**/component_server/**")
    page.keyboard.press("Enter")  # the focus is on the button
    page.wait_for_function(ANOTHER, arg=sent[0]["key"])
    assert sent[0]["key"] == sent[1]["key"] and given(store) == [(4, 3, "left")]
    page.context.close()


def test_too_many_calls_say_to_wait_and_keep_the_page(browser, store):
    server = Server(store, calls=2)
    page, _ = at_first_unit(browser, server, store)
    submit_and_wait(page, "4", "3", "1")
    Hand(page).keys("2", "2", "2")
    Hand(page).enter()
    page.wait_for_selector(".offline")
    assert re.search(r"Wait \d\d? seconds", page.inner_text(".offline"))
    assert page.is_checked('[name=fluency_left][value="2"]')
    page.context.close()
    server.stop()


def test_keys_wait_until_there_was_time_to_read_and_never_vote_by_themselves(browser, server, store):
    page, _ = at_first_unit(browser, server, store, min_seconds=2)
    hand = Hand(page)
    hand.keys("4", "Enter")
    assert page.locator("input:checked").count() == 0 and page.inner_text(".count") in ("1", "2")
    page.wait_for_function("document.querySelector('.count').textContent === ''")
    hand.keys("Control+4", "Alt+4")
    page.evaluate("document.dispatchEvent(new KeyboardEvent('keydown', {key: '4', repeat: true, bubbles: true}))")
    assert page.locator("input:checked").count() == 0
    press = """code => document.activeElement.dispatchEvent(
      new KeyboardEvent("keydown", {key: "&", code, bubbles: true}))"""
    page.evaluate(press, "Digit5")  # a French keyboard without Shift
    assert page.is_checked('[name=fluency_left][value="5"]')
    hand.keys("Enter")
    assert page.inner_text(".missing") == "Still open: the score for B, the choice between A and B"
    assert given(store) == []
    page.context.close()


def test_time_counts_while_somebody_is_there(browser, server, store):
    _, walker = round_with(store, 2, **QUICK)
    walker.call("agree")
    walker.call("start")
    page = open_page(browser, "about:blank")
    page.clock.install()
    page.goto(server.link(walker.token))
    page.wait_for_selector('.page[data-screen="unit"]')
    page.clock.fast_forward(400_000)
    submit_and_wait(page, "4", "2", "1")
    with store.read() as session:
        row = session.exec(select(Rating)).one()
    assert 120_000 <= row.visible_ms < 160_000 and row.total_ms >= 400_000
    page.context.close()


def test_the_language_can_be_changed_in_mid_unit_and_choices_stay(browser, server, store):
    page, _ = at_first_unit(browser, server, store, settings={"locale": "fr-CH"})
    assert page.inner_text("h1") == "Paire 1 sur 3"
    Hand(page).keys("4")
    page.click('[data-language="en"]')
    page.wait_for_function("document.documentElement.lang === 'en'")
    assert page.inner_text("h1") == "Pair 1 of 3" and page.is_checked('[name=fluency_left][value="4"]')
    assert page.title() == "How well does it read?"
    page.context.close()


def test_nothing_is_asked_of_any_other_host_and_no_english_is_shown_to_a_french_browser(browser, server, store):
    _, walker = round_with(store, 2, **QUICK)
    page = open_page(browser, "about:blank", locale="fr-CH")
    asked, shown = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.add_init_script("""window.shown = new Set(); new MutationObserver(() => shown.add(
      document.querySelector('.loading')?.textContent ?? '')).observe(document, {subtree: true, childList: true})""")
    page.goto(server.link(walker.token))
    page.wait_for_selector('.page[data-screen="consent"]')
    shown = page.evaluate("[...window.shown]")
    assert "Un instant…" in shown and "One moment…" not in shown
    own = (f"http://127.0.0.1:{server.port}/", "data:", "blob:")
    assert [url for url in asked if not url.startswith(own)] == []
    page.context.close()
