"""The form: for every registered spec, values → widgets → values is the same spec."""

from typing import Any, Literal, get_args, get_origin

import annotated_types
import gradio as gr
import pytest

from jobs.catalog import specs
from lab.core.errors import SpecError
from lab.core.spec import parse_recipe
from lab.studies.spec import StudySpec
from lab.ui.form import FormField, SpecForm
from lab.ui.form_sections import sections
from lab.ui.recipes.forms import has_form

WITH_FORM = [kind for kind in sorted(specs()) if has_form(specs()[kind])]
# Settings whose values must fit one another.
AGREEING = {"batch_size": 96, "micro_batch_size": 12, "gpus": 4, "method": "lora", "quantisation": "4bit",
            "lora_variant": "rslora", "match": "steps", "max_steps": 48, "samples_per_prompt": 8, "n_minibatches": 4,
            "label_smoothing": 0.0, "neftune_alpha": 0.0}


def other_than_default(field: FormField) -> Any:
    """A valid value that differs from the declared default, made from the declaration alone."""
    kind, default = field.items or field.info.annotation, field.info.default
    if field.name in AGREEING and (get_origin(kind) is not Literal or AGREEING[field.name] in get_args(kind)):
        return AGREEING[field.name]
    if get_origin(kind) is Literal:
        value: Any = next(choice for choice in reversed(get_args(kind)) if choice != default)
    elif kind in (int, float):
        low = next((m.ge for m in field.info.metadata if isinstance(m, annotated_types.Ge)), 0)
        high = next((m.le for m in field.info.metadata if isinstance(m, annotated_types.Le)), low + 48)
        value = kind(low + 0.25 if kind is float else min(low + 48, high))
    else:
        value = kind("one-word")
    many = [value, *([kind(f"{value}-2")] if kind is str else [])]
    return tuple(many) if field.items else value


def full_spec(kind: str) -> Any:
    form = SpecForm(specs()[kind])
    return form, form.cls.model_validate(form.values([field.shown(other_than_default(field)) for field in form.fields]))


def test_every_kind_has_a_form_but_the_one_whose_stages_are_a_list():
    assert {"sft", "study", "benchmark", "dpo", "ppo", "grpo", "rloo", "pairs"} <= set(WITH_FORM)
    assert set(specs()) - set(WITH_FORM) == {"curriculum"}


@pytest.mark.parametrize("kind", WITH_FORM)
def test_every_setting_stands_in_one_part_of_the_form(kind):
    fields = SpecForm(specs()[kind]).fields
    placed = [field for part in sections(fields).values() for field in part]
    assert sorted(field.key for field in placed) == sorted(field.key for field in fields)


@pytest.mark.parametrize("kind", WITH_FORM)
def test_a_spec_survives_the_way_through_its_widgets(kind):
    form, spec = full_spec(kind)
    assert form.cls.model_validate(form.values(form.widget_values(spec))) == spec


@pytest.mark.parametrize("kind", WITH_FORM)
def test_the_recipe_says_the_same_as_the_form(kind):
    form, spec = full_spec(kind)
    read_kind, values = parse_recipe(form.recipe(form.widget_values(spec)), "recipe")
    assert read_kind == kind and form.cls.model_validate(values) == spec


@pytest.mark.parametrize("kind", WITH_FORM)
def test_every_setting_has_a_labelled_widget_with_its_description(kind):
    form = SpecForm(specs()[kind])
    with gr.Blocks():
        widgets = [field.widget(form.default(field)) for field in form.fields]
    assert widgets
    for field, widget in zip(form.fields, widgets, strict=True):
        assert widget.label and widget.info.startswith(field.info.description)


def test_bounds_are_told_beside_the_field():
    rate = next(field for field in SpecForm(StudySpec).fields if field.key == "training.learning_rate")
    assert rate.help.endswith("More than 0, less than 1.")


def test_a_recipe_holds_only_what_differs_from_the_declaration():
    form = SpecForm(StudySpec)
    values = [field.shown(form.default(field)) for field in form.fields]
    values[0] = "mine"
    assert form.given(values).keys() - {"bases", "datasets"} == {"name"}


def test_all_faults_are_told_together_with_their_fields():
    form = SpecForm(StudySpec)
    given = {"name": "", "seeds": "0, x", "training.learning_rate": -1.0, "bases": ["b"], "datasets": ["d"]}
    values = [given.get(field.key, field.shown(form.default(field))) for field in form.fields]
    with pytest.raises(SpecError) as caught:
        form.read(values)
    assert {"name", "seeds.1", "training.learning_rate"} <= {fault.field for fault in caught.value.faults}


def test_a_fraction_for_a_whole_number_is_refused_and_not_rounded():
    form = SpecForm(StudySpec)
    values = [1.5 if field.key == "max_new_tokens" else field.shown(form.default(field)) for field in form.fields]
    with pytest.raises(SpecError, match="max_new_tokens"):
        form.read(values)


def test_an_emptied_number_is_a_fault_and_not_silently_the_default():
    form = SpecForm(StudySpec)
    values = [None if field.key == "max_new_tokens" else field.shown(form.default(field)) for field in form.fields]
    with pytest.raises(SpecError, match="max_new_tokens"):
        form.read(values)
