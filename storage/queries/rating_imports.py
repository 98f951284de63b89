"""Bundles from another lab: a round to rate here, or votes that come home.

What is wrong with one is told before anything of it is stored: a round, or all votes, in one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session, col, select

from lab.core.errors import LabError
from lab.rating.design import stored
from lab.rating.files.bundle import Bundle, unpack
from lab.rating.files.sent_round import SentRound, as_row, read_round
from lab.rating.files.sent_votes import SentVotes, check_votes, read_votes
from lab.rating.round_texts import text_hash
from storage.database import Store
from storage.queries.rating_contents import blinding_of
from storage.queries.rating_events import note_round
from storage.queries.rating_trails import take_trails
from storage.queries.rating_votes import take_in
from storage.tables.ratings import Round, Unit

ORIGIN = "import"


@dataclass(frozen=True)
class Imported:
    """What came home."""

    round_id: int
    n_new: int  # ratings, every version
    n_known: int  # that had come before
    n_raters: int
    n_surplus: int  # of the new units, those beyond the quota: kept, and in no main figure

    @property
    def sentence(self) -> str:
        late = f", {self.n_surplus} of them beyond the quota" if self.n_surplus else ""
        return (f"round {self.round_id}: {self.n_new} new ratings{late}; {self.n_known} were here before. Raters in "
                f"the file: {self.n_raters}.")


def receive(store: Store, data: bytes) -> Round | Imported:
    """A round or votes, as the bundle's manifest says."""
    bundle = unpack(data)
    if bundle.kind == "files":
        raise LabError("this bundle is the written record of a round. A lab takes in rounds to rate, and votes.")
    return _take_round(store, bundle) if bundle.kind == "round" else _take_votes(store, bundle)


def import_round(store: Store, data: bytes) -> Round:
    """An open round with another lab's blinded units. The same bundle twice gives the round that is here."""
    return _take_round(store, unpack(data))


def import_votes(store: Store, data: bytes) -> Imported:
    """Ratings of another lab's raters, into the round they are of. Those that came before are known by their keys."""
    return _take_votes(store, unpack(data))


def _take_round(store: Store, bundle: Bundle) -> Round:
    sent = read_round(bundle)
    with store.write() as session:
        known = session.exec(select(Round).where(Round.uid == sent.uid)).first()
        if known is not None:
            return _same(session, known, sent)
        made = Round(
            uid=sent.uid, name=sent.design.name, bank_id=None, design=sent.design.as_dict(),
            design_sha=sent.design.sha(), models=list(sent.design.models), origin=ORIGIN,
        )
        taken = session.exec(select(Unit.uid).where(col(Unit.uid).in_([unit.uid for unit in sent.units]))).first()
        if taken:
            raise LabError(f"unit {taken} of the bundle belongs to another round of this lab.")
        session.add(made)
        session.flush()
        session.add_all(Unit(round_id=made.id, **as_row(unit)) for unit in sent.units)
        note_round(session, made.id, "received", units=len(sent.units))
    return made


def _same(session: Session, known: Round, sent: SentRound) -> Round:
    """The round that came before, if it is this one."""
    if not known.origin:
        raise LabError(f"the bundle is round '{known.name}' of this very lab: send it to another one.")
    units = {unit.uid: unit.sha256 for unit in sent.units}
    here = dict(session.exec(select(Unit.uid, Unit.sha256).where(Unit.round_id == known.id)).all())
    if known.design_sha != sent.design.sha() or here != units:
        raise LabError(f"the bundle calls itself round {sent.uid}, which is here with another design or other texts.")
    return known


def _take_votes(store: Store, bundle: Bundle) -> Imported:
    sent = read_votes(bundle)
    with store.read() as session:  # a design never changes, and raters of this lab wait for a write
        check_votes(sent, stored(_round(session, sent).design))
    with store.write() as session, session.no_autoflush:
        the_round = _round(session, sent)
        units = _units(session, the_round, sent)
        taken = take_in(session, the_round, sent, units)
        note_round(session, the_round.id, "votes received", new=taken.n_new, known=taken.n_known,
                   raters=len(sent.raters), surplus=taken.n_surplus)
    take_trails(store, the_round.id, sent.events)
    return Imported(the_round.id, taken.n_new, taken.n_known, len(sent.raters), taken.n_surplus)


def _round(session: Session, sent: SentVotes) -> Round:
    found = session.exec(select(Round).where(Round.uid == sent.round_uid)).first()
    if found is None:
        raise LabError(f"the votes are of round {sent.round_uid}, which is none of this lab's.")
    if found.state != "open":
        raise LabError(f"round '{found.name}' is closed: votes cannot be taken in any more.")
    return found


def _units(session: Session, the_round: Round, sent: SentVotes) -> dict[str, tuple[Unit, bool]]:
    """uid → the unit here, and whether its texts had changed places there. LabError when one is not what was sent."""
    blinding = blinding_of(session, the_round)
    if blinding is None:
        raise LabError(f"round '{the_round.name}' was never sent to another lab: these votes cannot be of it.")
    found = {}
    for unit in session.exec(select(Unit).where(Unit.round_id == the_round.id)).all():
        turned = bool(unit.model_a) and blinding.turns(unit.model_a, unit.model_b)
        texts = (unit.text_b, unit.text_a) if turned else (unit.text_a, unit.text_b)
        if sent.hashes.get(unit.uid, text_hash(unit.question, *texts)) != text_hash(unit.question, *texts):
            raise LabError(f"unit {unit.uid} was rated with another text than this lab has: nothing is taken in.")
        found[unit.uid] = (unit, turned)
    strange = sorted(set(sent.hashes) - set(found))
    if strange:
        raise LabError(f"unit {strange[0]} of the votes is none of round '{the_round.name}'.")
    return found
