"""The Recipes page: its shelf, a recipe as form and as YAML, checking, launching, going on from a variant."""

import gradio as gr
import pytest

from jobs.catalog import specs
from lab.bases.cards import bases
from lab.core.errors import LabError
from lab.core.spec import parse_recipe
from lab.ui.form import SpecForm
from lab.ui.kinds import kind_words
from lab.ui.recipes.forms import has_form, lay_out_form, read_text, stages_html, text_of
from lab.ui.recipes.going_on import offered, start_banner, started
from lab.ui.recipes.layout import lay_out
from lab.ui.recipes.shelf import find_recipe, readme, shelf, shelf_html
from lab.ui.train.checking import check_html
from lab.ui.train.launching import launch_recipe
from storage.queries.jobs import list_jobs

TRACE = "demo-llama_demo-medical_trace_s0"
NAMES = [recipe.name for family in shelf() for recipe in family.recipes]
SFT = "# From the paper.\nkind: sft\nbase: demo-llama  # small\ndataset: demo-medical\ntarget: trace\n"


def recipe(name: str):
    return find_recipe(name, shelf())


def test_the_shelf_has_every_family_the_demo_first_and_full_recipes_before_their_twins():
    families = shelf()
    assert families[0].name == "demo" and "demo/study.yaml" in NAMES
    for family in families:
        twins = [one.runs_here for one in family.recipes]
        assert twins == sorted(twins)
    html = shelf_html(families, "demo/study.yaml")
    assert html.count("data-select") == len(NAMES) and html.count('aria-current="true"') == 1
    assert "runs here" in html


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_says_what_it_is_and_of_which_kind(name):
    found = recipe(name)
    assert found.kind in specs() and found.about
    assert read_text(found.text).held.kind == found.kind


@pytest.mark.parametrize("name", [name for name in NAMES if recipe(name).kind in specs()
                                  and has_form(specs()[recipe(name).kind])])
def test_a_recipes_form_says_what_its_text_says_and_changes_nothing_by_being_looked_at(name):
    text = recipe(name).text
    kind, values = parse_recipe(text, name)
    form = SpecForm(specs()[kind])
    with gr.Blocks():
        widgets = lay_out_form(form, values, {})
    assert len(widgets) == len(form.fields)
    shown = form.widget_values(form.cls.model_validate(values))
    said = parse_recipe(text_of(form, text, shown), name)[1]
    assert form.cls.model_validate(said) == form.cls.model_validate(values)


def test_using_the_form_changes_one_line_and_keeps_the_comments():
    form = SpecForm(specs()["sft"])
    shown = form.widget_values(form.cls.model_validate(parse_recipe(SFT, "x")[1]))
    place = next(index for index, field in enumerate(form.fields) if field.name == "target")
    shown[place] = "answer"
    assert text_of(form, SFT, shown) == SFT.replace("target: trace", "target: answer")


def test_a_text_with_faults_lists_them_all_and_a_wrong_name_still_fills_the_form():
    read = read_text(SFT.replace("demo-llama", "demo-lama"))
    assert read.spec is None and read.held.kind == "sft" and "demo-llama" in read.told
    read = read_text(SFT + "learning_rate: fast\nepoks: 2\n")
    assert read.held.kind == "" and "2 things to correct" in read.told and "epochs" in read.told
    for text in ("kind: [", "kind: nothing", ""):
        assert read_text(text).held.kind == "" and "lab-error" in read_text(text).told


def test_a_dataset_may_be_a_mixture_and_a_base_may_be_typed():
    assert read_text(SFT.replace("demo-medical", "demo-medical[:100] + demo-general")).spec is not None
    assert read_text(SFT.replace("demo-llama", bases()["demo-llama"].location())).spec is not None
    told = read_text(SFT.replace("demo-llama", "no-such-base")).told
    assert "lab-error" in told and "no-such-base" in told


def test_a_curriculum_is_shown_as_its_stages():
    assert not has_form(specs()["curriculum"])
    html = stages_html({"defaults": {"epochs": 2}, "stages": [
        {"name": "first", "settings": {"dataset": "demo-general", "target": "trace"}},
        {"name": "then", "kind": "ppo", "start": "first", "settings": {"dataset": "demo-medical"}},
    ]})
    assert html.index("first") < html.index("then") and kind_words("ppo") in html and "from first" in html
    assert "demo-general" in html


def test_the_readme_leads_to_recipes_and_nowhere_else(tmp_path):
    (tmp_path / "fam").mkdir()
    (tmp_path / "fam" / "README.md").write_text("[ppo](demo/ppo.yaml), [other](../x.md), [paper](https://arxiv.org/abs/1)")
    text = readme("fam", tmp_path)
    assert "[ppo](/recipes?recipe=fam/demo/ppo.yaml)" in text and "(https://arxiv.org/abs/1)" in text
    assert ", other," in text and readme("none", tmp_path) == ""


def test_an_unknown_recipe_is_told_with_the_nearest():
    with pytest.raises(LabError, match="Did you mean 'demo/study.yaml'"):
        recipe("demo/studi.yaml")


def test_going_on_from_a_variant_fills_start_and_base_of_kinds_that_begin_somewhere(store):
    text = started(store, SFT.replace("demo-llama", "demo-qwen2"), f"variant:{TRACE}")
    assert parse_recipe(text, "x")[1] | {"target": "trace"} == {
        "base": "demo-llama", "dataset": "demo-medical", "target": "trace", "start": f"variant:{TRACE}"}
    study = recipe("demo/study.yaml").text
    assert started(store, study, TRACE) == study and started(store, SFT, "") == SFT
    assert TRACE in start_banner(store, TRACE) and "Did you mean" in start_banner(store, TRACE + "x")
    assert (f"▲ {TRACE}", f"variant:{TRACE}") in offered(store)["start"]


def test_the_check_shows_verdict_and_rows_and_the_public_demo_reads_no_file_for_anyone(lab, space):
    spec = read_text(SFT + "max_rows: 20\n").spec
    shown = check_html(lab, spec)
    assert "check-verdict" in shown and "&lt;think&gt;" in shown
    assert "public demo" in check_html(space, spec)


def test_a_launched_recipe_is_a_job_of_its_kind(lab, store):
    said = launch_recipe(lab, SFT + "max_steps: 1\n")
    assert "is queued" in said
    with store.read() as session:
        job = list_jobs(session, kinds=("sft",), limit=1)[0][0]
    assert job.spec["max_steps"] == 1 and f"/jobs?id={job.id}" in said


def test_the_page_is_built_without_a_widget_of_any_form(lab):
    with gr.Blocks() as page:
        lay_out(lab)
    assert len(page.blocks) < 60
