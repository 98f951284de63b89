"""Inviting people, and what can be done with each: a new link, revoking, deleting with all that came from them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from lab.core.errors import LabError
from lab.rating.files.names import links_csv
from lab.ui.components.download import download_button
from lab.ui.components.html import failure
from lab.ui.components.markup import Html, tag
from lab.ui.components.wiring import quiet
from lab.ui.ratings.figures import plural
from lab.ui.ratings.people import Link, delete_words, links_html, names_of, trial_html
from lab.ui.ratings.permission import check_allowed, number_of, own_address
from storage.queries.raters import delete_rater, invite, new_link, revoke, trial_link

if TYPE_CHECKING:
    from lab.ui.app_state import LabApp
    from lab.ui.ratings.desk import Desk

# The cards alone, two beside each other and black on white, in a frame that goes away when it has been printed.
PRINT = """() => {
  const frame = document.createElement('iframe');
  frame.style.cssText = 'position:fixed;width:0;height:0;border:0';
  frame.id = 'links-to-print';
  frame.srcdoc = `<title>Links</title><style>
    html { color-scheme: light; background: #fff; }
    body { font: 13px sans-serif; color: #000; margin: 0; display: grid; grid-template-columns: 1fr 1fr; gap: 8px; }
    .link-card { display: flex; gap: 12px; align-items: center; border: 1px solid #999; padding: 8px;
      break-inside: avoid; }
    .qr { width: 120px; height: 120px; flex: none; } b { display: block; font-size: 15px; margin-bottom: 4px; }
    a { color: #000; overflow-wrap: anywhere; text-decoration: none; }</style>`
    + (document.querySelector('#rater-links .link-cards')?.innerHTML ?? '');
  frame.onload = () => { frame.contentWindow.onafterprint = () => frame.remove(); frame.contentWindow.print(); };
  document.getElementById('links-to-print')?.remove();
  document.body.append(frame);
}"""
NO_LINKS: list[Any] = [[], Html(""), gr.update(visible=False)]  # of `links`, `cards`, `saves`
HIDDEN = gr.update(visible=False)


def shown_links(links: list[Link]) -> list[Any]:
    """Updates of `links`, `cards`, `saves`."""
    return [links, links_html(links), gr.update(visible=bool(links))]


def act_on(app: LabApp, selected: str, act: str, code: str, address: str) -> tuple[Html, list[Link]]:
    """(what to tell, links to show) of a button in a rater's row, deleting apart."""
    try:
        check_allowed(app)
        if act == "revoke":
            revoke(app.store, number_of(selected), code)
            return _good(f"The link of '{code}' is revoked. What they rated stays and counts."), []
        if act == "link":
            token = new_link(app.store, number_of(selected), code)
            return _good(f"'{code}' has a new link below; the old one has ended."), [(code, f"{address}/rate/{token}")]
    except LabError as problem:
        return failure(problem), []
    return failure(LabError(f"nothing called '{act}' can be done with a rater.")), []


def _good(words: str) -> Html:
    return tag("p", words, cls="good-news", role="status")


def wire_people(app: LabApp, desk: Desk) -> None:
    chosen = desk.chosen
    p = chosen.people
    _wire_inviting(app, desk)

    def act(selected: str, seen: list[Any], event: gr.EventData, request: gr.Request) -> list[Any]:
        name, code = str(event._data.get("act", "")), str(event._data.get("rater", ""))
        if name == "delete":
            return [*_asked(app, desk, selected, code), *([gr.skip()] * (3 + len(desk.shown)))]
        words, links = act_on(app, selected, name, code, own_address(request))
        cards = shown_links(links) if links else [gr.skip()] * 3
        return [words, "", HIDDEN, gr.skip(), *cards, *desk.draw(selected, seen)]

    def erase(selected: str, code: str, seen: list[Any]) -> list[Any]:
        try:
            check_allowed(app)
            n = delete_rater(app.store, number_of(selected), code)
            words = _good(f"'{code}' is deleted, with {plural(n, 'rating')} and all else that came from them.")
        except LabError as problem:
            words = failure(problem)
        return [words, "", HIDDEN, *desk.draw(selected, seen)]

    box = p.delete
    quiet(p.table.act, act, [chosen.selected, chosen.seen],
          [chosen.message, p.doomed, box.box, box.words, p.links, p.cards, p.saves, *desk.shown], trigger_mode="once")
    quiet(box.no.click, lambda: ["", HIDDEN], [], [p.doomed, box.box])
    quiet(box.yes.click, erase, [chosen.selected, p.doomed, chosen.seen],
          [chosen.message, p.doomed, box.box, *desk.shown],
          trigger_mode="once")


def _asked(app: LabApp, desk: Desk, selected: str, code: str) -> list[Any]:
    """[message, doomed, the box, its words]"""
    try:
        check_allowed(app)
        return [Html(""), code, gr.update(visible=True), delete_words(desk.counts(selected), code)]
    except LabError as problem:
        return [failure(problem), "", HIDDEN, Html("")]


def _wire_inviting(app: LabApp, desk: Desk) -> None:
    chosen = desk.chosen
    p = chosen.people

    def make_links(selected: str, text: str, seen: list[Any], request: gr.Request) -> list[Any]:
        try:
            check_allowed(app)
            invited = invite(app.store, number_of(selected), (text or "").splitlines())
        except LabError as problem:
            return [failure(problem), gr.skip(), *([gr.skip()] * (3 + len(desk.shown)))]
        links = [(code, f"{own_address(request)}/rate/{token}") for code, token in invited]
        return [Html(""), "", *shown_links(links), *desk.draw(selected, seen)]

    def read_names(file: str, text: str) -> list[Any]:
        try:
            check_allowed(app)
            names = names_of(Path(file))
        except LabError as problem:
            return [failure(problem), gr.skip()]
        words = f"{len(names)} names read from {Path(file).name}: look them over, then make the links."
        return [_good(words), "\n".join(filter(None, [(text or "").strip(), *names]))]

    def try_it(selected: str, seen: list[Any], request: gr.Request) -> list[Any]:
        try:
            check_allowed(app)
            token = trial_link(app.store, number_of(selected))
        except LabError as problem:
            return [failure(problem), *([gr.skip()] * len(desk.shown))]
        return [trial_html(f"{own_address(request)}/rate/{token}"), *desk.draw(selected, seen)]

    quiet(p.invite.click, make_links, [chosen.selected, p.names, chosen.seen],
          [chosen.message, p.names, p.links, p.cards, p.saves, *desk.shown], trigger_mode="once")
    quiet(p.upload.upload, read_names, [p.upload, p.names], [chosen.message, p.names])
    quiet(p.trial.click, try_it, [chosen.selected, chosen.seen], [p.trial_link, *desk.shown], trigger_mode="once")
    with p.saves:
        download_button("Save as CSV", _csv_of, [chosen.selected, p.links])
    p.print.click(None, [], None, js=PRINT)


def _csv_of(selected: str, links: list[Link]) -> tuple[str, str]:
    return f"round-{selected}-links.csv", links_csv([(str(code), str(address)) for code, address in links])
