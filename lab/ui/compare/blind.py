"""The vote of a blind comparison: what can be voted, and how a vote is said once the names may be known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lab.core.errors import LabError
from lab.ui.compare.column_view import LETTERS
from lab.ui.components.html import chip
from lab.ui.components.markup import Html, join

if TYPE_CHECKING:
    from lab.ui.compare.conversation import Seat

LONGEST_NOTE = 2_000  # characters
TIE, BAD = "tie", "bad"


def vote_of(choice: str, seats: Sequence[Seat], note: str) -> dict[str, Any]:
    """The vote as it is stored: by letter, by column and by the model that sat there."""
    text = note.strip()[:LONGEST_NOTE]
    if choice in (TIE, BAD):
        return {"choice": choice, "note": text}
    place = LETTERS.find(choice) if len(choice) == 1 else -1
    if not 0 <= place < len(seats):
        raise LabError(f"'{choice}' is none of the answers.")
    return {"choice": choice, "column": place, "ref": seats[place].ref, "label": seats[place].label, "note": text}


def vote_words(vote: Mapping[str, Any], seats: Sequence[Seat]) -> Html:
    """'Voted blind: A is better. A was … , B was …'."""
    choice = str(vote.get("choice", ""))
    said = {TIE: "a tie", BAD: "all are bad"}.get(choice, f"{choice} is better")
    were = (join([LETTERS[place], " was ", chip(seat.label, seat.arm)]) for place, seat in enumerate(seats))
    names = join(were, ", ")
    note = f" Note: {vote['note']}" if vote.get("note") else ""
    return join([f"Voted blind: {said}. ", names, ".", note])
