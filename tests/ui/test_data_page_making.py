"""Making data on the Data page: forms from the specs, warnings beforehand, jobs at work, pairs of a round."""

import re

import gradio as gr
import pytest

from lab.core.settings import Settings
from lab.data.pairs import resolve_pairs
from lab.synthesis.specs import EMBEDDED
from lab.ui.app_state import LabApp
from lab.ui.data.make_layout import lay_out_make
from lab.ui.data.making import (
    FORMS,
    MODELS,
    is_demo,
    look_over,
    model_choices,
    running_html,
    source_choices,
    warnings_html,
)
from lab.ui.data.shelf import find_listed
from lab.ui.data.wiring_make import keep_from_round, offered, offers, preview, round_choices
from lab.ui.data.wiring_parts import draw_map
from lab.ui.kinds import KIND_WORDS
from lab.ui.train.launching import launch
from storage.queries.jobs import list_jobs
from tests.storage.test_rating_pairs import rated
from tests.stores import new_store
from tests.ui.data_here import Here, seed_data


@pytest.fixture(scope="module")
def here(store) -> Here:
    return seed_data(store)


def defaults(kind: str, **given) -> list:
    form = FORMS[kind]
    return [given.get(field.name, field.shown(form.default(field))) for field in form.fields]


@pytest.mark.parametrize("kind", list(FORMS))
def test_a_form_has_every_setting_of_its_spec_and_writes_its_recipe(lab, kind):
    with gr.Blocks():
        make = lay_out_make(lab)
    assert len(make.forms[kind].widgets) == len(FORMS[kind].fields)
    assert FORMS[kind].recipe(defaults(kind)).startswith(f"kind: {kind}")
    assert "seed: 3" in FORMS[kind].recipe(defaults(kind, seed=3.0))
    assert look_over(lab.store, kind, defaults(kind)) == ""


def test_offers_fit_what_they_fill(lab, here):
    with gr.Blocks():
        make = lay_out_make(lab)
    assert len(offers(lab, make)) == len(offered(make))


def test_teachers_are_the_embedded_one_bases_variants_and_endpoints(store):
    values = [value for _, value in model_choices(store, "teacher")]
    assert values[0] == EMBEDDED and "demo-llama" in values
    assert any(value.startswith("variant:") for value in values)
    assert ("rule: the problem's own, no model", "rule") in model_choices(store, "verifier")
    assert EMBEDDED not in [value for _, value in model_choices(store, "solvers")]


def test_data_is_made_of_registered_own_and_made_rows(store, here):
    values = [value for _, value in source_choices(store, "reasoning")]
    assert "demo-medical" in values and str(find_listed(store, here.complex).path) in values
    assert "demo-texts" in [value for _, value in source_choices(store, "instructions")]


def test_every_fault_is_told_while_the_form_is_filled(store):
    html = look_over(store, "reasoning", defaults("reasoning", problems="no-such", at_once=0.0, teacher="demo-lama"))
    assert "3 things to correct" in html


@pytest.mark.parametrize(("kind", "given", "words"), [
    ("reasoning", {"problems": "medical-o1-verifiable-problem"}, "embedded teacher"),
    ("reasoning", {"show_label": True}, "label_shown"),
    ("problems", {"teacher": "remote:far"}, "without a budget"),
])
def test_what_will_not_go_well_is_said_before(store, kind, given, words):
    assert words in warnings_html(store, kind, FORMS[kind].values(defaults(kind, **given)))


def test_what_was_made_of_demo_data_is_demo_data(store, here):
    path = str(find_listed(store, here.complex).path)
    assert is_demo(store, path) and is_demo(store, "demo-medical[:100] + demo-general")
    for source in ("", "job:nothing", "/tmp/other.jsonl", "demo-medical + hub:org/name", "["):
        assert not is_demo(store, source)


def test_a_launch_from_the_form_is_a_job_and_the_public_demo_has_none(lab, space):
    form = FORMS["reasoning"]
    values = form.values(defaults("reasoning", max_items=4.0, name="of the page"))
    assert "public demo" in launch(space, "reasoning", values)
    assert "is queued" in launch(lab, "reasoning", values)
    with lab.store.read() as session:
        job = list_jobs(session, kinds=("reasoning",), limit=1)[0][0]
    assert job.spec["max_items"] == 4 and job.state == "queued"


def test_work_in_hand_shows_its_progress_funnel_and_cost(store, here):
    html = running_html(store)
    assert "70 of 200 ended" in html and "still open" in html and "reply tokens" in html
    assert f"/jobs?id={here.running}" in html and f"/data?data={here.complex}" in html


def test_a_map_is_asked_for_by_its_dataset(lab, space, here):
    assert "public demo" in draw_map(space, here.complex, "tfidf")
    assert "Queued" in draw_map(lab, here.complex, "tfidf")
    with lab.store.read() as session:
        job = list_jobs(session, kinds=("map",), limit=1)[0][0]
    assert job.spec["dataset"] == str(find_listed(lab.store, here.complex).path)
    assert "unknown dataset" in draw_map(lab, "/etc/passwd", "tfidf")


def test_without_a_closed_round_the_form_says_what_it_needs(store):
    assert round_choices(store) == []
    assert "No closed round yet" in preview(store, None, 0.7, 2, False)
    assert "lab-error" in preview(store, "77", 0.7, 2, False)


def test_a_closed_round_is_looked_at_and_becomes_pairs_with_a_way_to_them(tmp_path):
    store = new_store(tmp_path)
    made = rated(store, {}, {})
    lab = LabApp(store, Settings.from_env({"LAB_HOME": str(tmp_path)}))
    assert [value for _, value in round_choices(store)] == [str(made.id)]
    assert "6 pairs" in preview(store, str(made.id), 0.7, 2, False)
    told = keep_from_round(lab, str(made.id), (0.7, 2, False), "agreed")
    key = re.search(r"/data\?data=(agreed-[0-9a-f]{8})", told)[1]
    assert len(resolve_pairs(str(find_listed(store, key).path)).load()) == 6
    assert "lab-error" in keep_from_round(lab, "77", (0.7, 2, False), "")
    store.close()


@pytest.mark.parametrize("kind", [*FORMS, "map"])
def test_its_kinds_have_words(kind):
    assert kind in KIND_WORDS


def test_models_are_named_by_fields_that_the_specs_have():
    known = {field.name for form in FORMS.values() for field in form.fields}
    assert set(MODELS) <= known
