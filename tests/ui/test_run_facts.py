"""A run's facts: only what there is something to say of, and every text as text."""

from __future__ import annotations

import json

import pytest

from lab.ui.benchmarks.curve import curve_choices
from lab.ui.benchmarks.reading import Scope
from lab.ui.runs.detail import SampleView, read_detail, read_facts
from lab.ui.runs.facts import facts_html
from lab.ui.runs.samples import samples_html
from storage.queries.jobs import get_job
from storage.tables import BenchmarkRun, BenchmarkSample
from tests.stores import new_store
from tests.ui.seed_store import seed_store

RUN = 2
WHOLE = {
    "n_rows": 250, "n_unclosed": 5, "n_forced": 2, "n_parsed": 200, "accuracy_parsed": 0.5, "standard_error": 0.0312,
    "rules": {"answer line": 200, "<b>odd</b>": 50}, "macro_f1": 0.4321, "majority": 0.552,
    "labels": {"yes": {"gold": 138, "said": 100, "f1": 0.61}}, "p_gold": 0.41, "ece": 0.083, "brier": 0.222,
    "accuracy_bytes": 0.44, "consistent": 0.71, "accuracy_majority": 0.6, "picked": {"A": 100, "B": 150},
    "n_overlap": 14, "overlaps": {"near": 9, "words": 5}, "warnings": ["One letter is picked by <70 %."],
    "clean": {"n": 236, "n_correct": 118, "accuracy": 0.5, "ci_low": 0.44, "ci_high": 0.56},
    "record": {"versions": {"torch": "2.13.0"}, "dtype": "float32", "dirty": False}, "prompts": ["<|user|>{{q}}"],
    "curve": {"of": "", "way": "cut", "budget": 64},
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    made = new_store(tmp_path_factory.mktemp("lab"))
    seed_store(made)
    with made.write() as session:
        run = session.get_one(BenchmarkRun, RUN)
        run.figures, run.part = WHOLE, "cut 64"
        uid = get_job(session, run.job_id).uid
    folder = made.home.job(uid).artifacts
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run_key.json").write_text(json.dumps({"cut 64": {"engine": "2", "max_new_tokens": 64}, "other": {}}))
    yield made
    made.close()


def test_every_figure_of_a_run_is_told_in_words(store):
    html = read_facts(store, str(RUN))
    for words in ("0.432", "always the commonest", "calibration error", "same answer in every order", "picked A",
                  "13 words in a row", "clean questions only", "n 236", "versions torch", "float32", "3.12 points",
                  "max_new_tokens".replace("_", " ")):
        assert words in html
    assert "<b>odd" not in html and "<|user|>" not in html and "{{q}}" not in html


def test_a_run_from_before_has_the_facts_it_has_and_no_empty_card(store):
    html = read_facts(store, "1")
    assert "How it was asked" in html
    for absent in ("Classes", "How sure it was", "Option orders", "Overlap", "Made with", "prompt as it was asked"):
        assert absent not in html


def test_what_is_odd_about_a_run_stands_in_its_head_and_a_point_of_a_curve_leads_to_its_curve(store):
    head = read_detail(store, SampleView(str(RUN))).head
    assert "One letter is picked by &lt;70 %." in head
    assert f"/benchmarks?view=curve&amp;curves={RUN}" in head and "cut 64" in head
    assert "view=curve" not in read_detail(store, SampleView("1")).head
    assert curve_choices(store, Scope()) == []  # the run at the full budget is not there


def test_an_answer_by_likelihood_shows_each_option_as_a_bar_of_its_probability():
    row = BenchmarkSample(
        id=1, run_id=1, item_id="q", question="Q?", gold="B", raw_text="", think_text="", final_text="",
        think_state="none", finish_reason="stop", n_prompt_tokens=1, n_think_tokens=0, n_answer_tokens=0, parsed="A",
        rule="likeliest option", correct=False, seconds=0, options={"A": "yes", "B": "<no>"}, overlap="near",
        logprobs={"A": -1.0, "B": -1.0}, epoch=2, rotation=1,
    )
    html = samples_html([row])
    assert html.count("width:50.0%") == 2 and "log-probability -1.000" in html and "&lt;no&gt;" in html
    assert "nearly the same question" in html and "answer 3, options turned by 1" in html


def test_facts_of_a_run_with_odd_values_do_not_break():
    run = BenchmarkRun(job_id=1, benchmark="b", benchmark_version="1", run_key="k", model_label="m", base="b",
                       figures={"record": {"a": None, "b": [1, 2], "c": True, "d": 1.5}}, settings={})
    html = facts_html(run, {"x": {"y": 1}})
    assert "1, 2" in html and "yes" in html and "1.5" in html and "x y" in html
