"""The log-in page: plain HTML from the server, in the lab's look, without Gradio and without a script."""

from __future__ import annotations

from pathlib import Path

from lab.ui.components.markup import Html, join, tag
from lab.ui.theme import ICON

CSS = (Path(__file__).parent / "login.css").read_text(encoding="utf-8")
HINT = join([
    "Accounts are made on the lab's machine: ", tag("code", "python -m jobs users add NAME"),
    ". Raters need none: the link of their invitation is all.",
])


def login_page(target: str, name: str = "", error: str = "") -> str:
    """The form. `target` is where it leads to, `name` what was typed before, `error` what was wrong with that."""
    described = "login-error" if error else None
    form = tag(
        "form",
        tag("p", error, id="login-error", role="alert", cls="error") if error else None,
        tag("label", "Name", for_="name"),
        tag("input", id="name", name="name", type="text", value=name, required=True, autocomplete="username",
            autocapitalize="none", spellcheck="false", maxlength=80, autofocus=not name, aria_describedby=described),
        tag("label", "Password", for_="password"),
        tag("input", id="password", name="password", type="password", required=True, maxlength=1024,
            autocomplete="current-password", autofocus=bool(name), aria_describedby=described),
        tag("input", type="hidden", name="next", value=target),
        tag("button", "Log in", type="submit"),
        method="post", action="login",  # relative: right under a proxy's prefix, too
    )
    return _document("Log in", tag("main", tag("h1", "Log in"), form, tag("p", HINT, cls="hint")))


def plain_page(title: str, sentence: str) -> str:
    """One sentence that stands for a page which cannot be shown."""
    return _document(title, tag("main", tag("h1", title), tag("p", sentence)))


def _document(title: str, main: Html) -> str:
    head = join([
        Html('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
             '<meta name="robots" content="noindex, nofollow">'),
        tag("title", f"{title} · Trace Lab"), Html(f'<link rel="icon" href="{ICON}">'), Html(f"<style>{CSS}</style>"),
    ])
    brand = tag("header", tag("span", tag("i", aria_hidden="true"), "Trace Lab", cls="brand"))
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{brand}{main}</body></html>'
