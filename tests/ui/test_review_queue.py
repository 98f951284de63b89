"""The review queue: blind, one answer at a time, skip and undo, and the extraction error that comes out of it."""

from __future__ import annotations

import re

import pytest
from sqlmodel import select

from lab.core.settings import Settings
from lab.ui.app_state import LabApp
from lab.ui.benchmarks.review import last_read, measure_html, next_screen, say
from lab.ui.benchmarks.wiring_review import _say
from storage.tables import BenchmarkSample, SampleReview
from tests.stores import new_store
from tests.ui.small_runs import add_run

READER = "Ann"


@pytest.fixture
def store(tmp_path):
    made = new_store(tmp_path)
    yield made
    made.close()


@pytest.fixture
def run(store) -> int:
    """Twelve answers that all say B; the scorer has read none in four of them."""
    return add_run(store)


def test_an_answer_is_shown_blind_without_gold_reading_rule_or_thought(store, run):
    screen = next_screen(store, run, READER)
    assert "Well. Answer: B" in screen.html and "right artery" in screen.html and "0 of 12 read" in screen.html
    for secret in ("answer line", "boxed", "no explicit answer", "the hidden thought", "gold"):
        assert secret not in screen.html
    assert "<b>both" not in screen.html  # an option's text is text
    assert screen.html.count('data-does="say"') == 3 and 'data-does="none"' in screen.html


def test_what_is_said_is_kept_and_then_the_scorers_reading_is_told(store, run):
    screen = next_screen(store, run, READER)
    told = say(store, screen.sample, READER, "B")
    assert "you read <b>B</b>" in told and "right is <b>B</b>" in told and "the scorer read" in told
    after = next_screen(store, run, READER, said=told)
    assert after.sample != screen.sample and "1 of 12 read" in after.html and told in after.html
    assert next_screen(store, run, "Ben").sample == screen.sample  # another reader begins at the beginning


def test_a_skipped_answer_comes_back_last_and_an_undone_one_at_once(store, run):
    first = next_screen(store, run, READER).sample
    second = next_screen(store, run, READER, [first])
    assert second.sample != first and "1 skipped" in second.html
    say(store, second.sample, READER, "A")
    assert last_read(store, run, READER) == second.sample
    assert next_screen(store, run, READER, [first], again=second.sample).sample == second.sample
    say(store, second.sample, READER, None)
    with store.read() as session:
        review, = session.exec(select(SampleReview))
    assert review.said is None
    skipped = [first]
    while (screen := next_screen(store, run, READER, skipped)).sample != first:
        say(store, screen.sample, READER, "B")
    assert "11 of 12 read" in screen.html


def test_the_extraction_error_is_measured_once_every_rule_has_been_read(store, run):
    assert "Not measured yet" in measure_html(store, run)
    while (screen := next_screen(store, run, READER)).sample is not None:
        say(store, screen.sample, READER, "B")
    assert "All of this draw is read" in screen.html
    html = measure_html(store, run)
    assert re.search(r"reads 33\.3 % of the answers otherwise", html) and "n 12 read" in html  # the four unparsed
    assert "66.7" in html and "100.0" in html  # as the scorer reads, and as people do


def test_without_a_name_nothing_is_asked_and_words_that_are_no_answer_are_refused(store, run):
    assert "Write your name first" in next_screen(store, run, "  ").html
    sample = next_screen(store, run, READER).sample
    assert "is no answer to this question" in say(store, sample, READER, "Z")
    assert next_screen(store, run, READER).sample == sample


def test_a_question_without_options_has_a_field_for_words(store, run):
    with store.write() as session:
        for row in session.exec(select(BenchmarkSample).where(BenchmarkSample.run_id == run)):
            row.options, row.verifier, row.gold = None, "numeric", "17"
            session.add(row)
    html = next_screen(store, run, READER).html
    assert 'name="said"' in html and 'data-does="write"' in html and 'data-does="say"' not in html


def test_a_run_by_likelihood_has_nothing_to_read_and_says_so(store):
    weighed = add_run(store, mode="likelihood-plain")
    assert "cannot be read" in next_screen(store, weighed, READER).html
    assert measure_html(store, weighed) == ""


def test_the_demo_mode_keeps_no_reading(store, run):
    sample = next_screen(store, run, READER).sample
    space = LabApp(store, Settings.from_env({"LAB_HOME": str(store.home.path), "SPACE_ID": "x/y"}))
    assert "public demo" in _say(space, sample, READER, "B")
    with store.read() as session:
        assert session.exec(select(SampleReview)).all() == []
