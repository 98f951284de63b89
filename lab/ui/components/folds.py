"""Folds that stay as the reader left them while their block is drawn again.

gr.HTML takes every attribute away that the new content lacks, so a <details> someone opened would shut at the next
live update. A block made here remembers what was clicked, by the fold's `data-fold` name, and puts it back at once.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from lab.ui.components.markup import Html, tag
from lab.ui.components.wiring import PICK_ROW, html_block

KEEP_FOLDS = """
const wanted = new Map();
element.addEventListener('click', (event) => {
  const fold = event.target.closest('summary')?.parentElement;
  if (fold?.dataset.fold) wanted.set(fold.dataset.fold, !fold.open);
});
new MutationObserver(() => {
  for (const fold of element.querySelectorAll('details[data-fold]')) {
    const open = wanted.get(fold.dataset.fold);
    if (open !== undefined && fold.open !== open) fold.open = open;
  }
}).observe(element, {subtree: true, childList: true, attributes: true, attributeFilter: ['open', 'data-fold']});
"""


def folding_block(value: str = "", **settings: Any) -> gr.HTML:
    """An HTML block whose named folds survive updates."""
    return html_block(value, js_on_load=KEEP_FOLDS, **settings)


def folding_rows(value: str = "", **settings: Any) -> gr.HTML:
    """A folding block whose rows can be chosen, too."""
    return html_block(value, js_on_load=KEEP_FOLDS + PICK_ROW, **settings)


def fold(name: str, title: object, body: object, opened: bool = False, cls: str | None = None) -> Html:
    """A <details> that `folding_block` keeps as the reader left it; `name` is unique in its block."""
    return tag("details", tag("summary", title), body, data_fold=name, open=opened, cls=cls)
