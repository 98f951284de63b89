"""The list of rounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.ui.components.health import Healths, named
from lab.ui.components.html import ago, empty, progress_bar, state_badge
from lab.ui.components.markup import Html, tag
from lab.ui.components.table import Column, Row, table
from lab.ui.ratings.keeping import Kept
from storage.queries.ratings import BankModel, banks, list_rounds, progress, round_models
from storage.queries.round_stamps import rater_counts, round_stamp
from storage.queries.studies import health_of

if TYPE_CHECKING:
    from storage.database import Session, Store
    from storage.tables import Round

ROUNDS_SHOWN, FACES_SHOWN = 50, 3
COLUMNS = [
    Column("Round", wide=True), Column("Models"), Column("Ratings", hint="that count, of those needed"),
    Column("Raters", number=True, hint="invited or come as guests; trials apart"), Column("Made"), Column("State"),
]
NO_ROUND = empty(
    "No round yet",
    "A round shows raters the answers of two models or more without their names, and asks how fluent each is.",
    "/ratings?view=new", "Make a round",
)
NO_BANK = empty(
    "Nothing to rate yet",
    "A round needs an answer bank: the frozen answers of two or more models to the same questions. The demo study "
    "makes one by itself; any other is made here.", "/ratings?view=answers", "Collect answers",
)


@dataclass(frozen=True)
class Counts:
    """How far one round is, as the list shows it."""

    n_ratings: int
    n_needed: int
    n_raters: int


class Listing:
    """Draws the list; a round is counted again only when something in it changed."""

    def __init__(self, store: Store):
        self.store = store
        self.counted: Kept[Counts] = Kept(2 * ROUNDS_SHOWN)

    def html(self, selected: str) -> Html:
        """All rounds, newest first, the selected one marked."""
        with self.store.read() as session:
            rounds = list_rounds(session)
            faces = {row.id: round_models(session, row) for row in rounds[:ROUNDS_SHOWN]}
            healths = health_of(session, {name for models in faces.values() for name in models})
            people = rater_counts(session)
            rows = [self._row(row, self._counts(session, row, people), list(faces[row.id].values()), healths, selected)
                    for row in rounds[:ROUNDS_SHOWN]]
            offered = bool(rows) or bool(banks(session))
        if not rows:
            return NO_ROUND if offered else NO_BANK
        older = len(rounds) - len(rows)
        more = tag("p", f"{older} older rounds are not listed; `python -m jobs ratings rounds` names them.",
                   cls="note") if older else None
        return tag("div", table(COLUMNS, rows, caption="Rounds"), more, cls="round-list")

    def _counts(self, session: Session, row: Round, people: dict[int, int]) -> Counts:
        stamp = round_stamp(session, row.id) if row.state == "open" else ()
        return self.counted.of((row.id, row.state, people.get(row.id, 0), stamp), lambda: _counts(session, row.id))

    @staticmethod
    def _row(row: Round, counts: Counts, faces: list[BankModel], healths: Healths, selected: str) -> Row:
        done = progress_bar(counts.n_ratings, counts.n_needed, f"{counts.n_ratings} of {counts.n_needed}") \
            if counts.n_needed else "nobody to rate"
        title = tag("span", row.name, tag("small", " from another lab") if row.origin else None)
        cells = [title, _faces(faces, healths), done, counts.n_raters, ago(row.created_at), _state(row)]
        return Row(cells, href=f"/ratings?round={row.id}", selected=str(row.id) == selected)


def _counts(session: Session, round_id: int) -> Counts:
    found = progress(session, round_id)
    return Counts(found.n_ratings, found.n_needed, sum(rater.kind != "trial" for rater in found.raters))


def _faces(faces: list[BankModel], healths: Healths) -> Html:
    more = len(faces) - FACES_SHOWN
    chips = [named(face.label, face.arm, healths) for face in faces[:FACES_SHOWN]]
    return tag("div", *chips, tag("small", f"and {more} more") if more > 0 else None, cls="lab-chips")


def _state(row: Round) -> Html:
    seen = tag("small", "results were seen") if row.state == "open" and row.unblinded_at else None
    return tag("span", state_badge(row.state), seen)
