"""Saving a conversation, sharing its link, freezing it for raters, and the list of the saved ones."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lab.core.errors import LabError
from lab.ui.app_state import SPACE_SENTENCE
from lab.ui.compare.room import Room, told_at
from lab.ui.compare.saved import SHOWN, delete_question, freeze, saved_html
from lab.ui.compare.screen import Updates, kept_words
from lab.ui.components.markup import tag
from lab.ui.components.wiring import quiet
from storage.queries.comparisons import delete_comparison, save_comparison

COPY_LINK = "(uid) => { if (uid) window.labCopyLink('/compare?c=' + uid, document.getElementById('compare-copy')); }"


def listing(room: Room, search: str | None, page: int, uid: str) -> Updates:
    """The list, and the buttons under it where there is more than one page."""
    k = room.w.keeping
    html, total = saved_html(room.app.store, search or "", page, uid or "")
    last = max(1, -(-total // SHOWN))
    if page > last:
        return listing(room, search, last, uid)
    return {
        k.listing: html, k.page: page, k.pager: gr.update(visible=last > 1),
        k.position: tag("span", f"{total} saved · page {page} of {last}", cls="note"),
        k.newer: gr.update(interactive=page > 1), k.older: gr.update(interactive=page < last),
    }


def listed(room: Room) -> list[Any]:
    k = room.w.keeping
    return [k.listing, k.page, k.pager, k.position, k.newer, k.older]


def wire_keeping(room: Room) -> None:
    w, k = room.w, room.w.keeping
    outputs = [k.head, k.title, k.message, k.bank, *listed(room)]

    def save(uid: str, title: str, search: str) -> Updates:
        if not uid:
            raise LabError("There is nothing to save yet: ask a question first.")
        with room.app.store.write() as session:
            kept = save_comparison(session, uid, title or "")
        head = kept_words(room.desk.conversation(uid))
        return {k.head: head, k.title: kept.title, k.message: "", **listing(room, search, 1, uid)}

    for pressed in (k.save.click, k.title.submit):
        quiet(pressed, told_at(k.message, save), [w.uid, k.title, k.search], outputs, trigger_mode="once")
    k.copy.click(None, [w.uid], None, js=COPY_LINK)

    def send(uid: str, others: list[str] | None, name: str) -> Updates:
        _may(room)
        if not uid:
            raise LabError("There is nothing to freeze yet: ask a question first.")
        return {k.message: freeze(room.app.store, name or "", [uid, *(others or ())]), k.bank: ""}

    quiet(k.freeze.click, told_at(k.message, send), [w.uid, k.others, k.bank], outputs, trigger_mode="once")
    _wire_list(room)


def _wire_list(room: Room) -> None:
    w, k = room.w, room.w.keeping
    look = [k.search, k.page, w.uid]

    quiet(k.search.change, lambda search, uid: listing(room, search, 1, uid), [k.search, w.uid], listed(room),
          trigger_mode="always_last")
    quiet(k.newer.click, lambda search, page, uid: listing(room, search, page - 1, uid), look, listed(room))
    quiet(k.older.click, lambda search, page, uid: listing(room, search, page + 1, uid), look, listed(room))
    outputs = list(dict.fromkeys([k.message, k.doomed, k.confirm, k.confirm_words, *listed(room), *w.screen]))

    def act(event: gr.EventData) -> Updates:
        uid = str(event._data.get("uid", ""))
        return {k.doomed: uid, k.confirm: gr.update(visible=True),
                k.confirm_words: delete_question(room.app.store, uid)}

    def delete(doomed: str, search: str, page: int, uid: str) -> Updates:
        _may(room)
        room.desk.stop(doomed)
        with room.app.store.write() as session:
            delete_comparison(session, doomed)
        left = room.screen.blank(uid) if doomed == uid else {}
        return {k.doomed: "", k.confirm: gr.update(visible=False), k.message: "", **listing(room, search, page, uid),
                **left}

    quiet(k.listing.act, told_at(k.message, act), [], outputs)
    gone = quiet(k.yes.click, told_at(k.message, delete), [k.doomed, *look], outputs, trigger_mode="once")
    gone.then(None, [w.uid], None, js="(uid) => window.labSetQuery({c: uid})")
    quiet(k.no.click, lambda: {k.doomed: "", k.confirm: gr.update(visible=False)}, [], [k.doomed, k.confirm])


def _may(room: Room) -> None:
    if not room.app.may_launch:
        raise LabError(SPACE_SENTENCE)
