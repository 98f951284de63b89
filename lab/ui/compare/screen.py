"""What the page shows of a conversation, as updates of its widgets. Drawn from the desk; nothing is remembered here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from lab.core.errors import LabError
from lab.ui.compare.asking import Asking
from lab.ui.compare.choices import name_of, offered, starting_models
from lab.ui.compare.column_view import LETTERS
from lab.ui.compare.conversation import Conversation
from lab.ui.compare.conversation_view import START, Drawing, past_html, turn_html
from lab.ui.compare.desk import Desk
from lab.ui.compare.layout import Widgets
from lab.ui.compare.saved import others_to_freeze
from lab.ui.components.html import error, state_badge
from lab.ui.components.markup import Html, join, tag

Updates = dict[Any, Any]
FROZEN = ("{n} models, blind. Who is who, and how each is asked, is told after the vote; a new conversation is free "
          "again.")


@dataclass(frozen=True)
class Screen:
    """Makes updates for one page's widgets."""

    desk: Desk
    w: Widgets

    def shown(self, uid: str, mode: str) -> Updates:
        """The whole conversation. LabError when there is none of this uid."""
        conversation, asking = self.desk.conversation(uid), self.desk.running(uid)
        n_past = asking.number if asking else max(0, len(conversation.turns) - 1)
        return {self.w.past: past_html(conversation, n_past, mode), **self.bottom(conversation, asking, mode)}

    def bottom(self, conversation: Conversation, asking: Asking | None, mode: str) -> Updates:
        """The last turn and everything that depends on whether it has ended."""
        w = self.w
        if asking is not None:
            current = Drawing(conversation, asking, mode).html()
        elif conversation.turns:
            current = turn_html(conversation, conversation.turns[-1], mode, last=True)
        else:
            current = START
        lost = asking is not None and asking.over.is_set()
        updates = {
            w.uid: conversation.uid, w.current: current, w.mode: gr.update(visible=True),
            **self.buttons(conversation, running=asking is not None and not lost), **self._setup(conversation),
            **self._vote(conversation, asking), **self._keeping(conversation),
        }
        if lost:
            updates[w.notice] = error("These answers could not be stored", "They are lost when this page is left. "
                                      "The comparison may have been deleted meanwhile; the terminal says more.")
        return updates

    def buttons(self, conversation: Conversation | None, running: bool) -> Updates:
        w = self.w
        turns = conversation.turns if conversation else ()
        may_retry = bool(turns) and not running and not turns[-1].vote
        return {
            w.ask: gr.update(interactive=not running), w.stop: gr.update(interactive=running),
            w.retry: gr.update(interactive=may_retry), w.new: gr.update(interactive=conversation is not None),
        }

    def blank(self, uid: str) -> Updates:
        """The page before its first question, with the models of the conversation that is left."""
        w = self.w
        try:
            names = names_of(self.desk.conversation(uid))
        except LabError:  # it was deleted
            names = starting_models(self.desk.store)
        return {
            w.uid: "", w.past: "", w.current: START, w.notice: "", w.mode: gr.update(visible=False),
            w.vote.bar: gr.update(visible=False), w.frozen: "", w.setup: gr.update(visible=True), **self.not_editing(),
            **self.buttons(None, running=False), **self.seats(names), w.keeping.head: "", w.keeping.title: "",
            w.keeping.others: gr.update(choices=[], value=[]),
        }

    def seats(self, names: list[str]) -> Updates:
        """The models in the column boxes, with everything that is offered."""
        choices = [("(nobody)", ""), *offered(self.desk.store, names)]
        filled = [*names, *[""] * len(self.w.slots)]
        return {slot.model: gr.update(choices=choices, value=filled[place])
                for place, slot in enumerate(self.w.slots)}

    def not_editing(self) -> Updates:
        w = self.w
        return {w.editing: -1, w.edit_bar: gr.update(visible=False)}

    def _setup(self, conversation: Conversation) -> Updates:
        """Who sits where is taken off the page while it is not to be known."""
        w = self.w
        if not conversation.hidden:
            return {w.setup: gr.update(visible=True), w.frozen: ""}
        words = tag("p", FROZEN.format(n=len(conversation.seats)), cls="note frozen")
        nobody = {slot.model: gr.update(choices=[], value=None) for slot in w.slots}
        return {w.setup: gr.update(visible=False), w.frozen: words, **nobody}

    def _vote(self, conversation: Conversation, asking: Asking | None) -> Updates:
        w, n = self.w, len(conversation.seats)
        open_ = conversation.hidden and asking is None and bool(conversation.turns)
        letters = {button: gr.update(visible=place < n) for place, button in enumerate(w.vote.letters[: len(LETTERS)])}
        return {w.vote.bar: gr.update(visible=open_), **letters}

    def _keeping(self, conversation: Conversation) -> Updates:
        w = self.w
        try:
            others = others_to_freeze(self.desk.store, conversation)
        except LabError:
            others = []
        return {w.keeping.head: kept_words(conversation), w.keeping.others: gr.update(choices=others)}


def kept_words(conversation: Conversation) -> Html:
    if conversation.saved:
        return tag("p", state_badge("succeeded", "saved"), " ", tag("b", conversation.title))
    return tag("p", join(["A draft: its link works already, and it is forgotten after two weeks without a change "
                          "unless it is saved."]), cls="note")


def names_of(conversation: Conversation) -> list[str]:
    """As the column boxes name them; of a blind one in an order that tells nothing."""
    names = [name_of(seat.ref) for seat in conversation.seats]
    return sorted(names) if conversation.blind else names


def merged(*updates: Mapping[Any, Any]) -> Updates:
    """Later ones win."""
    return {widget: value for part in updates for widget, value in part.items()}
