"""What the page draws: the list and the chosen round's counts while somebody looks, its slow figures when a tab is
opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from lab.core.errors import LabError
from lab.ui.components.html import empty, failure
from lab.ui.components.markup import Html
from lab.ui.components.wiring import only_changed
from lab.ui.ratings.files import files_shown
from lab.ui.ratings.head import head_html
from lab.ui.ratings.keeping import Kept
from lab.ui.ratings.listing import Listing
from lab.ui.ratings.outcome import locked_html, outcome_html
from lab.ui.ratings.people import people_html
from lab.ui.ratings.permission import number_of
from lab.ui.ratings.quality import quality_html
from lab.ui.ratings.questions import PAGE, order_by, position, questions_html
from lab.ui.ratings.reading import Reading
from storage.queries.ratings import get_round, progress, results_open, round_models
from storage.queries.round_stamps import people_stamp, round_stamp
from storage.queries.studies import health_of

if TYPE_CHECKING:
    from lab.ui.app_state import LabApp
    from lab.ui.ratings.round_layout import Chosen
    from storage.queries.ratings import RoundProgress

ROUNDS_COUNTED = 20


@dataclass(frozen=True)
class Standing:
    """The quick part of one round."""

    group: bool = False
    head: Html = Html("")
    people: Html = Html("")
    may_invite: bool = False
    may_close: bool = False


class Desk:
    """One for each page; `shown` is what the poll writes, `parts` what a tab writes when it is opened."""

    def __init__(self, app: LabApp, listing: gr.HTML, chosen: Chosen):
        self.app, self.store, self.chosen = app, app.store, chosen
        self.list, self.reading = Listing(app.store), Reading(app.store)
        self._counted: Kept[RoundProgress] = Kept(ROUNDS_COUNTED)
        r, q = chosen.results, chosen.questions
        self.shown = [listing, chosen.group, chosen.head, chosen.people.table, chosen.people.group, chosen.close,
                      chosen.seen]
        self.parts = [chosen.quality, r.body, r.again, r.unblind, r.launches, q.page, q.body, q.position, q.back,
                      q.forth,
                      *chosen.files.shown]
        self.asked = [chosen.selected, chosen.part, q.order, q.page]

    def draw(self, selected: str, seen: list[Any]) -> list[Any]:
        """What `shown` holds; what has not changed is not sent. Counts only, so that it may run every few seconds."""
        at = self.standing(selected)
        values = [self.list.html(selected), at.group, at.head, at.people, at.may_invite, at.may_close]
        changed = only_changed(values, seen)
        return [*(gr.update(visible=new) if isinstance(new, bool) else new for new in changed), values]

    def standing(self, selected: str) -> Standing:
        """Nothing chosen is an empty page part; an address of no round is a sentence."""
        if not selected:
            return Standing()
        try:
            counts = self.counts(selected)
            with self.store.read() as session:
                models = round_models(session, counts.round)
                healths = health_of(session, list(models))
        except LabError as problem:
            return Standing(True, failure(problem))
        is_open = counts.round.state == "open"
        return Standing(True, head_html(counts, models, healths), people_html(counts, self.app.may_launch), is_open,
                        is_open)

    def counts(self, selected: str) -> RoundProgress:
        """Counted again only when something happened in the round."""
        number = number_of(selected)
        with self.store.read() as session:
            the_round = get_round(session, number)
            key = (number, the_round.state, the_round.unblinded_at, round_stamp(session, number),
                   people_stamp(session, number))
            return self._counted.of(key, lambda: progress(session, number))

    def part(self, selected: str, part: str, order: str, page: int) -> list[Any]:
        """What `parts` holds: the open tab's blocks, and nothing new for the others."""
        values: list[Any] = [gr.skip()] * len(self.parts)
        if not selected:
            return values
        place = {"quality": slice(0, 1), "results": slice(1, 5), "questions": slice(5, 10),
                 "files": slice(10, len(self.parts))}.get(part)
        if place is None:
            return values
        try:
            number_of(selected)
            values[place] = {"quality": self._quality, "results": self._results, "files": self._files,
                             "questions": lambda chosen: self._questions(chosen, order, page)}[part](selected)
        except LabError as problem:
            hidden = gr.update(visible=False)
            failed = {"quality": [failure(problem)], "results": [failure(problem), hidden, hidden, hidden],
                      "questions": [1, failure(problem), Html(""), hidden, hidden],
                      "files": [failure(problem), hidden, hidden, hidden]}
            values[place] = failed[part]
        return values

    def _quality(self, selected: str) -> list[Any]:
        return [quality_html(self.reading.quality(number_of(selected)))]

    def _results(self, selected: str) -> list[Any]:
        """The body, and whether to offer: again, unblinding, the jobs beside it."""
        the_round = self._round(selected)
        is_open, running = results_open(the_round), the_round.state == "open"
        body = outcome_html(self.reading.results(the_round.id)) if is_open else locked_html()
        return [body, gr.update(visible=is_open), gr.update(visible=not is_open and not the_round.origin),
                gr.update(visible=is_open or running)]

    def _questions(self, selected: str, order: str, page: int) -> list[Any]:
        the_round = self._round(selected)
        if not results_open(the_round):
            locked = empty("Locked while the round is open", "Texts beside their scores name the models. They open "
                                                             "with the results.")
            return [1, locked, Html(""), gr.update(visible=False), gr.update(visible=False)]
        found = order_by(self.reading.questions(the_round.id), order)
        last = max(1, -(-len(found) // PAGE))
        page = min(max(1, int(page or 1)), last)
        with self.store.read() as session:
            models = round_models(session, the_round)
        return [page, questions_html(found, models, page), position(len(found), page),
                gr.update(interactive=page > 1, visible=last > 1), gr.update(interactive=page < last, visible=last > 1)]

    def _files(self, selected: str) -> list[Any]:
        return files_shown(self.app, selected, results_open(self._round(selected)))

    def _round(self, selected: str) -> Any:
        with self.store.read() as session:
            return get_round(session, number_of(selected))
