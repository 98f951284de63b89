"""The Train page: the grid, launching, recipes and a dataset of one's own."""

import json

import pytest

from lab.core.errors import LabError
from lab.core.spec import to_yaml
from lab.studies.spec import StudySpec
from lab.ui.train.grid import measured_speeds, read_grid
from lab.ui.train.launching import launch, launch_recipe, starting_spec, study_of_recipe
from lab.ui.train.own_data import keep_upload, kept_uploads
from storage.queries.studies import list_studies

VALUES = {"name": "mine <b>", "bases": ["demo-llama", "demo-qwen2"], "datasets": ["demo-medical"], "seeds": [0, 1],
          "benchmarks": ["demo-medical"]}


def n_studies(store) -> int:
    with store.read() as session:
        return list_studies(session)[1]


@pytest.mark.usefixtures("two_bases")
def test_the_grid_shows_every_variant_with_what_is_dropped_and_the_time_in_all(store):
    html = read_grid(store, StudySpec.model_validate(VALUES))
    assert html.count('class="chip') == 8
    assert "8 variants" in html and "about" in html and "<b>1</b>" in html  # one row is longer than max_length


def test_speeds_come_from_trainings_that_succeeded_here(store):
    assert measured_speeds(store)[("demo-llama", "trace")] == 4200


@pytest.mark.usefixtures("two_bases")
def test_launching_queues_the_study_and_leads_to_its_jobs(lab, store):
    before = n_studies(store)
    said = launch(lab, "study", VALUES)
    assert n_studies(store) == before + 1
    assert "is queued" in said and f"/jobs?study={before + 1}" in said and "mine &lt;b&gt;" in said


@pytest.mark.usefixtures("two_bases")
def test_a_wrong_study_lists_every_fault_and_stores_nothing(lab, store):
    before = n_studies(store)
    said = launch(lab, "study", VALUES | {"bases": ["demo-lama"], "benchmarks": ["nope"], "max_questions": -1})
    assert "3 things to correct" in said and "Did you mean &#x27;demo-llama&#x27;" in said
    assert n_studies(store) == before


@pytest.mark.usefixtures("two_bases")
def test_a_pasted_recipe_takes_the_same_path(lab, store):
    before = n_studies(store)
    assert "is queued" in launch_recipe(lab, to_yaml("study", VALUES))
    assert n_studies(store) == before + 1


@pytest.mark.parametrize(("text", "words"), [
    ("kind: [", "not valid YAML"), ("name: x", "kind"), ("kind: studdy", "Did you mean"), ("", "kind"),
])
def test_a_broken_recipe_is_one_clear_sentence(lab, text, words):
    assert words in launch_recipe(lab, text)


@pytest.mark.usefixtures("two_bases")
def test_the_form_takes_studies_only():
    assert study_of_recipe(to_yaml("study", VALUES)).seeds == (0, 1)
    with pytest.raises(LabError, match="kind 'engine'"):
        study_of_recipe("kind: engine\nbase: demo-llama")


@pytest.mark.usefixtures("two_bases")
def test_the_form_starts_from_the_demo_study_or_from_the_study_the_address_names(lab, store):
    assert starting_spec(lab).datasets == ("demo-medical",)
    with pytest.raises(LabError, match="no study"):
        starting_spec(lab, "nonsense")


@pytest.mark.usefixtures("two_bases")
def test_the_public_demo_launches_nothing(space, store):
    before = n_studies(store)
    assert "public demo" in launch(space, "study", VALUES) and n_studies(store) == before


def test_an_uploaded_file_is_kept_under_its_content(store, tmp_path):
    file = tmp_path / "my rows.jsonl"
    file.write_text("\n".join(json.dumps({"question": f"q{i}", "answer": "1", "trace": "t"}) for i in range(3)))
    kept, n_rows = keep_upload(store.home, file)
    assert n_rows == 3 and kept in kept_uploads(store.home) and kept.name.startswith("my-rows-")
    file.write_text(json.dumps({"question": "q", "answer": "2"}))
    assert keep_upload(store.home, file)[0] != kept  # an older study's rows are not overwritten


def test_a_broken_line_of_an_upload_is_named_and_nothing_is_kept(store, tmp_path):
    before = kept_uploads(store.home)
    file = tmp_path / "broken.jsonl"
    file.write_text('{"question": "q", "answer": "a"}\n{"question": oops}\n')
    with pytest.raises(LabError, match=r"^broken\.jsonl line 2"):
        keep_upload(store.home, file)
    assert kept_uploads(store.home) == before
