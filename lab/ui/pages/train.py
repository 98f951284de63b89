"""Train: plan a study, see every variant it would train, launch it. Address: /train?study=3 starts from that study."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from lab.core.errors import LabError
from lab.data.dataset import datasets
from lab.studies.spec import StudySpec
from lab.ui.app_state import LabApp, Page
from lab.ui.components.folds import folding_block
from lab.ui.components.html import failure, heading, note
from lab.ui.components.markup import Html, tag
from lab.ui.components.wiring import html_block, on_load, query, quiet
from lab.ui.form import FormField, SpecForm
from lab.ui.form_sections import METHOD, SUBJECT, section_of, sections
from lab.ui.train import upload
from lab.ui.train.checking import check_html
from lab.ui.train.grid import read_grid
from lab.ui.train.launching import launch, launch_recipe, starting_spec, study_of_recipe
from lab.ui.train.own_data import kept_uploads
from lab.ui.train.where import batch_preview, places

LEAD = "The same rows, seeds and settings for every arm; only the target differs. Check the grid, then launch."
FORM = SpecForm(StudySpec)


@dataclass(frozen=True)
class _Parts:
    """The widgets of the page."""

    widgets: list[Any]  # in the order of FORM.fields
    run_on: Any
    check: Any
    checked: Any
    launch: Any
    message: Any
    grid: Any
    recipe: Any
    batch: list[Any]  # its fold, its text
    pasted: Any
    fill: Any
    launch_pasted: Any
    upload: upload.Upload


def build(app: LabApp) -> None:
    parts = _lay_out(app)
    _wire_form(app, parts)
    _wire_recipe(app, parts)
    _wire_upload(app, parts)


def _lay_out(app: LabApp) -> _Parts:
    found: dict[str, Any] = {}
    with gr.Row(elem_classes="lab-heading"):
        html_block(heading("Train", LEAD))
        found["launch"] = gr.Button("Launch", variant="primary", scale=0, min_width=140, interactive=app.may_launch)
    found["message"] = html_block()
    with gr.Row(elem_classes="lab-split"):
        with gr.Column(scale=2, min_width=320):
            found["run_on"] = gr.Dropdown(places(app.store.home), value="", label="Run on", visible=False,
                                          info="The lab's own workers, or a Slurm cluster.")
            widgets = _form(app)
            found["upload"] = upload.lay_out(app)
        with gr.Column(scale=3, min_width=320):
            found["grid"] = html_block(waiting="Counting rows and tokens…", min_height=180)
            found |= _check(app)
            found |= _recipes(app)
    return _Parts(widgets=[widgets[field.key] for field in FORM.fields], **found)


def _form(app: LabApp) -> dict[str, Any]:
    """A widget for every field: what differs between variants first, hyperparameters and evaluation folded."""
    first, _ = _starting_values(app)
    start = {field.key: value for field, value in zip(FORM.fields, first, strict=True)}
    made: dict[str, Any] = {}

    def place(fields: list[FormField]) -> None:
        made.update({field.key: field.widget(field.read(start[field.key])) for field in fields})

    own = FORM.group()
    grid = [field for field in own if section_of(field) == SUBJECT]
    place(grid)
    html_block(note("The same for every variant:"))
    parts = sections(FORM.group("training"))
    parts[METHOD] = [*parts.pop(SUBJECT, []), *parts.get(METHOD, [])]
    parts["Benchmarks and answer bank"] = [field for field in own if field not in grid]
    for title, fields in parts.items():
        with gr.Accordion(title, open=False), gr.Row(elem_classes="lab-small-fields"):
            place(fields)
    return made


def _check(app: LabApp) -> dict[str, Any]:
    with gr.Accordion("Rows as the model will see them", open=False):
        html_block(note("Token by token, with what is learned and what is only read; what is wrong with the data; "
                        "tokens, memory, minutes and energy. It may take a few seconds."))
        check = gr.Button("Check", size="sm", min_width=100, interactive=app.may_launch)
        return {"check": check, "checked": folding_block()}


def _recipes(app: LabApp) -> dict[str, Any]:
    with gr.Accordion("Recipe of this study, for the command line", open=False):
        recipe = gr.Code(language="yaml", interactive=False, show_label=False)
        html_block(note(tag("span", "Save it as study.yaml, then: ", tag("code", "python -m jobs submit study.yaml"))))
    with gr.Accordion("Batch files for Slurm, before they are sent", open=False, visible=False) as fold:
        batch = html_block(min_height=40)
    with gr.Accordion("Paste a recipe", open=False):
        pasted = gr.Textbox(lines=8, show_label=False, placeholder="kind: study\nname: …", elem_classes="lab-mono")
        with gr.Row():
            fill = gr.Button("Fill the form", size="sm")
            launch_pasted = gr.Button("Launch as it is", size="sm", interactive=app.may_launch)
    return {"recipe": recipe, "batch": [fold, batch], "pasted": pasted, "fill": fill, "launch_pasted": launch_pasted}


def _look(app: LabApp) -> Callable[..., list[Any]]:
    def look(run_on: str, *values: Any) -> list[Any]:
        """The grid, or every fault; the recipe of what the form holds; what would be sent to Slurm."""
        batch = Html("")
        try:
            spec = FORM.read(values)
            shown: Html = read_grid(app.store, spec, run_on)
            batch = batch_preview(app.store, spec, run_on)
        except LabError as problem:
            shown = failure(problem)
        return [shown, FORM.recipe(values), gr.update(visible=bool(run_on)), batch]

    return look


def _wire_form(app: LabApp, parts: _Parts) -> None:
    look = _look(app)

    def open_page(request: gr.Request) -> list[Any]:
        values, said = _starting_values(app, query(request, "study"))
        known = places(app.store.home)
        return [*_updates(app, values), said, gr.update(choices=known, visible=len(known) > 1)]

    # Counting tokens of a dataset seen for the first time takes seconds: the form is there before, and a sign of work.
    opened = on_load(open_page, [*parts.widgets, parts.message, parts.run_on])
    seen, asked = [parts.grid, parts.recipe, *parts.batch], [parts.run_on, *parts.widgets]
    opened.then(look, asked, seen, show_progress="minimal", concurrency_limit=4)
    gr.on([widget.change for widget in asked], look, asked, seen, show_progress="minimal",
          trigger_mode="always_last", concurrency_limit=4)
    gr.on([widget.change for widget in asked], None, [], [parts.checked], js="() => ''")  # it was of other values
    quiet(parts.check.click, _checking(app), asked, [parts.checked], show_progress="minimal", concurrency_limit=2)
    quiet(parts.launch.click, lambda run_on, *values: launch(app, "study", FORM.values(values), run_on), asked,
          [parts.message], show_progress="minimal")


def _checking(app: LabApp) -> Callable[..., Html]:
    def check(run_on: str, *values: Any) -> Html:
        try:
            return check_html(app, FORM.read(values), run_on)
        except LabError as problem:
            return failure(problem)

    return check


def _starting_values(app: LabApp, study: str = "") -> tuple[list[Any], Html | str]:
    """What the widgets show first, and why not if the study that the address names cannot be had."""
    try:
        return FORM.widget_values(starting_spec(app, study)), ""
    except LabError as problem:
        return [field.shown(FORM.default(field)) for field in FORM.fields], failure(problem)


def _updates(app: LabApp, values: list[Any]) -> list[Any]:
    """Values for the widgets; the list of datasets also offers what was uploaded before."""
    uploads = [(path.name, str(path)) for path in kept_uploads(app.store.home)]
    choices = [*((name, name) for name in sorted(datasets())), *uploads]
    place = next(index for index, field in enumerate(FORM.fields) if field.key == "datasets")
    return [gr.update(value=value, choices=choices) if index == place else gr.update(value=value)
            for index, value in enumerate(values)]


def _wire_recipe(app: LabApp, parts: _Parts) -> None:
    look = _look(app)

    seen = [parts.grid, parts.recipe, *parts.batch]

    def fill(text: str, run_on: str) -> list[Any]:
        try:
            values = FORM.widget_values(study_of_recipe(text))
        except LabError as problem:
            return [*([gr.skip()] * len(parts.widgets)), failure(problem), *([gr.skip()] * len(seen))]
        return [*_updates(app, values), "", *look(run_on, *values)]

    quiet(parts.fill.click, fill, [parts.pasted, parts.run_on], [*parts.widgets, parts.message, *seen])
    quiet(parts.launch_pasted.click, lambda text, run_on: launch_recipe(app, text, run_on),
          [parts.pasted, parts.run_on], [parts.message])


def _wire_upload(app: LabApp, parts: _Parts) -> None:
    def choose(kept: Path, *values: Any) -> list[Any]:
        """Choose the kept file in the form; that the form has changed brings the grid up to date by itself."""
        place = next(index for index, field in enumerate(FORM.fields) if field.key == "datasets")
        return _updates(app, [*values[:place], [*(values[place] or []), str(kept)], *values[place + 1:]])

    upload.wire(app, parts.upload, choose, parts.widgets, parts.widgets)


PAGE = Page(path="train", title="Train", order=10, build=build)
