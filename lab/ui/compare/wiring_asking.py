"""Asking, following, stopping, asking again and editing: what the buttons around the question do.

A press starts an asking, which belongs to the web process; the page then follows it, and so does any other tab that
opens the same conversation.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import anyio
import gradio as gr

from lab.core.errors import LabError
from lab.ui.app_state import SPACE_SENTENCE, LabApp
from lab.ui.compare.asking import Question
from lab.ui.compare.choices import MOST_COLUMNS
from lab.ui.compare.conversation_view import Drawing
from lab.ui.compare.desk import Wanted
from lab.ui.compare.questions import is_own, local_datasets
from lab.ui.compare.room import Room, told_at
from lab.ui.compare.screen import Updates, merged
from lab.ui.compare.settings import of_widgets
from lab.ui.components.html import failure
from lab.ui.components.markup import Html, tag
from lab.ui.components.wiring import quiet

# The address names the conversation from its first question on; what it was begun with is in the conversation.
ADDRESS = """(uid) => {
  if (uid) window.labSetQuery({c: uid, models: '', q: '', t: '', max: '', seed: '', bench: '', item: ''});
}"""
TO_ANSWERS = "() => document.getElementById('compare-answers')?.scrollIntoView({block: 'start'})"
TO_QUESTION = "() => document.querySelector('#compare-question textarea')?.focus()"
N_SETTINGS = 14


def read_wanted(values: Sequence[Any]) -> Wanted:
    """Who is asked and how, from the values of `Widgets.asked` after the question's own."""
    blind, own, *rest = values
    chosen, rest = rest[:MOST_COLUMNS], rest[MOST_COLUMNS:]
    groups = [rest[at: at + N_SETTINGS] for at in range(0, len(rest), N_SETTINGS)]
    seated = [(name, groups[1 + place] if own else groups[0]) for place, name in enumerate(chosen) if name]
    return Wanted([name for name, _ in seated], [of_widgets(group) for _, group in seated], bool(blind))


def check_public(app: LabApp, wanted: Wanted) -> None:
    """In the public demo a model is adapted to the lab's own datasets only, not to files somebody names."""
    for settings in wanted.settings:
        if not app.may_launch and settings.adapt.dataset and settings.adapt.dataset not in local_datasets():
            raise LabError(SPACE_SENTENCE)


def wire_asking(room: Room) -> None:
    w, follow = room.w, follower(room)

    def ask(*values: Any) -> Updates:
        uid, editing, text, picked, mode, *chosen = values
        source = picked if is_own(*picked, text or "") else ("", "")
        wanted = read_wanted(chosen)
        check_public(room.app, wanted)
        replaces = editing if uid and editing is not None and editing >= 0 else None
        uid = room.desk.ask(uid or "", wanted, Question(text or "", *source), replaces)
        return merged({w.notice: "", w.question: "", w.gold: ""}, room.screen.shown(uid, mode),
                      room.screen.not_editing())

    inputs = [*w.asked[:4], w.mode, *w.asked[4:]]
    pressed = gr.on([w.ask.click, w.question.submit], told_at(w.notice, ask), inputs, w.screen, show_progress="hidden",
                    concurrency_limit=None, trigger_mode="once")
    _then_follow(room, pressed, follow)

    def stop(uid: str, mode: str) -> Updates:
        room.desk.stop(uid)
        return room.screen.shown(uid, mode)

    quiet(w.stop.click, told_at(w.notice, stop), [w.uid, w.mode], w.screen)

    def retry(uid: str, mode: str) -> Updates:
        room.desk.retry(uid)
        return merged({w.notice: ""}, room.screen.shown(uid, mode))

    _then_follow(room, quiet(w.retry.click, told_at(w.notice, retry), [w.uid, w.mode], w.screen), follow)
    _wire_turns(room, follow)
    _wire_new(room)


