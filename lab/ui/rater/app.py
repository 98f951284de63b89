"""The rater's Blocks and its mount at /rate.

The page is one element; every step is one call of `step`, whose reply is put into it. Gradio's config therefore holds
the script, the style and nothing else. The app shares the lab's colours but not its style sheet, which names arms.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gradio as gr
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from lab.core.errors import LabError
from lab.ui.access.rate_limit import client_key
from lab.ui.app_state import LabApp
from lab.ui.components.markup import tag
from lab.ui.rater.limits import Limits
from lab.ui.rater.session import Visitor, answer
from lab.ui.rater.words import accepted, page_languages, words_of
from lab.ui.theme import ICON, THEME
from storage.queries.guests import guest_token

HERE = Path(__file__).parent
SHEETS = ("rater.css", "sheets.css", "unit.css")
SCRIPTS = ("clock.js", "drafts.js", "form.js", "keys.js", "rater.js")  # one after another: they are one script
CSS = "\n".join((HERE / name).read_text(encoding="utf-8") for name in SHEETS)
HEAD = (  # the style goes here because Gradio's `css` takes lists in :is(…) apart
    f'<link rel="icon" href="{ICON}"/><meta name="referrer" content="no-referrer"/>'
    f'<meta name="robots" content="noindex, nofollow"/><style>{CSS}</style>'
)
UPLOAD_LIMIT_BYTES = 1  # Gradio has an upload address; a rater has nothing to upload


def script() -> str:
    """The page's script, with the few words in every language that it needs when the lab cannot be asked."""
    own = {code: words_of(code).under("script") for code in page_languages()}
    parts = [f"const WORDS = {json.dumps(own, ensure_ascii=False)};"]
    return "\n".join(parts + [(HERE / name).read_text(encoding="utf-8") for name in SCRIPTS])


def translations() -> gr.I18n:
    """What Gradio shows by itself before the first reply, by the browser's language."""
    return gr.I18n(**{code: {"loading": words_of(code)("loading")} for code in page_languages()})


def build_rater_app(app: LabApp, limits: Limits) -> gr.Blocks:
    """One element and one server function."""

    def step(call: Any, request: gr.Request) -> Any:
        headers, scope = request.headers, getattr(request, "request", request).scope
        visitor = Visitor(client_key(scope), accepted(headers.get("accept-language", "")))
        reply = answer(app.store, call if isinstance(call, dict) else {}, visitor, limits)
        if "wait_s" in reply:
            return JSONResponse(reply, 429, {"retry-after": str(reply["wait_s"])})
        return reply

    i18n = translations()
    # Gradio translates what an element shows, but not the title: it names every language until the script sets it.
    title = " · ".join(words_of(code)("title") for code in page_languages())
    waiting = f'<div class="rater-stage"><p class="loading">{i18n("loading")}</p></div>'
    loading = f'{waiting}<p class="live" role="status"></p>'
    with gr.Blocks(title=title, analytics_enabled=False, fill_width=True) as demo:
        gr.HTML(loading, elem_id="rater", apply_default_css=False, js_on_load=script(), server_functions=[step])
    return demo


def mount_rater(server: FastAPI, app: LabApp, limits: Limits | None = None) -> None:
    """Mount the app at /rate, with /rate/<token> and, in the public demo, /rate/guest leading into it."""
    gr.mount_gradio_app(
        server, build_rater_app(app, limits or Limits()), path="/rate", theme=THEME, head=HEAD, footer_links=[],
        run_history=False, show_error=False, ssr_mode=False, max_file_size=UPLOAD_LIMIT_BYTES,
        i18n=translations(),
    )
    mounted = server.router.routes.pop()
    taken = {route.path.strip("/") for route in mounted.app.routes if hasattr(route, "path")} | {"gradio_api"}

    def enter(request: Request) -> Response:
        token = request.path_params.get("token", "")
        if token == "guest" and app.settings.space:
            try:
                token = guest_token(app.store)
            except LabError as error:
                return HTMLResponse(_plain_page(str(error)), status_code=503)
        target = f"{request.scope.get('root_path', '')}/rate/"
        return RedirectResponse(f"{target}?t={quote(token)}" if token else target, status_code=302)

    server.router.routes += [Route("/rate", enter), TokenRoute("/rate/{token}", enter, taken), mounted]


class TokenRoute(Route):
    """One segment after /rate that is no address of Gradio's own: somebody's link, whole or mistyped."""

    def __init__(self, path: str, endpoint: Any, taken: set[str]):
        super().__init__(path, endpoint)
        self.taken = taken

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        ours = match is Match.NONE or child["path_params"]["token"] not in self.taken
        return (match, child) if ours else (Match.NONE, {})


def _plain_page(text: str) -> str:
    """For the one case in which there is no session to show: short, and without Gradio."""
    style = "font:16px/1.5 system-ui;max-width:34rem;margin:20vh auto;padding:0 16px;color-scheme:light dark"
    head = '<meta name="viewport" content="width=device-width"><title>How well does it read?</title>'
    body = tag("body", tag("h1", "Not yet"), tag("p", text), style=style)
    return f"<!doctype html><html lang=en><meta charset=utf-8>{head}{body}</html>"
