"""Where questions are asked: one desk per web process. It starts askings, keeps those that run, and stores their turns.

A conversation's truth is the store's; a turn is written when all its columns have ended, whoever still looks. What runs
is found by the conversation's uid, so a reloaded tab and a second one see the same answers come.
"""

from __future__ import annotations

import random
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from lab.core.errors import LabError
from lab.core.types import ModelSource
from lab.ui.compare.asking import Asking, Connect, Question
from lab.ui.compare.choices import MOST_COLUMNS, healths, name_of, sources
from lab.ui.compare.columns import Column
from lab.ui.compare.conversation import Conversation, fold_name, of_rows, seat_of
from lab.ui.compare.settings import AskSettings
from storage.database import Store
from storage.queries.comparisons import (
    Turn,
    add_turn,
    drop_turns_from,
    get_comparison,
    new_comparison,
    set_columns,
    turns,
)

MOST_RUNNING = 64  # askings at once in this process
MOST_UNSTORED = 20  # ended askings that could not be stored, kept to be seen
MOST_TURNS = 50
LONGEST_QUESTION = 20_000  # characters


@dataclass(frozen=True)
class Wanted:
    """Who shall be asked, and how: names as `choices` offers them, with as many settings."""

    names: Sequence[str]
    settings: Sequence[AskSettings]
    blind: bool = False


