"""One story in a browser: a made dataset is read, filtered, reviewed and kept anew; its grades, map and funnel are
looked at; data are made on the demo; and all of it in a narrow window and in the dark."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from storage.queries.jobs import get_job, list_jobs
from tests.browser.conftest import RunningLab, wait_for, watched_page
from tests.ui.data_here import HOSTILE, Here, seed_data

pytestmark = pytest.mark.browser
SHOTS = os.environ.get("LAB_SHOTS", "")  # a folder to keep pictures in, for whoever looks at them
PARTS = {"rows": "#data-rows", "grades": "#data-grades figure", "map": "#data-map figure",
         "funnel": "#data-funnel .funnel", "sheet": "#data-sheet .markdown"}


@pytest.fixture(scope="module")
def here(lab: RunningLab) -> Iterator[Here]:
    """A synthesis that only seems to run: it is gone before the worker is asked to leave."""
    found = seed_data(lab.store())
    yield found
    with lab.store().write() as session:
        job = get_job(session, found.running)
        job.state = "cancelled"
        session.add(job)


def type_in(box, text: str) -> None:
    """As a person does: a box that was never entered tells nobody what is in it."""
    box.click()
    box.press("Control+A")
    box.press("Delete")
    if text:
        box.press_sequentially(text)
    box.press("Enter")


@pytest.fixture(scope="module")
def page(lab: RunningLab, here, browser):
    with watched_page(browser, lab.url, 60) as page:
        yield page


def shoot(page, name: str) -> None:
    if SHOTS:
        page.wait_for_timeout(400)
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def tab(page, where: str, name: str) -> None:
    page.locator(where).get_by_role("tab", name=name, exact=True).click()


def test_the_list_leads_to_a_dataset(lab, page, here):
    page.goto(f"{lab.url}/data")
    expect(page.locator("#data-shelf")).to_contain_text(here.complex)
    shoot(page, "list")
    type_in(page.get_by_label("Search").first, "complex")
    expect(page.locator("#data-shelf")).not_to_contain_text("demo-general")
    page.locator(f"#data-shelf a[href$='data={here.complex}']").click()
    page.wait_for_url(re.compile(f"data={here.complex}"))
    expect(page.locator("#data-head")).to_contain_text("embedded teacher")
    expect(page.locator("#data-rows tbody tr")).to_have_count(20)
    shoot(page, "rows")


def test_rows_are_filtered_and_the_address_keeps_it(page):
    type_in(page.get_by_label("Quality"), "9-")
    expect(page.locator("#data-rows tbody tr").first).to_be_visible()
    page.wait_for_url(re.compile("quality=9-"))
    expect(page.get_by_text(re.compile(r"of \d+, of 60 in all"))).to_be_visible()
    page.reload()
    expect(page.get_by_label("Quality")).to_have_value("9-")
    expect(page.get_by_text(re.compile(r"of \d+, of 60 in all"))).to_be_visible()
    type_in(page.get_by_label("Quality"), "")
    expect(page.get_by_text("1–20 of 60")).to_be_visible()


def test_a_row_opens_by_the_keyboard_and_is_approved(page):
    row = page.locator("#data-rows a[href*='row=demo-4']").first
    row.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("row=demo-4"))
    expect(page.locator("#data-row")).to_contain_text("Row 5 of 60")
    page.get_by_role("button", name="✓ Approve").click()
    expect(page.locator("#data-said")).to_contain_text("your name")
    type_in(page.get_by_label("Your name"), "Ada")
    page.get_by_role("button", name="✓ Approve").click()
    expect(page.locator("#data-said")).to_contain_text("Row 5 is approved")
    expect(page.locator("#data-head")).to_contain_text("1 approved")
    shoot(page, "row")


def test_the_next_row_is_edited(page):
    page.get_by_role("button", name="Next row ›").click()
    expect(page.locator("#data-row")).to_contain_text("Row 6 of 60")
    page.wait_for_url(re.compile("row=demo-5"))
    page.get_by_role("button", name="✎ Edit").click()
    boxes = page.locator("#data-edit textarea")
    expect(boxes.nth(1)).to_be_visible()
    type_in(boxes.nth(2), "The answer is 99.")
    page.get_by_role("button", name="Keep the edit").click()
    expect(page.locator("#data-said .lab-error")).to_be_visible()
    shoot(page, "edit")
    type_in(boxes.nth(2), "The answer is 15.")
    type_in(boxes.nth(1), "A thought that somebody has written anew.")
    page.get_by_role("button", name="Keep the edit").click()
    expect(page.locator("#data-said")).to_contain_text("is edited")
    expect(page.locator("#data-row")).to_contain_text("written anew")


def test_a_hostile_row_is_only_text(page):
    type_in(page.get_by_placeholder("in questions, thinking and answers"), "alert")
    expect(page.locator("#data-rows tbody tr")).to_have_count(1)
    page.locator("#data-rows a[data-select]").click()
    expect(page.locator("#data-row")).to_contain_text(HOSTILE[:30])
    expect(page.locator("#data-row")).to_contain_text("{{secret}}")
    assert page.locator("#data-row script, #data-row img").count() == 0
    shoot(page, "hostile")
    type_in(page.get_by_placeholder("in questions, thinking and answers"), "")


def test_what_was_reviewed_is_kept_as_a_new_version(lab, page, here):
    page.get_by_role("button", name="Keep as a new version…").click()
    expect(page.locator("#data-version")).to_contain_text("60 of 60 rows")
    shoot(page, "version")
    page.get_by_role("button", name="Keep it").click()
    link = page.locator("a[href*='complex-demo-reviewed']").first
    expect(link).to_be_visible()
    assert list((lab.home / "datasets").glob("complex-demo-reviewed-*.jsonl"))


@pytest.mark.parametrize("name", ["Grades", "Map", "Funnel", "Datasheet"])
def test_its_parts_are_drawn_when_they_are_opened(page, name):
    tab(page, "#data-parts", name)
    part = {"Grades": "grades", "Map": "map", "Funnel": "funnel", "Datasheet": "sheet"}[name]
    expect(page.locator(PARTS[part]).first).to_be_visible()
    page.wait_for_url(re.compile(f"part={part}"))
    shoot(page, part)


def test_files_can_be_taken_along(page):
    with page.expect_download() as held:
        page.get_by_role("button", name="Download the rows").click()
    assert held.value.suggested_filename.endswith("-lab.jsonl")
    with page.expect_download() as held:
        page.get_by_role("button", name="Datasheet (Markdown)").click()
    assert held.value.suggested_filename.endswith(".md")


def test_a_point_of_the_map_opens_its_row(page):
    tab(page, "#data-parts", "Map")
    picture = page.locator("#data-map svg").first
    expect(picture).to_be_visible()
    spot = picture.evaluate("""(svg) => {
      const [x, y] = svg.querySelector('path').getAttribute('d').match(/-?[\\d.]+ -?[\\d.]+/)[0].split(' ').map(Number);
      const at = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
      return [at.x, at.y];
    }""")
    page.mouse.click(*spot)
    expect(page.locator("#data-row")).to_contain_text("Row ")
    page.wait_for_url(lambda url: "row=demo-" in url and "part=map" not in url)


def test_pairs_stand_beside_each_other(lab, page, here):
    page.goto(f"{lab.url}/data?data={here.pairs}&row=pair-3")
    expect(page.locator("#data-row")).to_contain_text("Rejected")
    shoot(page, "pair")


def test_what_runs_is_seen_with_its_funnel(lab, page):
    page.goto(f"{lab.url}/data?view=make&kind=reasoning")
    expect(page.locator("#making")).to_contain_text("70 of 200 ended")
    expect(page.locator("#making .funnel")).to_be_visible()
    shoot(page, "make")


def test_the_form_tells_faults_warns_and_makes_a_job_of_the_demo(lab, page):
    panel = page.get_by_role("tabpanel").filter(has=page.locator("#message-reasoning"))
    most = panel.get_by_label("At most")
    type_in(most, "-4")
    expect(page.locator("#told-reasoning")).to_contain_text("1 thing to correct")
    type_in(most, "4")
    expect(page.locator("#told-reasoning")).not_to_contain_text("to correct")
    panel.get_by_role("button", name="Make it").click()
    expect(page.locator("#message-reasoning")).to_contain_text("is queued")
    shoot(page, "made")

    def ended() -> bool:
        with lab.store().read() as session:
            return list_jobs(session, kinds=("reasoning",), limit=1)[0][0].state in ("succeeded", "failed", "cancelled")

    wait_for(ended, 240, "the synthesis did not end")
    with lab.store().read() as session:
        job = list_jobs(session, kinds=("reasoning",), limit=1)[0][0]
    assert job.state == "succeeded", job.message
    assert job.facts["datasets"]


@pytest.mark.parametrize(("width", "dark"), [(400, True), (1400, False)])
def test_every_part_fits_a_window_by_day_and_by_night(lab, page, here, width, dark):
    page.set_viewport_size({"width": width, "height": 900})
    theme = "&__theme=dark" if dark else "&__theme=light"
    for part, place in PARTS.items():
        page.goto(f"{lab.url}/data?data={here.complex}&part={part if part != 'rows' else ''}&row=demo-3{theme}")
        expect(page.locator(place).first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), f"{part} is wider than {width}"
        shoot(page, f"{part}-{width}-{'dark' if dark else 'light'}")
    for kind in ("problems", "instructions", "ratings"):
        page.goto(f"{lab.url}/data?view=make&kind={kind}{theme}")
        expect(page.locator(f"#message-{kind}")).to_be_attached()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")
        shoot(page, f"make-{kind}-{width}-{'dark' if dark else 'light'}")
