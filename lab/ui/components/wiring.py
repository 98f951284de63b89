"""What every page repeats in Gradio: HTML blocks, loading from the address, quiet polling, choosing a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from gradio.context import Context

from lab.ui.components.markup import tag

# A click on a row (not on another link in it) reports the row's own link and keeps it in the address.
# With a modifier key, or without JavaScript, the link is a plain link.
PICK_ROW = """
element.addEventListener('click', (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || window.getSelection().toString()) return;
  const other = event.target.closest('a:not([data-select]), button, summary, input');
  if (other) return;
  const link = event.target.closest('a[data-select]') || event.target.closest('tr')?.querySelector('a[data-select]');
  if (!link) return;
  event.preventDefault();
  const url = new URL(link.href);
  window.labSetQuery(Object.fromEntries(url.searchParams));
  trigger('pick', Object.fromEntries(url.searchParams));
});
"""


def html_block(value: str = "", waiting: str = "Loading…", **settings: Any) -> gr.HTML:
    """A gr.HTML in the lab's own style, without the component's default prose rules.

    An empty one takes no room whatever its `min_height`: a block that is filled later and must not push the page about
    shows `waiting` at that height until then.
    """
    if not value and "min_height" in settings:
        value = tag("p", waiting, cls="note", style=f"min-height:{settings['min_height']}px")
    classes = ["lab", *settings.pop("elem_classes", [])]
    settings.setdefault("js_on_load", None)
    return gr.HTML(value, elem_classes=classes, apply_default_css=False, **settings)


def picking_block(value: str = "", **settings: Any) -> gr.HTML:
    """An HTML block with rows to choose: `block.pick(fn, …)`; `event._data` is the query of the chosen row's link."""
    return html_block(value, js_on_load=PICK_ROW, **settings)


def on_load(fn: Callable, outputs: Sequence[Any], inputs: Sequence[Any] = ()) -> Any:
    """Run `fn` when the page opens. A `gr.Request` parameter gives the address: `request.query_params`."""
    return _page().load(fn, list(inputs), list(outputs), show_progress="hidden", queue=True, concurrency_limit=None)


def poll(fn: Callable, inputs: Sequence[Any], outputs: Sequence[Any], seconds: float = 2) -> gr.Timer:
    """Run `fn` every few seconds while the tab is visible. It returns gr.skip() when nothing has changed."""
    timer = gr.Timer(seconds)
    timer.tick(fn, list(inputs), list(outputs), show_progress="hidden", concurrency_limit=None, trigger_mode="once")
    return timer


def quiet(listener: Callable, fn: Callable, inputs: Sequence[Any], outputs: Sequence[Any], **settings: Any) -> Any:
    """An event that reads or writes the store: no queue behind others, no spinner over the page."""
    settings = {"show_progress": "hidden", "concurrency_limit": None, **settings}
    return listener(fn, list(inputs), list(outputs), **settings)


def keep_in_address(component: Any, key: str, event: str = "change") -> Any:
    """Write a component's value into the address under `key` whenever it changes."""
    return getattr(component, event)(None, [component], None, js=f"(value) => window.labSetQuery({{'{key}': value}})")


def query(request: gr.Request | None, key: str) -> str:
    """One value of the page's address, or nothing."""
    return (request.query_params.get(key) or "") if request is not None else ""


def _page() -> gr.Blocks:
    root = Context.root_block
    if root is None:
        raise RuntimeError("a page is built inside gr.Blocks or demo.route")
    return root


def only_changed(values: Sequence[Any], seen: Sequence[Any]) -> list[Any]:
    """`values` with gr.skip() in the place of each that is what was seen last: nothing is sent, nothing is redrawn."""
    known = list(seen) if len(seen) == len(values) else [object()] * len(values)
    return [gr.skip() if value == old else value for value, old in zip(values, known, strict=True)]