@dataclass
class Desk:
    """One per web process."""

    store: Store
    connect: Connect
    _running: dict[str, Asking] = field(default_factory=dict)
    _unstored: OrderedDict[str, Asking] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def conversation(self, uid: str) -> Conversation:
        """What the store has. LabError when it has nothing of this uid."""
        with self.store.read() as session:
            row = get_comparison(session, uid)
            found = turns(session, row)
        known = healths(self.store, [column["ref"] for column in row.columns])
        return of_rows(row, found, known)

    def running(self, uid: str) -> Asking | None:
        """The asking of a conversation that runs, or one that ended and could not be stored."""
        return self._running.get(uid) or self._unstored.get(uid)

    @property
    def n_running(self) -> int:
        return len(self._running)

    def ask(self, uid: str, wanted: Wanted, question: Question, replaces: int | None = None) -> str:
        """Ask, in this conversation or, for other models or another blindness, in a new one; its uid.

        `replaces`: the turn this question takes the place of; it and all after it go when the answers have come.
        """
        question = replace(question, text=_checked_question(question.text))
        old = self.conversation(uid) if uid else None
        if old is None or not (old.hidden and not wanted.names):  # a tab that does not know who sits there goes on
            models, settings = sources(self.store, _checked_names(wanted.names)), list(wanted.settings)
            old = old if old is not None and _same(old, models, wanted.blind) else None
            if old is None:
                old = self._new(models, settings, wanted.blind)
            elif not old.blind:  # the settings of a blind one stay with their letters
                old = self._with_settings(old, settings)
        number = len(old.turns) if replaces is None else min(replaces, len(old.turns))
        self.check_replaceable(old, number)
        if number >= MOST_TURNS:
            raise LabError(f"A conversation has at most {MOST_TURNS} questions. Begin a new one.")
        self._start(old, (question, number))
        return old.uid

    def retry(self, uid: str, column: int | None = None) -> None:
        """Ask the last question again: of every column, or of one alone."""
        conversation = self.conversation(uid)
        if not conversation.turns:
            raise LabError("There is no question to ask again yet.")
        last = conversation.turns[-1]
        self.check_replaceable(conversation, last.number)
        kept = {} if column is None else {
            place: found for place, found in enumerate(last.columns) if place != column}
        self._start(conversation, (last.question, last.number), kept)

    @staticmethod
    def check_replaceable(conversation: Conversation, number: int) -> None:
        """LabError when answers that were voted on would go: their names were seen, and blind is blind only once."""
        if any(turn.vote for turn in conversation.turns[number:]):
            raise LabError("The vote on this question, or on one after it, would go with its answers. Go on below, or "
                           "begin a new conversation.")

    def stop(self, uid: str) -> None:
        asking = self._running.get(uid)
        if asking is not None:
            asking.stop()

    def _new(self, models: Sequence[ModelSource], settings: Sequence[AskSettings], blind: bool) -> Conversation:
        seats = [seat_of(model, one) for model, one in zip(models, settings, strict=True)]
        if blind:
            random.SystemRandom().shuffle(seats)  # stored as drawn: no seed tells who sits where
        with self.store.write() as session:
            uid = new_comparison(session, [seat.plain() for seat in seats], blind).uid
        return Conversation(uid, seats, blind=blind)

    def _with_settings(self, old: Conversation, settings: Sequence[AskSettings]) -> Conversation:
        seats = [replace(seat, settings=one) for seat, one in zip(old.seats, settings, strict=True)]
        if seats != list(old.seats):
            with self.store.write() as session:
                set_columns(session, old.uid, [seat.plain() for seat in seats], old.blind)
        return replace(old, seats=seats)

    def _start(
        self, conversation: Conversation, asked: tuple[Question, int], kept: Mapping[int, Column] | None = None
    ) -> None:
        question, number = asked
        seats = conversation.seats
        models = sources(self.store, [name_of(seat.ref) for seat in seats])
        known = healths(self.store, [seat.ref for seat in seats])
        columns = [
            (kept or {}).get(place) or Column(model, fold_name(conversation.uid, number, place), settings=seat.settings,
                                              health=known.get(seat.label))
            for place, (model, seat) in enumerate(zip(models, seats, strict=True))
        ]
        asking = Asking(question, columns, conversation.histories(number), self.connect, number)
        with self._lock:
            if conversation.uid in self._running:
                raise LabError("This conversation is still being answered. Wait for it, or stop it first.")
            if len(self._running) >= MOST_RUNNING:
                raise LabError(f"{MOST_RUNNING} questions are being answered already. Ask again in a moment.")
            self._running[conversation.uid] = asking
            self._unstored.pop(conversation.uid, None)
        asking.start(lambda ended: self._keep(conversation.uid, ended))

    def _keep(self, uid: str, asking: Asking) -> None:
        """Store the turn, in the place of those it replaces; then the asking no longer runs."""
        answers = [column.record(place) for place, column in enumerate(asking.columns)]
        asked = asking.question
        try:
            with self.store.write() as session:
                drop_turns_from(session, uid, asking.number)
                add_turn(session, uid, Turn(asked.text, asked.benchmark, asked.item, answers))
        except BaseException:  # deleted meanwhile, or a store that is full: its readers still see the answers
            with self._lock:
                self._unstored[uid] = asking
                while len(self._unstored) > MOST_UNSTORED:
                    self._unstored.popitem(last=False)
            raise
        finally:
            with self._lock:
                self._running.pop(uid, None)


def _same(old: Conversation, models: Sequence[ModelSource], blind: bool) -> bool:
    """Whether a question to these goes on with the conversation: the order is drawn in a blind one, so it is free."""
    seated, asked = [seat.ref for seat in old.seats], [model.ref for model in models]
    return old.blind == blind and (sorted(seated) == sorted(asked) if old.blind else seated == asked)


def _checked_names(names: Sequence[str]) -> Sequence[str]:
    if not names:
        raise LabError("Choose at least one model; two or more to compare.")
    if len(names) > MOST_COLUMNS:
        raise LabError(f"At most {MOST_COLUMNS} models fit side by side; {len(names)} are chosen.")
    return names


def _checked_question(text: str) -> str:
    if not text.strip():
        raise LabError("Type a question first, or pick one from a benchmark or a dataset.")
    if len(text) > LONGEST_QUESTION:
        raise LabError(f"The question has {len(text)} characters; at most {LONGEST_QUESTION} can be asked.")
    return text.strip()
