"""In the header of every page: who is logged in, and the button that ends it; and a word when the log-in has ended.

Pages are built once for everybody, so the name is put in by the browser: Gradio's page carries it.
"""

from __future__ import annotations

from pathlib import Path

from lab.ui.components.markup import Html, tag

HERE = Path(__file__).parent
CSS = (HERE / "leaving.css").read_text(encoding="utf-8")
HEAD = f"<script>{(HERE / 'leaving.js').read_text(encoding='utf-8')}</script>"
FILL_IN = "element.querySelector('[data-user]').textContent = window.gradio_config?.username ?? '';"


def leaving_form() -> Html:
    """'name · Log out'. A form, so that no link or picture of another page can log anybody out."""
    return tag("form", tag("span", "", data_user=True), tag("i", "·", aria_hidden="true"),
               tag("button", "Log out", type="submit"), method="post", action="/logout", cls="lab-leaving")
