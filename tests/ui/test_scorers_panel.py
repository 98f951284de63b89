"""The scorers' panel: the run's own verdict, a second scorer beside it, and the answers on which they differ."""

from __future__ import annotations

import pytest
from sqlmodel import select

from lab.core.settings import Settings
from lab.core.types import Score
from lab.ui.app_state import LabApp
from lab.ui.benchmarks import scores
from lab.ui.benchmarks.scores import read_again, scorer_choices, scores_html
from lab.ui.benchmarks.wiring_scores import drawn
from storage.queries.benchmarks import get_run
from storage.queries.jobs import list_jobs
from storage.queries.scores import add_score
from storage.tables import BenchmarkRun, BenchmarkSample
from tests.stores import new_store
from tests.ui.small_runs import add_run

RUN = 1


@pytest.fixture
def store(tmp_path):
    made = new_store(tmp_path)
    assert add_run(made) == RUN
    yield made
    made.close()


def app(store, space: bool = False) -> LabApp:
    return LabApp(store, Settings.from_env({"LAB_HOME": str(store.home.path)} | ({"SPACE_ID": "x"} if space else {})))


def second_score(store):
    """A scorer that calls five right ones wrong, the first wrong one right, and leaves the last out."""
    with store.write() as session:
        rows = session.exec(select(BenchmarkSample).where(BenchmarkSample.run_id == RUN)).all()
        own = {row.id: Score(correct=row.correct, parsed=row.parsed, rule=row.rule) for row in rows}
        right = [row.id for row in rows[:-1] if row.correct][:5]
        wrong = next(row.id for row in rows[:-1] if not row.correct)
        told = own | dict.fromkeys(right, Score(correct=False, parsed="<i>x</i>", rule="lenient"))
        told |= {wrong: Score(correct=True, parsed="y", rule="lenient"), rows[-1].id: None}
        return add_score(session, RUN, ("lenient", "7"), told).id


def test_a_second_scorer_stands_beside_the_runs_own_with_agreement_and_every_kind_of_difference(store):
    second_score(store)
    html = scores_html(store, RUN)
    assert "the run&#x27;s own" in html and "lenient 7" in html
    assert "1 / 5" in html and f"{100 * 5 / 11:.1f}" in html  # b / c, and agreement on what both count
    assert "lenient: 1 right only by it" in html and "lenient: 5 wrong only by it" in html
    assert "lenient: 1 left out of its count" in html and "<i>x</i>" not in html


def test_a_run_without_a_second_scorer_says_what_one_would_do(store):
    assert "Another scorer reads the stored answers" in scores_html(store, RUN)
    with store.write() as session:
        session.get_one(BenchmarkRun, RUN).mode = "likelihood-plain"
    assert "there is no text to read again" in scores_html(store, RUN)


def test_reading_again_stores_a_score_and_asks_no_model(store):
    with store.read() as session:
        run = get_run(session, RUN)
        before = list_jobs(session)[1]
        choices = [name for _, name in scorer_choices(run)]
    assert "strict" in choices  # the stored verdict is of an older version
    assert "good-news" in read_again(app(store), RUN, "strict")
    assert scores_html(store, RUN).count("<tr>") == 3
    with store.read() as session:
        assert list_jobs(session)[1] == before


def test_nothing_is_read_without_a_choice_or_in_the_demo_mode(store):
    assert "choose a scorer" in read_again(app(store), RUN, "")
    assert "public demo" in read_again(app(store, space=True), RUN, "strict")
    assert "public demo" in scores.judge(app(store, space=True), RUN, "demo-llama")
    assert "choose a model" in scores.judge(app(store), RUN, "")


def test_a_judge_is_queued_for_the_part_of_the_job_that_left_the_run(store):
    with store.write() as session:
        session.get_one(BenchmarkRun, RUN).part = "cut 64"
    html = scores.judge(app(store), RUN, "demo-llama")
    with store.read() as session:
        job, = list_jobs(session, kinds=["judge"])[0]
    assert f"/jobs?id={job.id}" in html
    assert (job.spec["part"], job.spec["model"]) == ("cut 64", "demo-llama") and job.spec["run"].startswith("job:")


@pytest.mark.parametrize("run", ["", "999", "x", "9" * 30])
def test_an_address_that_names_no_run_shows_an_empty_panel(store, run):
    assert drawn(app(store), run)[0] == ""
