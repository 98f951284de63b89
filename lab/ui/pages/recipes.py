"""Recipes: pick one, change it as a form or as YAML, check its rows, launch it.

Address: /recipes?recipe=huatuogpt-o1/demo/ppo.yaml opens a recipe; &start=variant:NAME goes on from a variant.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from jobs.catalog import specs
from lab.core.errors import LabError
from lab.ui.app_state import LabApp, Page
from lab.ui.components.html import failure, note, tag
from lab.ui.components.markup import Html, join
from lab.ui.components.wiring import html_block, on_load, query, quiet
from lab.ui.form import SpecForm
from lab.ui.kinds import kind_words
from lab.ui.recipes.forms import Held, has_form, lay_out_form, read_text, stages_html, text_of
from lab.ui.recipes.going_on import offered, start_banner, started
from lab.ui.recipes.layout import NOTHING, Parts, lay_out
from lab.ui.recipes.shelf import Recipe, find_recipe, readme, shelf, shelf_html
from lab.ui.train.checking import check_html
from lab.ui.train.launching import launch_recipe
from lab.ui.train.where import batch_preview, places

SHOW_RECIPE = "() => { if (innerWidth < 900) document.getElementById('recipe-head')?.scrollIntoView(); }"
UNTOUCHED: dict[str, Any] = {"kind": "", "values": {}}


def build(app: LabApp) -> None:
    parts = lay_out(app)
    _wire_form(app, parts)
    _wire_choosing(app, parts)
    _wire_text(app, parts)


def _wire_choosing(app: LabApp, parts: Parts) -> None:
    shown = [parts.shelf, parts.head, parts.group, *parts.readme, parts.chosen, parts.yaml, parts.faults, parts.held,
             parts.known, parts.launch, parts.checked]

    def show(name: str, start: str) -> list[Any]:
        families = shelf()
        if not name:
            return _nothing(shelf_html(families), NOTHING)
        try:
            recipe = find_recipe(name, families)
            text = started(app.store, recipe.text, start)
        except LabError as problem:
            return _nothing(shelf_html(families), failure(problem))
        read, about = read_text(text), readme(recipe.family)
        held = _plain(read.held)
        title = next(family.title for family in families if family.name == recipe.family)
        return [shelf_html(families, name), _head(recipe, title), gr.update(visible=True),
                gr.update(visible=bool(about), label=f"README of {title}"), about, name, text, read.told, held, held,
                gr.update(interactive=app.may_launch), ""]

    def open_page(request: gr.Request) -> list[Any]:
        start, known = query(request, "start"), places(app.store.home)
        run_on = gr.update(choices=known, visible=len(known) > 1)
        return [start, start_banner(app.store, start), run_on, *show(query(request, "recipe"), start)]

    def pick(start: str, event: gr.EventData) -> list[Any]:
        return ["", *show(str(event._data.get("recipe", "")), start)]

    on_load(open_page, [parts.start, parts.banner, parts.run_on, *shown])
    picked = quiet(parts.shelf.pick, pick, [parts.start], [parts.message, *shown])
    picked.then(None, None, None, js=SHOW_RECIPE)
    quiet(parts.reset.click, lambda name, start: ["", *show(name, start)], [parts.chosen, parts.start],
          [parts.message, *shown])


def _nothing(listed: Html, head: Html) -> list[Any]:
    """No recipe is chosen, or the one that the address names is not there."""
    hidden = gr.update(visible=False)
    return [listed, head, hidden, hidden, "", "", "", "", UNTOUCHED, UNTOUCHED, gr.update(interactive=False), ""]


def _head(recipe: Recipe, family: str) -> Html:
    path = tag("small", tag("code", f"lab/recipes/{recipe.name}"))
    where = tag("span", "runs here", cls="runs-here") if recipe.runs_here else None
    title = tag("h2", f"{family}: {recipe.title} ", tag("small", kind_words(recipe.kind)), " ", where)
    return join([title, tag("p", recipe.about) if recipe.about else None, path])


def _plain(held: Held) -> dict[str, Any]:
    return {"kind": held.kind, "values": dict(held.values)}


def _wire_form(app: LabApp, parts: Parts) -> None:
    """The form is drawn anew when a recipe is chosen or its YAML was changed; using it changes the YAML."""
    with parts.form_place:
        @gr.render(inputs=[parts.held], triggers=[parts.held.change], show_progress="hidden")
        def draw(held: dict[str, Any]) -> None:
            if not held["kind"]:
                html_block(note("The form appears when the YAML can be read."))
            elif not has_form(specs()[held["kind"]]):
                html_block(stages_html(held["values"]))
            else:
                _draw_form(app, parts, held)


def _draw_form(app: LabApp, parts: Parts, held: dict[str, Any]) -> None:
    form = SpecForm(specs()[held["kind"]])
    widgets = lay_out_form(form, held["values"], offered(app.store))

    def write(text: str, *values: Any) -> list[Any]:
        changed = text_of(form, text, list(values))
        read = read_text(changed)
        return [changed, read.told, _plain(read.held)]

    gr.on([widget.input for widget in widgets], write, [parts.yaml, *widgets], [parts.yaml, parts.faults, parts.known],
          show_progress="hidden", trigger_mode="always_last", concurrency_limit=None)


def _wire_text(app: LabApp, parts: Parts) -> None:
    def fill(text: str, known: dict[str, Any]) -> list[Any]:
        """What was typed as YAML becomes the form, unless the form says it already."""
        read = read_text(text)
        held = _plain(read.held)
        if held == known:
            return [gr.skip(), gr.skip(), read.told]
        return [held, held, read.told]

    def check(text: str, run_on: str) -> Html:
        read = read_text(text)
        return check_html(app, read.spec, run_on) if read.spec is not None else read.told

    def look_at_batch(text: str, run_on: str) -> list[Any]:
        read = read_text(text)
        files = batch_preview(app.store, read.spec, run_on) if run_on and read.spec is not None else read.told
        return [gr.update(visible=bool(run_on)), files]

    quiet(parts.yaml.blur, fill, [parts.yaml, parts.known], [parts.held, parts.known, parts.faults])
    quiet(parts.check.click, check, [parts.yaml, parts.run_on], [parts.checked], show_progress="minimal",
          concurrency_limit=2)
    parts.yaml.change(None, None, [parts.checked], js="() => ''")  # it was of another text
    quiet(parts.run_on.change, look_at_batch, [parts.yaml, parts.run_on], parts.batch)
    quiet(parts.launch.click, lambda text, run_on: launch_recipe(app, text, run_on), [parts.yaml, parts.run_on],
          [parts.message], show_progress="minimal")


PAGE = Page(path="recipes", title="Recipes", order=20, build=build)
