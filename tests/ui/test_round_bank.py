"""Answers to rate: a new bank as a job, or frozen from saved comparisons; jobs beside a round."""

from __future__ import annotations

import gradio as gr
import pytest

from lab.ui.app_state import SPACE_SENTENCE
from lab.ui.ratings.bank_form import banks_html, collect, prompts_of, values_of
from lab.ui.ratings.bank_layout import bank_choices, lay_out_bank
from lab.ui.ratings.launching import judge, measure
from storage.queries.jobs import list_jobs
from tests.rating.bank import seed_bank
from tests.ui.rounds_here import new_round

FORM = {"name": "Ours", "source": "benchmark", "benchmark": "demo-medical", "models": ["demo-llama", "demo-qwen2"],
        "n_questions": 5, "max_new_tokens": 64.0, "temperature": 0, "seed": 0, "batch_size": 32, "min_think_tokens": 0,
        "max_think_tokens": -1, "answer_prefix": ""}


def n_jobs(store) -> int:
    with store.read() as session:
        return list_jobs(session)[1]


def test_pasted_questions_are_lines_or_blocks():
    assert prompts_of("One?\nTwo?\n") == ["One?", "Two?"]
    assert prompts_of("A case.\nWhat now?\n\nAnother case.\nAnd now?") == ["A case.\nWhat now?",
                                                                          "Another case.\nAnd now?"]
    assert prompts_of("") == []


def test_the_form_names_one_source_of_questions():
    assert values_of({**FORM, "dataset": "demo", "prompts": "x"}).keys() & {"benchmark", "dataset", "prompts"} == {
        "benchmark"}
    own = values_of({**FORM, "source": "prompts", "prompts": "One?\nTwo?"})
    assert own["prompts"] == ["One?", "Two?"] and "n_questions" not in own and own["max_new_tokens"] == 64


def test_collecting_queues_a_job_that_is_listed(lab, store):
    assert "Queued" in collect(lab, FORM)
    with store.read() as session:
        job = list_jobs(session, kinds=("answers",))[0][0]
    assert job.spec["models"] == ["demo-llama", "demo-qwen2"] and job.spec["n_questions"] == 5
    html = banks_html(store)
    assert "Being collected" in html and f"/jobs?id={job.id}" in html


def test_all_faults_are_told_and_nothing_is_queued(lab, store):
    before = n_jobs(store)
    html = collect(lab, {**FORM, "name": "", "models": ["demo-llama"], "benchmark": "", "max_new_tokens": 0})
    for field in ("benchmark", "name", "models", "max_new_tokens"):
        assert f"<code>{field}</code>" in html
    assert "choose one" in html and n_jobs(store) == before


def test_the_public_demo_queues_nothing(space, store):
    made = new_round(store)
    before = n_jobs(store)
    assert SPACE_SENTENCE in collect(space, FORM)
    assert SPACE_SENTENCE in judge(space, str(made.id), "demo-llama")
    assert SPACE_SENTENCE in measure(space, str(made.id), "demo-llama")
    assert n_jobs(store) == before


def test_freezing_nothing_says_so(lab):
    assert "name at least one" in collect(lab, {**FORM, "source": "comparisons", "comparisons": []})


def test_banks_lead_to_a_round_of_them(store):
    number = seed_bank(store, 3, "bankjob00003")
    assert f'href="/ratings?view=new&amp;bank={number}"' in banks_html(store)


def test_the_form_offers_models_questions_and_comparisons(lab):
    with gr.Blocks():
        form = lay_out_bank(lab)
    models, benchmarks, datasets, comparisons = bank_choices(lab)
    assert len(form.choices) == 4 and models["choices"] and benchmarks["choices"] and datasets["choices"]
    assert isinstance(comparisons["choices"], list)


@pytest.mark.parametrize(("ask", "kind"), [(judge, "rounds-judge"), (measure, "measure")])
def test_a_judge_and_a_measure_are_jobs_over_the_rounds_units(lab, store, ask, kind):
    made = new_round(store)
    assert "choose a model" in ask(lab, str(made.id), "")
    assert "Queued" in ask(lab, str(made.id), "demo-llama")
    with store.read() as session:
        job = list_jobs(session, kinds=(kind,))[0][0]
    assert job.spec["units"] == f"round:{made.uid}" and job.spec["model"] == "demo-llama"
