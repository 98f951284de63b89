"""Where things stand on the Jobs page: the machines, filters, the list with its pager, one job beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from lab.ui.components.folds import KEEP_FOLDS
from lab.ui.components.wiring import PICK_ROW, html_block, picking_block
from lab.ui.jobs.board import FILTERS
from lab.ui.jobs.log import FOLLOW

# On a phone the machines are folded until someone opens one.
FOLD_ON_PHONE = """
if (window.innerWidth < 700) {
  const touched = new Set();
  element.addEventListener('click', (event) => {
    const fold = event.target.closest('summary')?.parentElement;
    if (fold?.dataset.fold) touched.add(fold.dataset.fold);
  }, true);
  new MutationObserver(() => {
    for (const fold of element.querySelectorAll('details[data-fold]')) {
      if (fold.open && !touched.has(fold.dataset.fold)) fold.open = false;
    }
  }).observe(element, {subtree: true, childList: true, attributes: true, attributeFilter: ['open', 'data-fold']});
}
"""
MOVES = (("first", "⇈ First"), ("up", "↑ Up"), ("down", "↓ Down"), ("last", "⇊ Last"))


@dataclass(frozen=True)
class Parts:
    """The widgets that the page's handlers read and write."""

    state: Any
    study: Any
    search: Any
    page: Any
    selected: Any
    seen: Any  # what each block showed last: only what differs is sent
    banner: Any
    devices: Any
    pause: Any
    listing: Any
    position: Any
    newer: Any
    older: Any
    blocks: list[Any]  # head, curves, log, spec, origin, history, batch file
    batch_tab: Any
    buttons: list[Any]  # cancel, retry, start over, run again
    moves: Any  # the row of the four
    move_buttons: dict[str, Any]
    confirm: list[Any]  # the row, its question, yes, no
    asking: Any  # what the question is about: cancel | over
    message: Any

    @property
    def asked(self) -> list[Any]:
        return [self.state, self.study, self.search, self.page, self.selected, self.seen]

    @property
    def shown(self) -> list[Any]:
        """In the order of `draw`."""
        return [self.banner, self.devices, self.listing, self.position, *self.blocks, *self.buttons, self.moves,
                self.batch_tab, self.pause, self.newer, self.older, self.seen]


def lay_out() -> Parts:
    """Make every widget of the page, in reading order."""
    parts: dict[str, Any] = {"selected": gr.State(""), "seen": gr.State([]), "asking": gr.State("cancel")}
    parts["page"] = gr.Number(1, precision=0, visible=False)  # not a State: the script that keeps the address reads it
    parts["banner"] = html_block()
    parts["devices"] = html_block(min_height=118, js_on_load=KEEP_FOLDS + PICK_ROW + FOLD_ON_PHONE)
    with gr.Row(elem_classes="lab-filters"):
        parts["state"] = gr.Dropdown(list(FILTERS), value="All", label="State", min_width=130, scale=1)
        parts["study"] = gr.Dropdown([("All studies", "")], value="", label="Study", min_width=200, scale=2)
        parts["search"] = gr.Textbox(label="Search", placeholder="name, kind or uid", min_width=180, scale=2)
        parts["pause"] = gr.Button("Pause the queue", size="sm", min_width=150, scale=0, interactive=False)
    with gr.Row(elem_classes="lab-split"):
        with gr.Column(scale=3, min_width=320):
            parts["listing"] = picking_block(min_height=240, elem_classes=["lab-job-list"])
            with gr.Row(elem_classes="lab-pager"):
                parts["newer"] = gr.Button("← Newer", size="sm", min_width=90, scale=0)
                with gr.Column(min_width=80):
                    parts["position"] = html_block()
                parts["older"] = gr.Button("Older →", size="sm", min_width=90, scale=0)
        with gr.Column(scale=2, min_width=320, elem_classes="lab-side"):
            parts |= _one_job()
    return Parts(**parts)


def _one_job() -> dict[str, Any]:
    head = html_block(elem_classes=["lab-job-head"], min_height=110)
    with gr.Row(elem_classes="lab-actions"):
        buttons = [
            gr.Button(word, size="sm", interactive=False, min_width=80, variant=variant, visible=word != "Start over")
            for word, variant in (("Cancel", "stop"), ("Retry", "secondary"), ("Start over", "stop"),
                                  ("Run again", "secondary"))
        ]
    with gr.Row(elem_classes=["lab-actions", "lab-moves"], visible=False) as moves:
        html_block("<small>Place in the line</small>")
        move_buttons = {to: gr.Button(word, size="sm", min_width=70, scale=0) for to, word in MOVES}
    with gr.Column(visible=False, elem_classes="lab-confirm") as row:
        question = html_block()
        with gr.Row():
            yes = gr.Button("Yes, cancel it", variant="stop", size="sm", min_width=110)
            no = gr.Button("Keep it as it is", size="sm", min_width=80)
    message = html_block()
    return {"buttons": buttons, "moves": moves, "move_buttons": move_buttons, "confirm": [row, question, yes, no],
            "message": message, **_tabs(head)}


def _tabs(head: Any) -> dict[str, Any]:
    scripts = {"Log": FOLLOW, "Curves": KEEP_FOLDS}
    blocks = [head]
    with gr.Tabs():
        for title in ("Curves", "Log", "Spec", "Origin", "History", "Batch file"):
            with gr.Tab(title, visible=title != "Batch file") as tab:
                blocks.append(html_block(min_height=220, js_on_load=scripts.get(title)))
    return {"blocks": blocks, "batch_tab": tab}
