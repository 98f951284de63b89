"""The vote of a blind conversation: it is stored first, and only then are the names drawn."""

from __future__ import annotations

from functools import partial

from lab.core.errors import LabError
from lab.ui.compare.blind import BAD, TIE, vote_of
from lab.ui.compare.column_view import LETTERS
from lab.ui.compare.room import Room, told_at
from lab.ui.compare.screen import Updates, merged, names_of
from lab.ui.components.wiring import quiet
from storage.queries.comparisons import vote as store_vote


def wire_blind(room: Room) -> None:
    w = room.w

    def vote(choice: str, uid: str, mode: str, note: str) -> Updates:
        conversation = room.desk.conversation(uid)
        if room.desk.running(uid) is not None or not conversation.turns:
            raise LabError("Wait for the answers before you vote.")
        given = vote_of(choice, conversation.seats, note or "")
        with room.app.store.write() as session:
            store_vote(session, uid, conversation.turns[-1].number, given)
        seats = room.screen.seats(names_of(conversation))
        return merged({w.notice: "", w.vote.note: ""}, room.screen.shown(uid, mode), seats)

    buttons = [*zip(w.vote.letters, LETTERS, strict=True), (w.vote.tie, TIE), (w.vote.bad, BAD)]
    for button, choice in buttons:
        cast = told_at(w.notice, partial(vote, choice))
        quiet(button.click, cast, [w.uid, w.mode, w.vote.note], w.screen, trigger_mode="once")
