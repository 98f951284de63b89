"""Where questions are asked: starts an asking per browser tab, stops it, and remembers the last answers.

What is remembered lives in the web process only: it makes a reload show the answers again and fills the list of
earlier questions. Nothing here is a record; benchmark runs and answer banks are.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Lock

from lab.core.errors import LabError
from lab.ui.compare.asking import Asking, AskSettings, Connect
from lab.ui.compare.choices import MOST_COLUMNS, healths, sources
from lab.ui.compare.columns import Column, columns_html
from lab.ui.components.markup import Html
from storage.database import Store

REMEMBERED = 60  # finished askings, over all tabs
LONGEST_QUESTION = 20_000  # characters

Key = tuple[tuple[str, ...], str, AskSettings]


@dataclass
class Desk:
    """One per web process."""

    store: Store
    connect: Connect
    _running: dict[str, Asking] = field(default_factory=dict)
    _finished: OrderedDict[Key, list[Column]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def ask(
        self, tab: str, names: Sequence[str], question: str, settings: AskSettings,
        draw: Callable[[list[Column]], Html] = columns_html,
    ) -> Iterator[Html]:
        """The page's columns, again and again until all have ended. A new question of a tab ends its last one."""
        question = _checked(names, question)
        asking = Asking(sources(self.store, names), question, settings, self.connect)
        found = healths(self.store, names)
        for column in asking.columns:
            column.health = found.get(column.model.label)
        self.stop(tab)
        self._running[tab] = asking
        try:
            for columns in asking.updates():
                yield draw(columns)
        finally:
            if self._running.get(tab) is asking:
                del self._running[tab]
            self._remember((tuple(names), question, settings), asking.columns)

    def stop(self, tab: str) -> None:
        asking = self._running.get(tab)
        if asking is not None:
            asking.stop()

    def last_answers(self, names: Sequence[str], question: str, settings: AskSettings) -> list[Column] | None:
        """The columns of the same question to the same models, if this process still has them."""
        return self._finished.get((tuple(names), question.strip(), settings))

    def _remember(self, key: Key, columns: list[Column]) -> None:
        if not any(column.thought or column.answer for column in columns):
            return
        with self._lock:
            self._finished[key] = columns
            self._finished.move_to_end(key)
            while len(self._finished) > REMEMBERED:
                self._finished.popitem(last=False)


def _checked(names: Sequence[str], question: str) -> str:
    if not names:
        raise LabError("Choose at least one model; two or more to compare.")
    if len(names) > MOST_COLUMNS:
        raise LabError(f"At most {MOST_COLUMNS} models fit side by side; {len(names)} are chosen.")
    if not question.strip():
        raise LabError("Type a question first, or pick one from a benchmark.")
    if len(question) > LONGEST_QUESTION:
        raise LabError(f"The question has {len(question)} characters; at most {LONGEST_QUESTION} can be asked.")
    return question.strip()
