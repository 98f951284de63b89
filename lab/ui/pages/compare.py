"""Compare: one conversation with two to four models side by side, their thinking folded, blind if wanted.

Address: /compare?c=UID opens a conversation, for a reload, a second tab or whoever is given the link. Nothing asked
here is a measurement: one question is an anecdote, the Benchmarks page has the numbers.
"""

from __future__ import annotations

import logging

from jobs.engines import Engines
from lab.core.errors import LabError
from lab.ui.app_state import LabApp, Page
from lab.ui.compare.desk import Desk
from lab.ui.compare.layout import lay_out
from lab.ui.compare.room import Room
from lab.ui.compare.screen import Screen
from lab.ui.compare.watching import Watching
from lab.ui.compare.wiring_asking import wire_asking
from lab.ui.compare.wiring_blind import wire_blind
from lab.ui.compare.wiring_keeping import wire_keeping
from lab.ui.compare.wiring_opening import wire_opening
from lab.ui.compare.wiring_questions import wire_questions
from lab.ui.components.html import heading
from lab.ui.components.wiring import html_block
from storage.database import Store
from storage.queries.comparisons import forget_drafts

LEAD = "The same question to several models at once. An anecdote: Benchmarks has the numbers."


def build(app: LabApp) -> None:
    """Lay the page out and wire it."""
    _forget_old_drafts(app.store)
    html_block(heading("Compare", LEAD))
    widgets = lay_out()
    desk = Desk(app.store, Engines(app.store).connect)
    room = Room(app, desk, widgets, Screen(desk, widgets), Watching())
    wire_asking(room)
    wire_blind(room)
    wire_questions(widgets)
    wire_keeping(room)
    wire_opening(room)


def _forget_old_drafts(store: Store) -> None:
    """Once per start; a store that cannot be written now is tidied another time."""
    try:
        with store.write() as session:
            forget_drafts(session)
    except LabError as problem:
        logging.getLogger(__name__).warning("old drafts were not forgotten: %s", problem)


PAGE = Page(path="compare", title="Compare", order=40, build=build)
