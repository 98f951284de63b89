"""What visitors do in their browsers: ask on Compare, wait for all answers, begin anew. For `tests.perf.visitors`."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from playwright.async_api import Browser, Page, async_playwright
from playwright.async_api import Error as BrowserError

from tests.browser.conftest import CHROMIUM, FLAGS

OPENING_MS, ANSWER_MS = 180_000, 90_000
KILL_TRIES = 8
# The question at the bottom of the page, and its columns: text, error, and whether each has ended.
SEEN = """() => {
  const turn = document.querySelector('#compare-answers section.turn');
  if (!turn) return {question: '', columns: []};
  const columns = [...turn.querySelectorAll('article')].map((column) => ({
    text: column.querySelector('.column-body')?.innerText ?? '',
    error: column.querySelector('.lab-error')?.innerText ?? '',
    foot: column.querySelector('.column-foot')?.innerText ?? '',
  }));
  return {question: turn.querySelector('.asked .model-text')?.innerText ?? '', columns: columns};
}"""
NOTICE = "() => document.querySelector('#compare-notice .lab-error')?.innerText ?? ''"


@dataclass(frozen=True)
class Wanted:
    """Who asks whom, and for how long."""

    url: str
    models: list[str]
    max_tokens: int
    visitors: int
    seconds: float

    def address(self) -> str:
        return f"{self.url}/compare?models={quote(','.join(self.models))}&max={self.max_tokens}&t=0&seed=0"


@dataclass
class Visit:
    """One question of one visitor, and what the page showed at its end."""

    visitor: int
    question: str
    uid: str = ""
    seconds: float = 0.0
    shown_question: str = ""
    columns: list[dict[str, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def question_of(visitor: int, round_: int) -> str:
    """No other question holds its first number."""
    return f"What is {(visitor + 1) * 1000 + round_} plus {7 + round_ % 90}?"


async def crowd(wanted: Wanted, begin: Callable[[], None]) -> list[Visit]:
    """All visitors at once, each in a context of its own, until the time is over.

    `begin` is called once all pages are open and one visitor has had an answer: the engines are warm then.
    """
    visits: list[Visit] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        pages = [await _open(browser, wanted) for _ in range(wanted.visitors)]
        await ask(pages[0], Visit(0, question_of(wanted.visitors, 0)))
        await _anew(pages[0])
        begin()
        end = time.monotonic() + wanted.seconds
        await asyncio.gather(*(_visitor(page, number, end, visits) for number, page in enumerate(pages)))
        await browser.close()
    return visits


async def _open(browser: Browser, wanted: Wanted) -> Page:
    context = await browser.new_context(viewport={"width": 1200, "height": 800})
    page = await context.new_page()
    page.set_default_timeout(OPENING_MS)
    await page.goto(wanted.address())
    await page.wait_for_function(
        "(names) => names.every((name, place) => "
        "document.querySelector(`#compare-model-${place + 1} input`)?.value.includes(name))",
        arg=[name.removeprefix("variant:") for name in wanted.models])
    return page


async def _visitor(page: Page, number: int, end: float, visits: list[Visit]) -> None:
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(f"script: {error}"))
    round_ = 0
    while time.monotonic() < end:
        visit = await ask(page, Visit(number, question_of(number, round_)))
        visit.errors += problems
        problems.clear()
        visits.append(visit)
        round_ += 1
        await _anew(page)


async def ask(page: Page, visit: Visit) -> Visit:
    """Ask and wait until every column has ended."""
    begun = time.monotonic()
    try:
        await press(page, visit.question)
        seen = await _ended(page, visit.question)
        visit.shown_question, visit.columns = seen["question"], seen["columns"]
        visit.errors += [column["error"] for column in seen["columns"] if column["error"]]
    except (BrowserError, TimeoutError) as error:
        notice, seen = await page.evaluate(NOTICE), await page.evaluate(SEEN)
        free = [await page.locator(f"#compare-{name}").is_enabled() for name in ("ask", "new")]
        visit.errors.append(notice or f"no answer: {str(error).splitlines()[0]}; {page.url} shows {seen}, free {free}")
    visit.uid = uid_of(page)
    visit.seconds = time.monotonic() - begun
    return visit


def uid_of(page: Page) -> str:
    found = re.search(r"[?&]c=([0-9a-f]{12})", page.url)
    return found[1] if found else ""


async def press(page: Page, question: str) -> None:
    await page.locator("#compare-question textarea").fill(question)
    await page.locator("#compare-ask").click()


async def _ended(page: Page, question: str) -> dict[str, Any]:
    deadline = time.monotonic() + ANSWER_MS / 1000
    while time.monotonic() < deadline:
        seen = await page.evaluate(SEEN)
        over = [re.search(r"tokens/s|ended by an error|stopped", column["foot"]) for column in seen["columns"]]
        if question in seen["question"] and over and all(over) and await _free(page):
            return seen
        if notice := await page.evaluate(NOTICE):
            raise TimeoutError(notice)
        await asyncio.sleep(0.2)
    raise TimeoutError(f"not all columns ended within {ANSWER_MS / 1000:.0f} s")


async def _free(page: Page) -> bool:
    """The page has drawn the stored turn: another question may be asked."""
    return await page.locator("#compare-ask").is_enabled() and await page.locator("#compare-new").is_enabled()


async def _anew(page: Page) -> None:
    try:
        await page.locator("#compare-new").click(timeout=10_000)
        await page.wait_for_function("() => !document.querySelector('#compare-answers section.turn')", timeout=30_000)
    except BrowserError:  # after an error there may be no conversation to leave
        await page.reload()


async def after_a_kill(wanted: Wanted, kill_when_busy: Callable[[], list[int]]) -> dict[str, Any]:
    """Kill the engines while they answer a visitor; what the page says, and whether a later question is answered."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await _open(browser, wanted)
        killed: list[int] = []
        for attempt in range(KILL_TRIES):  # an answer may be there before the kill
            striking = asyncio.create_task(asyncio.to_thread(kill_when_busy))
            struck = await ask(page, Visit(-1, question_of(900, attempt)))
            killed += await striking
            await _anew(page)
            if struck.errors:
                break
        later = await ask(page, Visit(-1, question_of(901, 0)))
        await browser.close()
    errors = struck.errors
    return {"killed": len(killed), "tries": attempt + 1, "page_said": errors,
            "told": any("killed by signal 9" in words for words in errors),
            "later_answered": bool(later.columns) and not later.errors, "later_s": round(later.seconds, 1),
            "later_errors": later.errors}
