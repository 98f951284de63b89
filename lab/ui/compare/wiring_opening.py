"""What the page shows when it opens, by its address, and how the boxes of the columns behave.

`?c=` opens a conversation and goes on with it. `?models=…&q=…&t=…&max=…&seed=…&bench=…&item=…` is a starting point.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from lab.core.errors import LabError
from lab.data.chat import question_text
from lab.ui.compare.choices import MOST_COLUMNS, known_names, starting_models
from lab.ui.compare.conversation import Conversation
from lab.ui.compare.layout import SHOWN_SLOTS
from lab.ui.compare.questions import gold_html, picked
from lab.ui.compare.questions import sources as question_sources
from lab.ui.compare.room import Room
from lab.ui.compare.screen import Updates, merged, names_of
from lab.ui.compare.settings import AskSettings, of_address, widget_values
from lab.ui.compare.settings_layout import SettingsWidgets
from lab.ui.compare.wiring_asking import follower
from lab.ui.compare.wiring_keeping import listed, listing
from lab.ui.components.html import failure, note
from lab.ui.components.markup import join
from lab.ui.components.wiring import on_load, query, quiet


def wire_opening(room: Room) -> None:
    w = room.w
    outputs = list(dict.fromkeys([
        *w.screen, w.picked, w.source, w.blind, w.own, w.common_box, w.n_slots, w.add, *w.common.all,
        *(widget for slot in w.slots for widget in (slot.box, slot.own, *slot.settings.all)), *listed(room),
    ]))

    def load(request: gr.Request) -> Updates:
        always = merged({w.source: gr.update(choices=question_sources())}, listing(room, "", 1, query(request, "c")))
        if uid := query(request, "c"):
            try:
                conversation = room.desk.conversation(uid)
                return merged(always, _opened(room, conversation), room.screen.shown(conversation.uid, "Rendered"))
            except LabError as problem:
                return merged(always, _start(room, request), {w.notice: failure(problem)})
        return merged(always, _start(room, request))

    opened = on_load(load, outputs)
    opened.then(follower(room), [w.uid, w.mode], w.screen, show_progress="hidden", concurrency_limit=None)
    _wire_boxes(room)


def _start(room: Room, request: gr.Request) -> Updates:
    """A new conversation, begun as the address says."""
    w, store = room.w, room.app.store
    given = [name.strip() for name in query(request, "models").split(",") if name.strip()]
    names, faults = known_names(store, given)
    names = names or starting_models(store)
    settings = of_address(query(request, "t"), query(request, "max"), query(request, "seed"))
    chosen = (query(request, "bench"), query(request, "item"))
    example = picked(*chosen)
    question = query(request, "q") or (question_text(example) if example else "")
    known = [source for _, source in question_sources()]
    source = chosen[0] if chosen[0] in known else next(iter(known), None)
    return merged(room.screen.seats(names), _settings(room, [settings] * len(names), own=False), {
        w.question: question, w.notice: join(note(fault) for fault in faults), w.gold: gold_html(*chosen, question),
        w.picked: chosen if example else ("", ""), w.source: gr.update(choices=question_sources(), value=source),
    })


def _opened(room: Room, conversation: Conversation) -> Updates:
    """The boxes as the conversation has them; of one that keeps its names to itself, nothing."""
    sources = question_sources()
    first = {room.w.blind: conversation.blind, room.w.keeping.title: conversation.title,
             room.w.source: gr.update(choices=sources, value=sources[0][1] if sources else None)}
    if conversation.hidden:
        return first
    settings = [seat.settings for seat in conversation.seats]
    names = names_of(conversation)
    return merged(first, room.screen.seats(names), _settings(room, settings, conversation.own_settings))


def _settings(room: Room, settings: list[AskSettings], own: bool) -> Updates:
    w, n = room.w, max(SHOWN_SLOTS, len(settings))
    common = settings[0] if settings else AskSettings()
    updates: Updates = _filled(w.common, common)
    updates |= {w.own: own, w.common_box: gr.update(visible=not own), w.n_slots: n,
                w.add: gr.update(interactive=n < MOST_COLUMNS)}
    for place, slot in enumerate(w.slots):
        updates |= _filled(slot.settings, settings[place] if place < len(settings) else common)
        updates |= {slot.box: gr.update(visible=place < n), slot.own: gr.update(visible=own)}
    return updates


def _filled(widgets: SettingsWidgets, settings: AskSettings) -> Updates:
    """The widgets with these settings; a dataset that is not named leaves the box with what it offers first."""
    updates: Updates = dict(zip(widgets.all, widget_values(settings), strict=True))
    if not settings.adapt.dataset:
        del updates[widgets.dataset]
    return updates


def _wire_boxes(room: Room) -> None:
    w = room.w
    boxes = [slot.box for slot in w.slots]

    def add(n: int) -> list[Any]:
        n = min(MOST_COLUMNS, int(n or SHOWN_SLOTS) + 1)
        return [n, gr.update(interactive=n < MOST_COLUMNS),
                *(gr.update(visible=place < n) for place in range(MOST_COLUMNS))]

    quiet(w.add.click, add, [w.n_slots], [w.n_slots, w.add, *boxes])

    def own_settings(own: bool, *common: Any) -> list[Any]:
        """Every column begins with what holds for all."""
        return [gr.update(visible=not own), *(gr.update(visible=own) for _ in w.slots),
                *(list(common) * len(w.slots) if own else [gr.skip()] * len(common) * len(w.slots))]

    groups = [widget for slot in w.slots for widget in slot.settings.all]
    quiet(w.own.input, own_settings, [w.own, *w.common.all], [w.common_box, *(slot.own for slot in w.slots), *groups])
