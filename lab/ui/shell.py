"""The frame around every page: finds the pages, gives each its address, its header and its navigation."""

from __future__ import annotations

import gradio as gr

from lab.core.registry import discover
from lab.ui.access.leaving import FILL_IN, leaving_form
from lab.ui.app_state import SPACE_SENTENCE, LabApp, Page
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.wiring import html_block


def pages() -> list[Page]:
    """Every page in its order. A module under `lab/ui/pages/` is a page by having a `PAGE`."""
    found = [page for _, page in discover("lab.ui.pages", "PAGE")]
    return sorted(found, key=lambda page: (page.path != "", page.order, page.path))


def build_lab(app: LabApp) -> gr.Blocks:
    """The researcher's app: one Blocks, one address per page."""
    found = pages()
    home, *others = found
    with gr.Blocks(title="Trace Lab", analytics_enabled=False, fill_width=True) as demo:
        _frame(app, home, found)
    for page in others:
        with demo.route(page.title, f"/{page.path}", show_in_navbar=False):
            _frame(app, page, found)
    return demo


def _frame(app: LabApp, page: Page, found: list[Page]) -> None:
    # The style sheet hides Gradio's own navigation bar: this one wraps in a narrow window and marks the open page.
    known = app.settings.needs_login
    top = header(page, found, app.settings.space, leaving_form() if known else None)
    html_block(top, elem_id="lab-top", js_on_load=FILL_IN if known else None)
    page.build(app)


def header(page: Page, found: list[Page], space: bool = False, leaving: Html | None = None) -> Html:
    """Brand, navigation and, with a login, the way out; the open page is marked for eyes and screen readers alike."""
    links = (
        tag("a", other.title, href=other.href, aria_current="page" if other.path == page.path else None)
        for other in found
    )
    brand = tag("a", tag("i", aria_hidden="true"), "Trace Lab", href="/", cls="brand")
    bar = tag("header", brand, tag("nav", *links, aria_label="Pages"), leaving, cls="lab-header")
    return join([bar, tag("p", SPACE_SENTENCE, cls="lab-banner") if space else None])
