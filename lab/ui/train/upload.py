"""Uploading a table on the Train page: its columns, what each is, what the rows become; then it is kept and chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from lab.core.errors import LabError
from lab.data.files import SUFFIXES
from lab.ui.app_state import SPACE_SENTENCE, LabApp
from lab.ui.components.html import failure, note
from lab.ui.components.markup import Html, tag
from lab.ui.components.wiring import html_block, quiet
from lab.ui.train.own_data import (
    MAPPED_FIELDS,
    is_own_format,
    keep_mapped,
    keep_upload,
    looked_at,
    preview,
    sample_table,
)

HINT = ("JSONL, CSV or Parquet with a question and an answer in every row, and the thinking in a column of its own or "
        "inside the answer. The trace arm needs a trace in every row.")
NONE = "not in this file"
# What to do with a kept file: values for the page's other outputs, from the kept path and the page's inputs.
Choose = Callable[..., list[Any]]


@dataclass(frozen=True)
class Upload:
    """The widgets of the fold."""

    button: Any
    said: Any
    panel: Any  # shown once a file with columns of its own is there
    found: Any
    columns: list[Any]  # a dropdown for each of MAPPED_FIELDS
    preview: Any
    name: Any
    keep: Any
    file: Any  # where the uploaded file lies until it is kept


def lay_out(app: LabApp) -> Upload:
    with gr.Accordion("Your own data", open=False):
        html_block(note(HINT))
        button = gr.UploadButton("Upload a table", file_types=list(SUFFIXES), interactive=app.may_launch, size="sm")
        said = html_block()
        with gr.Column(visible=False) as panel:
            found = html_block()
            with gr.Row(elem_classes="lab-small-fields"):
                columns = [gr.Dropdown([(NONE, "")], value="", label=label, allow_custom_value=True)
                           for label in MAPPED_FIELDS.values()]
            shown = html_block(min_height=60)
            with gr.Row(elem_classes="lab-small-fields"):
                name = gr.Textbox(label="Name", max_lines=1, info="Of the dataset; a piece of its content is added.")
                keep = gr.Button("Keep as a dataset", size="sm", interactive=app.may_launch)
    return Upload(button, said, panel, found, columns, shown, name, keep, gr.State(""))


def wire(app: LabApp, parts: Upload, choose: Choose, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
    """`choose(kept path, *inputs)` gives values for `outputs` once a file is kept."""
    own = [parts.said, parts.panel, parts.found, *parts.columns, parts.preview, parts.name, parts.file]
    untouched = [gr.skip()] * len(outputs)

    def take(file: str, *asked: Any) -> list[Any]:
        """Keep a file in the lab's own format; of any other, show what its columns may be."""
        if not app.may_launch:
            return [failure(LabError(SPACE_SENTENCE, "spec")), *_closed()[1:], *untouched]
        try:
            if is_own_format(Path(file)):
                kept, n_rows = keep_upload(app.store.home, Path(file))
                return [_kept(kept, n_rows), *_closed()[1:], *choose(kept, *asked)]
            return [*_opened(Path(file)), *untouched]
        except LabError as problem:
            return [failure(problem), *_closed()[1:], *untouched]

    def keep(file: str, name: str, *values: Any) -> list[Any]:
        mapping, asked = _mapping(values), values[len(MAPPED_FIELDS):]
        if not app.may_launch or not file:
            return [failure(LabError(SPACE_SENTENCE if file else "Upload a file first.", "spec")),
                    *[gr.skip()] * (len(own) - 1), *untouched]
        try:
            made = keep_mapped(app.store.home, Path(file), mapping, name.strip())
        except LabError as problem:
            return [failure(problem), *[gr.skip()] * (len(own) - 1), *untouched]
        left_out = sum(made.lineage.skipped.values())
        return [_kept(made.path, made.lineage.rows, left_out), *_closed()[1:], *choose(made.path, *asked)]

    quiet(parts.button.upload, take, [parts.button, *inputs], [*own, *outputs])
    quiet(parts.keep.click, keep, [parts.file, parts.name, *parts.columns, *inputs], [*own, *outputs])
    # .input, not .change: setting eight columns at once after an upload must not read the file eight times.
    gr.on([column.input for column in parts.columns], _looked, [parts.file, *parts.columns], [parts.preview],
          show_progress="hidden", trigger_mode="always_last", concurrency_limit=4)


def _looked(file: str, *values: Any) -> Html:
    """The preview, or what is wrong with the mapping."""
    if not file:
        return Html("")
    try:
        return preview(Path(file), _mapping(values))
    except LabError as problem:
        return failure(problem)


def _opened(file: Path) -> list[Any]:
    """The panel with the suggested mapping, in the order of the fold's own outputs."""
    found = looked_at(file)
    choices = [(NONE, ""), *((name, name) for name in found.columns)]
    columns = [gr.update(choices=choices, value=found.guess.get(field, "")) for field in MAPPED_FIELDS]
    values = [found.guess.get(field, "") for field in MAPPED_FIELDS]
    said = note(f"{file.name}: say which column holds what, look at the rows below, then keep it.")
    return [said, gr.update(visible=True), sample_table(found), *columns, _looked(str(file), *values),
            gr.update(value=file.stem), str(file)]


def _closed() -> list[Any]:
    """The fold's own outputs with the panel away."""
    columns = [gr.update(choices=[(NONE, "")], value="") for _ in MAPPED_FIELDS]
    return [Html(""), gr.update(visible=False), Html(""), *columns, Html(""), "", ""]


def _kept(path: Path, n_rows: int, n_left_out: int = 0) -> Html:
    left_out = f" {n_left_out} were left out." if n_left_out else ""
    return tag("p", f"{n_rows} rows are in {path.name} and chosen as a dataset.{left_out}", cls="good-news")


def _mapping(values: Sequence[Any]) -> dict[str, str]:
    return {field: value for field, value in zip(MAPPED_FIELDS, values, strict=False) if value}
