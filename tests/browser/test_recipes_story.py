"""One story in a browser: a recipe is chosen, changed, checked and launched; its model is shown and exported."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from storage.queries.jobs import list_jobs
from tests.browser.conftest import RunningLab, wait_for, watched_page

pytestmark = pytest.mark.browser
RECIPE = "huatuogpt-o1/demo/sft.yaml"
VARIANT = "story-of-a-recipe"


@pytest.fixture(scope="module")
def page(lab: RunningLab, browser):
    with watched_page(browser, lab.url, 60) as page:
        yield page


def trainings(lab: RunningLab) -> list:
    with lab.store().read() as session:
        return list_jobs(session, kinds=("sft",), limit=50)[0]


def text_of_recipe(page) -> str:
    return page.locator("#recipe-yaml .cm-content").inner_text()


def test_a_recipe_is_chosen_and_its_form_and_its_yaml_say_the_same(lab, page):
    page.goto(f"{lab.url}/recipes")
    page.locator("#shelf summary", has_text="HuatuoGPT-o1").click()
    page.locator(f"#shelf a[href$='{RECIPE}']").click()
    page.wait_for_url(re.compile("recipe=huatuogpt-o1"))
    expect(page.locator("#recipe-yaml")).to_contain_text("kind: sft")
    name = page.get_by_role("textbox", name=re.compile("^Name"))
    expect(name).to_have_value(re.compile("."))
    name.fill(VARIANT)
    page.get_by_role("button", name=re.compile("^Rows and passes")).click()
    page.get_by_role("spinbutton", name=re.compile("^Max steps")).fill("4")
    page.get_by_role("button", name=re.compile("^What is adapted")).click()
    page.get_by_role("radio", name="lora", exact=True).check()
    wait_for(lambda: {"max_steps: 4", "method: lora", f"name: {VARIANT}"} <= set(text_of_recipe(page).splitlines()),
             60, "the form did not write the YAML")
    assert text_of_recipe(page).startswith("#"), "the recipe's comments are gone"


def test_the_yaml_fills_the_form_when_it_is_left(page):
    page.locator("#recipe-yaml .cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.type("\nmax_rows: 120\n")
    page.locator("h1").click()
    title = page.get_by_role("button", name=re.compile("^Rows and passes.*max rows 120"))
    expect(title).to_be_visible(timeout=60_000)  # the form is drawn anew, its parts folded
    title.click()
    expect(page.get_by_role("spinbutton", name=re.compile("^Max rows"))).to_have_value("120")
    page.keyboard.press("Tab")
    assert text_of_recipe(page).count("max_rows") == 1  # nothing went round in a circle


def test_a_fault_is_told_beside_the_yaml(page):
    before = text_of_recipe(page)
    page.locator("#recipe-yaml .cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.type("epoks: 3")
    page.locator("h1").click()
    expect(page.locator("#recipe-faults")).to_contain_text("Did you mean 'epochs'")
    page.locator("#recipe-yaml .cm-content").click()
    page.keyboard.press("Control+End")
    for _ in "epoks: 3":
        page.keyboard.press("Backspace")
    page.locator("h1").click()
    expect(page.locator("#recipe-faults")).not_to_contain_text("epochs")
    assert text_of_recipe(page).strip() == before.strip()


def test_the_check_shows_the_rows_as_they_will_be_learned(page):
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator("#checked .check-verdict")).to_be_visible(timeout=240_000)
    expect(page.locator("#checked")).to_contain_text("## Thinking")


def test_it_is_launched_and_its_job_succeeds(lab, page):
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(page.locator("a[href*='/jobs?id=']").first).to_be_visible()
    assert [job.name for job in trainings(lab)] == [VARIANT]
    ended = ("succeeded", "failed", "cancelled")
    wait_for(lambda: trainings(lab)[0].state in ended, 480, "the training did not end")
    assert trainings(lab)[0].state == "succeeded", trainings(lab)[0].message


def test_its_model_is_shown_whole(lab, page):
    page.goto(f"{lab.url}/models")
    page.locator(f"#variants a[href$='variant={VARIANT}']").click()
    page.wait_for_url(re.compile(f"variant={VARIANT}"))
    detail = page.locator("#variant")
    for words in ("Template contract", "headings", "adapter_model.safetensors", "kind: sft"):
        expect(detail).to_contain_text(words)


def test_its_adapter_is_exported_with_the_lines_that_load_it(lab, page):
    page.get_by_role("button", name="Export", exact=True).last.click()
    folder = lab.home / "exports" / f"{VARIANT}-adapter"
    wait_for(lambda: (folder / "adapter_model.safetensors").is_file(), 240, "no export")
    assert (folder / "README.md").is_file() and (folder / "contract.json").is_file()
    exports = page.locator("#exports")
    expect(exports).to_contain_text("succeeded", timeout=60_000)
    exports.get_by_text("Load it with plain transformers").click()
    expect(exports.locator("pre").first).to_contain_text(f'MODEL = "{folder}"')


def test_one_goes_on_from_it_with_another_recipe(lab, page):
    page.get_by_role("link", name="Go on from this variant").click()
    page.wait_for_url(re.compile("start=variant"))
    page.locator("#shelf summary", has_text="HuatuoGPT-o1").click()
    page.locator("#shelf a[href$='huatuogpt-o1/demo/ppo.yaml']").click()
    expect(page.locator("#recipe-yaml")).to_contain_text(f"start: variant:{VARIANT}")
