"""Tables whose columns sort at a click: for whole tables that fit in the page; long ones are sorted by the store."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lab.ui.components.folds import KEEP_FOLDS
from lab.ui.components.markup import tag
from lab.ui.components.table import Column
from lab.ui.components.wiring import html_block

SORT_ROWS = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('button.sort');
  if (!button) return;
  const head = button.closest('th'), body = head.closest('table').tBodies[0];
  const index = [...head.parentElement.children].indexOf(head);
  const down = head.getAttribute('aria-sort') === 'ascending';
  for (const other of head.parentElement.children) other.removeAttribute('aria-sort');
  head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
  const value = (row) => {
    const text = row.children[index].innerText.trim().replace(/[\\u202f\\u00a0]/g, ' ').replace('−', '-');
    const figure = parseFloat(text.replace(/ (?=\\d)/g, '').replace(/^< /, ''));
    return [/^[<+-]? ?\\d/.test(text) ? figure : NaN, text];
  };
  const rows = [...body.rows].map((row) => [value(row), row]);
  const numeric = rows.every(([[figure]]) => !Number.isNaN(figure));
  rows.sort(([a], [b]) => numeric ? a[0] - b[0] : a[1].localeCompare(b[1]));
  if (down) rows.reverse();
  body.append(...rows.map(([, row]) => row));
});
"""


def sorting_block(value: str = "", **settings: Any) -> gr.HTML:
    """An HTML block whose tables sort by the columns made with `sortable`; its folds are kept, too."""
    return html_block(value, js_on_load=SORT_ROWS + KEEP_FOLDS, **settings)


def sortable(title: str, number: bool = False, wide: bool = False, hint: str = "") -> Column:
    """A column whose title is the button that sorts by it."""
    return Column(tag("button", title, type="button", cls="sort"), number, wide, hint)
