"""The texts of a round, as a job reads them that judges or measures: main units alone, and no model's name."""

from __future__ import annotations

from sqlmodel import Session, col, select

from lab.core.errors import LabError, nearest
from lab.rating.round_texts import ROUND, RoundTold, UnitTexts
from storage.tables import Round, Unit

NAMED = 20  # rounds that a message lists


def find_round(session: Session, ref: str) -> Round:
    """The round that 'round:<uid>' names. LabError with the ones there are."""
    found = session.exec(select(Round).where(Round.uid == ref.removeprefix(ROUND))).first()
    if found is None:
        newest = session.exec(select(Round.uid).order_by(col(Round.id).desc()).limit(NAMED))
        raise LabError(f"there is no '{ref}'. {nearest(ref, [f'{ROUND}{uid}' for uid in newest])}", "spec")
    return found


def round_texts(session: Session, ref: str) -> tuple[RoundTold, list[UnitTexts]]:
    """The words that raters have before them, and what is rated, in the order of the units."""
    the_round = find_round(session, ref)
    design = the_round.design
    told = RoundTold(
        round=the_round.uid, language=design.get("language", "en"), definition=design["definition"],
        anchors=tuple(design["anchors"]),
    )
    rows = session.exec(main_units(the_round.id))
    return told, [UnitTexts(row.uid, row.item_id, row.question, row.text_a, row.text_b) for row in rows]


def main_units(round_id: int | None):
    """Query of the units that are rated and counted."""
    return select(Unit).where(Unit.round_id == round_id, Unit.role == "main").order_by(col(Unit.id))