def _wire_turns(room: Room, follow: Any) -> None:
    """What buttons inside the conversation do, and how its answers are shown."""
    w = room.w

    def act(uid: str, mode: str, event: gr.EventData) -> Updates:
        given = event._data
        if given.get("act") == "retry":
            room.desk.retry(uid, int(given.get("column", 0)))
            return merged({w.notice: ""}, room.screen.shown(uid, mode))
        conversation, number = room.desk.conversation(uid), int(given.get("turn", -1))
        if given.get("act") != "edit" or not 0 <= number < len(conversation.turns):
            return {w.notice: gr.skip()}
        room.desk.check_replaceable(conversation, number)
        words = edit_words(number, len(conversation.turns))
        return {w.editing: number, w.edit_bar: gr.update(visible=True), w.edit_words: words,
                w.question: conversation.turns[number].question.text}

    for block in (w.past, w.current):
        acted = quiet(block.act, told_at(w.notice, act), [w.uid, w.mode], w.screen)
        _then_follow(room, acted, follow)
    quiet(w.edit_cancel.click, lambda: merged(room.screen.not_editing(), {w.question: ""}), [], w.screen)

    def show(uid: str, mode: str) -> Updates:
        return room.screen.shown(uid, mode) if uid else {w.notice: gr.skip()}

    _then_follow(room, quiet(w.mode.input, told_at(w.notice, show), [w.uid, w.mode], w.screen), follow, address=False)


def _wire_new(room: Room) -> None:
    w = room.w

    def new(uid: str, request: gr.Request) -> Updates:
        room.watching.begin(request.session_hash)  # whoever follows the old one in this tab leaves
        return room.screen.blank(uid)

    fresh = quiet(w.new.click, new, [w.uid], w.screen)
    fresh.then(None, None, None, js="() => window.labSetQuery({c: ''})").then(None, None, None, js=TO_QUESTION)


def follower(room: Room) -> Any:
    """The page's side of an asking: updates while it runs, the stored turn when it is over."""
    w = room.w

    async def follow(uid: str, mode: str, request: gr.Request) -> AsyncIterator[Updates]:
        if not uid:
            yield {w.notice: gr.skip()}
            return
        asking = room.desk.running(uid)
        if asking is None:  # it ended before this look began, or nothing was asked
            yield await anyio.to_thread.run_sync(_ended, room, uid, mode)
            return
        look = room.watching.begin(request.session_hash)
        conversation = await anyio.to_thread.run_sync(room.desk.conversation, uid)
        drawing, seen, over = Drawing(conversation, asking, mode), -1, False
        while not over:
            over = asking.over.is_set()
            if asking.changes != seen:
                seen = asking.changes
                yield {w.current: await anyio.to_thread.run_sync(drawing.html)}
            if not over:
                await anyio.sleep(asking.update_s(room.desk.n_running))
            if not room.watching.goes_on(request.session_hash, look):
                return
        yield await anyio.to_thread.run_sync(_ended, room, uid, mode)

    return follow


def _ended(room: Room, uid: str, mode: str) -> Updates:
    try:
        return room.screen.bottom(room.desk.conversation(uid), room.desk.running(uid), mode)
    except LabError as problem:  # deleted while it was answered
        return merged({room.w.notice: failure(problem)}, room.screen.buttons(None, running=False))


def _then_follow(room: Room, pressed: Any, follow: Any, address: bool = True) -> None:
    w = room.w
    if address:
        pressed = pressed.then(None, [w.uid], None, js=ADDRESS).then(None, None, None, js=TO_ANSWERS)
    pressed.then(follow, [w.uid, w.mode], w.screen, show_progress="hidden", concurrency_limit=None,
                 trigger_mode="multiple")


def edit_words(number: int, n_turns: int) -> Html:
    """What asking an edited question replaces."""
    later = n_turns - number - 1
    goes = f"Question {number + 1} and its answers are replaced"
    goes += f", and the {later} question{'' if later == 1 else 's'} after it go" if later else ""
    return tag("p", goes + ", when Ask is pressed.", role="status")
