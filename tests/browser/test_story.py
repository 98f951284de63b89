"""One story in a browser: launch from the page, see it finish, compare, rate as a rater, find it in the export."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from jobs.cli.commands import main as command_line
from lab.core.types import Example
from storage.queries.jobs import list_jobs
from storage.queries.ratings import banks
from tests.browser.conftest import RunningLab, keep_text, wait_for, watched_page

pytestmark = pytest.mark.browser

RECIPE = """kind: study
name: Story
bases: [demo-llama]
datasets: [demo-medical]
targets: [trace, answer]
benchmarks: [demo-medical]
max_new_tokens: 64
max_questions: 8
n_bank_questions: 6
training: {max_steps: 80, max_rows: 200, batch_size: 8, micro_batch_size: 8, learning_rate: 0.003, lora_r: 16}
"""


def study_jobs(lab: RunningLab) -> list:
    with lab.store().read() as session:
        return list_jobs(session, study_id=1, limit=50)[0]


@pytest.fixture(scope="module")
def page(lab: RunningLab, browser):
    with watched_page(browser, lab.url) as page:
        yield page


def test_a_study_is_launched_from_the_train_page(lab, page):
    page.goto(f"{lab.url}/train")
    page.get_by_text("Paste a recipe").click()
    page.get_by_placeholder(re.compile("kind: study")).fill(RECIPE)
    page.get_by_role("button", name="Fill the form").click()
    expect(page.get_by_role("textbox", name=re.compile("^Name"))).to_have_value("Story")
    expect(page.get_by_text("demo-llama_demo-medical_trace_s0").first).to_be_visible()
    expect(page.get_by_text("demo-llama_demo-medical_answer_s0").first).to_be_visible()
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(page.locator("a[href*='study=1']").first).to_be_visible()
    assert len(study_jobs(lab)) == 6


def test_killing_the_web_process_in_mid_training_does_not_touch_the_job(lab, page):
    wait_for(lambda: any(job.kind == "sft" and job.state == "running" for job in study_jobs(lab)), 180, "no training")
    before = next(job for job in study_jobs(lab) if job.kind == "sft" and job.state == "running")
    lab.kill_web()
    lab.start_web()
    wait_for(lambda: next(j for j in study_jobs(lab) if j.id == before.id).state != "running", 240, "it hangs")
    after = next(job for job in study_jobs(lab) if job.id == before.id)
    assert (after.state, after.attempt, after.pid) == ("succeeded", before.attempt, before.pid)
    page.goto(f"{lab.url}/jobs?id={before.id}")
    expect(page.get_by_text("succeeded").first).to_be_visible()


def test_the_page_shows_it_finish(lab, page):
    wait_for(lambda: all(job.state == "succeeded" for job in study_jobs(lab)), 420, "the study did not finish")
    page.goto(f"{lab.url}/jobs?study=1")
    expect(page.get_by_text("demo-llama_demo-medical_trace_s0").first).to_be_visible()
    page.goto(f"{lab.url}/results?study=1")
    expect(page.locator("#tables")).to_contain_text("demo-medical")
    expect(page.locator("#verdicts")).to_contain_text("trace")


def test_three_models_answer_the_same_question_side_by_side(lab, page):
    models = "demo-llama,variant:demo-llama_demo-medical_answer_s0,variant:demo-llama_demo-medical_trace_s0"
    page.goto(f"{lab.url}/compare?models={models}&q=What+is+12+plus+30%3F")
    expect(page.locator("#compare-question textarea")).to_have_value("What is 12 plus 30?")
    page.locator("#compare-ask").click()
    answers = page.locator("#compare-answers")
    expect(answers.get_by_text(re.compile("tokens/s"))).to_have_count(3, timeout=120_000)
    for name in ("demo-llama", "demo-llama_demo-medical_answer_s0", "demo-llama_demo-medical_trace_s0"):
        expect(answers.get_by_text(name, exact=True).first).to_be_visible()


def give_the_bank_readable_answers(lab: RunningLab) -> Example:
    """A model trained for a few seconds may leave answers that no round takes; the story needs pairs to rate."""
    from sqlmodel import select

    from storage.tables import Answer

    with lab.store().write() as session:
        for answer in session.exec(select(Answer)):
            answer.shown_text = f"The value is {answer.gold}" + (", as computed." if answer.arm == "trace" else ".")
            answer.think_state, answer.finish_reason = "closed" if answer.arm == "trace" else "none", "eos"
            session.add(answer)


def test_a_rater_rates_blind_and_the_export_has_it(lab, page, browser, tmp_path: Path, capsys, monkeypatch):
    give_the_bank_readable_answers(lab)
    monkeypatch.setenv("LAB_HOME", str(lab.home))
    make = ["ratings", "make", "1", "demo-llama_demo-medical_answer_s0", "demo-llama_demo-medical_trace_s0"]
    plain = ["practice=false", "about=false", "guesses=0", "gold_every=0", "min_seconds=0", "quota=1"]
    assert command_line([*make, *plain, "--name", "Fluency of the story"]) == 0
    page.goto(f"{lab.url}/ratings?round=1")
    page.get_by_placeholder(re.compile("One name a line")).fill("Ann")
    page.get_by_role("button", name="Make links").click()
    link = re.compile(r"https?://[^\s\"']+/rate/r-[0-9a-f]+")
    wait_for(lambda: link.search(all_text(page)), 30, "no link")
    received = rate_everything(browser, link.search(all_text(page)).group(0))
    for secret in ("demo-llama", "demo-medical_", "_s0", "trace", "<think>"):
        assert secret not in received, f"the rater's browser received '{secret}'"
    with lab.store().read() as session:
        assert banks(session)
    assert command_line(["ratings", "export", "1", str(tmp_path)]) == 1  # locked while the round is open
    assert command_line(["ratings", "close", "1"]) == 0
    assert command_line(["ratings", "export", "1", str(tmp_path)]) == 0
    rows = list(csv.DictReader(io.StringIO((tmp_path / "ratings.csv").read_text(encoding="utf-8-sig"))))
    assert len(rows) == 6 and all("Ann" in row.values() for row in rows)
    page.goto(f"{lab.url}/ratings?round=1&part=results")
    expect(page.get_by_text(re.compile("bootstrap over questions")).first).to_be_visible(timeout=60_000)


def all_text(page) -> str:
    """What the page says, text boxes included."""
    boxes = page.locator("textarea, input[type=text]").evaluate_all("all => all.map(one => one.value).join(' ')")
    return page.inner_text("body") + " " + boxes


def rate_everything(browser, link: str) -> str:
    """A rater's whole session, by keyboard. Returns everything their browser received as text."""
    received: list[str] = []

    context = browser.new_context(viewport={"width": 400, "height": 850})
    rater = context.new_page()
    keep_text(rater, received)
    rater.goto(link)
    rater.get_by_role("button", name="I agree").click()
    rater.get_by_role("button", name="Start").click()
    for number in range(1, 7):
        expect(rater.get_by_role("heading", name=re.compile(f"Pair {number} "))).to_be_visible()
        rater.locator("input[name=fluency_left][value='4']").check(force=True)
        rater.locator("input[name=fluency_right][value='3']").check(force=True)
        rater.locator("input[name=preference][value=left]").check(force=True)
        rater.get_by_role("button", name="Submit", exact=True).click()
    for name in ("task_clear", "content_aside"):
        rater.locator(f"input[name={name}]").first.check(force=True)
    rater.get_by_role("button", name="Finish").click()
    expect(rater.get_by_role("heading", name="Thank you")).to_be_visible()
    received.append(rater.content())
    context.close()
    return "\n".join(received)
