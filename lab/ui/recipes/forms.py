"""The form of a recipe, made for the kind that is chosen and for no other.

A page that held every kind's form would send some three hundred widgets to every browser.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_origin

import gradio as gr
from pydantic import BaseModel

from jobs.catalog import specs
from lab.core.errors import LabError
from lab.core.spec import Spec, load_spec, parse_recipe
from lab.ui.components.html import failure
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.table import Column, table
from lab.ui.form import Choices, FormField, SpecForm
from lab.ui.form_sections import SUBJECT, sections
from lab.ui.kinds import kind_words
from lab.ui.recipes.text import with_values

MOST_TOLD = 3  # settings named in the title of a closed part
STAGE_COLUMNS = (("data", False), ("target", False), ("epochs", True), ("learning_rate", True))


@dataclass(frozen=True)
class Held:
    """What the form shows: a kind and its values as the recipe has them."""

    kind: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Read:
    """A recipe's text, read. `spec` is None when it cannot be a spec; `told` lists every fault."""

    held: Held
    spec: Spec | None
    told: Html


def read_text(text: str) -> Read:
    """What a recipe says, and what is wrong with it. A wrong name alone does not keep the form from being filled."""
    try:
        kind, values = parse_recipe(text, "recipe")
        cls = specs()[kind]
    except LabError as problem:
        return Read(Held(), None, failure(problem))
    try:
        return Read(Held(kind, values), load_spec(cls, values), Html(""))
    except LabError as problem:
        return Read(Held(kind, values) if _valid(cls, values) else Held(), None, failure(problem))


def _valid(cls: type[Spec], values: Mapping[str, Any]) -> bool:
    try:
        cls.model_validate(dict(values))
    except ValueError:
        return False
    return True


def has_form(cls: type[Spec]) -> bool:
    """Whether every setting fits a widget; a list of stages does not."""
    return all(_fits(each) for each in SpecForm(cls).fields)


def _fits(setting: FormField) -> bool:
    kind = setting.items or setting.info.annotation
    plain = get_origin(kind) or kind
    return not (isinstance(plain, type) and issubclass(plain, dict | BaseModel))


def lay_out_form(form: SpecForm, values: Mapping[str, Any], also: Choices) -> list[Any]:
    """A widget for every setting, in the order of `form.fields`: the subject first, the other parts folded, each with
    what differs from the declaration in its title."""
    spec = form.cls.model_validate(dict(values))
    shown = dict(zip(form.fields, form.widget_values(spec), strict=True))
    made: dict[FormField, Any] = {}

    def place(fields: list[FormField]) -> None:
        made.update({each: each.widget(each.read(shown[each]), also) for each in fields})

    for title, fields in sections(form.fields).items():
        if title == SUBJECT:
            place(fields)
            continue
        with gr.Accordion(f"{title}{_given(form, fields, shown)}", open=False), gr.Row(elem_classes="lab-small-fields"):
            place(fields)
    return [made[each] for each in form.fields]


def _given(form: SpecForm, fields: list[FormField], shown: Mapping[FormField, Any]) -> str:
    """': learning rate 0.0002, batch size 8 and 2 more'."""
    told = [f"{each.label.lower()} {shown[each]}" for each in fields if shown[each] != each.shown(form.default(each))]
    more = f" and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
    return f": {', '.join(told[:MOST_TOLD])}{more}" if told else ""


def text_of(form: SpecForm, text: str, widget_values: list[Any]) -> str:
    """The recipe after someone has used the form."""
    try:
        _, said = parse_recipe(text, "recipe")
    except LabError:
        said = {}
    return with_values(text, form.cls.kind, form.given(widget_values, said))


def stages_html(values: Mapping[str, Any]) -> Html:
    """The stages of a curriculum in their order, with what they differ in."""
    stages = [stage for stage in values.get("stages", ()) if isinstance(stage, Mapping)]
    shared = values.get("defaults") or {}
    flat = [{**shared, **stage, **(stage.get("settings") or {})} for stage in stages]
    flat = [{**stage, "data": stage.get("dataset") or stage.get("pairs")} for stage in flat]
    columns = [(name, is_number) for name, is_number in STAGE_COLUMNS if any(name in stage for stage in flat)]
    rows = [
        [number, join([tag("b", stage.get("name", "")), tag("small", _kind(stage))]),
         *(_cell(stage.get(name), is_number) for name, is_number in columns)]
        for number, stage in enumerate(flat, 1)
    ]
    heads = [Column("No.", number=True), Column("Stage", wide=True),
             *(Column(name.replace("_", " "), number=is_number) for name, is_number in columns)]
    note = tag("p", "A curriculum is edited as YAML. Its stages run in this order, each from the one before.",
               cls="note")
    return tag("div", note, table(heads, rows, caption="Stages"))


def _kind(stage: Mapping[str, Any]) -> str:
    start = f", from {stage['start']}" if stage.get("start") else ""
    return f"{kind_words(stage.get('kind', 'sft'))}{start}"


def _cell(value: Any, is_number: bool) -> Any:
    if value is None:
        return tag("span", "–", cls="missing")
    return tag("span", value, cls="figure") if is_number else value
