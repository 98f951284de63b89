"""Making a rating round: its units, golds and practice, frozen from an answer bank with their hashes."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from random import Random

from sqlmodel import Session, col, select

from lab.benchmarks.shown import with_thinking
from lab.core.errors import Fault, LabError, SpecError
from lab.rating.blinding import BankAnswer, Blind, Material, build_units
from lab.rating.design import THINKING, Face, RoundSpec, worded
from lab.rating.golds import spoil
from lab.rating.practice import PracticeUnit, practice_units
from lab.rating.round_texts import text_hash
from storage.database import Store
from storage.queries.rating_events import note_round
from storage.queries.ratings import get_round
from storage.tables.jobs import now
from storage.tables.ratings import Answer, AnswerBank, Round, Unit

MOST_GOLDS = 40


def preview_round(session: Session, spec: RoundSpec) -> Material:
    """The units a round would have, what is left out and why, and what might give the models away. SpecError when the
    bank or a model is not there."""
    if session.get(AnswerBank, spec.bank) is None:
        raise SpecError([Fault("bank", f"there is no answer bank {spec.bank}", spec.bank)], "round")
    rows = session.exec(select(Answer).where(Answer.bank_id == spec.bank).order_by(col(Answer.id))).all()
    faults = _model_faults(spec, rows)
    if faults:
        raise SpecError(faults, "round")
    return build_units(_bank_answers(rows, spec), spec)


def create_round(store: Store, spec: RoundSpec, who: str = "") -> Round:
    """Make an open round. SpecError with all faults; LabError when no unit is left to rate."""
    faults = spec.check_names()
    if faults:
        raise SpecError(faults, "round")
    with store.read() as session:  # the scans take seconds, and a write transaction holds everybody up
        material = preview_round(session, spec)
        traced = _traced(session, spec)
    if not material.units:
        reasons = ", ".join(f"{count} {reason}" for reason, count in material.excluded.items()) or "no answers"
        raise LabError(f"these models have no answers that can be rated against each other ({reasons}). Choose other "
                       "models, or another answer bank.")
    design = worded(spec, traced)
    golds = [*_golds(material, design)]
    with store.write() as session:
        made = _row(design, material)
        session.add(made)
        session.flush()
        session.add_all(_main_unit(made, blind, shared) for blind, shared in _shared(material.units, design))
        session.add_all(_unit(made, "gold", **gold) for gold in golds)
        if design.practice:
            session.add_all(_practice_unit(made, unit, place) for place, unit in
                            enumerate(practice_units(design.language)))
        note_round(session, made.id, "made", by=who, units=len(material.units), golds=len(golds))
    return made


def close_round(store: Store, round_id: int, who: str = "") -> Round:
    """End a round for good: no more ratings, results and export open. Closing twice changes nothing."""
    with store.write() as session:
        the_round = get_round(session, round_id)
        if the_round.state != "closed":
            the_round.state, the_round.closed_at = "closed", now()
            session.add(the_round)
            note_round(session, round_id, "closed", by=who)
    return the_round


def unblind_round(store: Store, round_id: int, who: str, why: str) -> Round:
    """Open the results of a round that still takes ratings. It is logged for good and said wherever they are shown."""
    if not why.strip():
        raise SpecError([Fault("why", "say why the results have to be seen before the round is closed")], "unblinding")
    with store.write() as session:
        the_round = get_round(session, round_id)
        if the_round.origin:
            raise LabError("this round came from another lab, which alone knows its models: send its votes home and "
                           "read the results there.")
        if the_round.state == "open":
            note_round(session, round_id, "unblinded", by=who, why=why.strip())
            if the_round.unblinded_at is None:
                the_round.unblinded_at, the_round.unblinded_by = now(), who
                session.add(the_round)
    return the_round


def _row(design: RoundSpec, material: Material) -> Round:
    return Round(
        uid=secrets.token_hex(6), name=design.name.strip(), bank_id=design.bank, design=design.as_dict(),
        design_sha=design.sha(), models=list(design.models), n_excluded=material.n_excluded,
        excluded={"pairs": material.excluded, "by_model": material.by_model}, warnings=list(material.warnings),
        risk={pair: asdict(risk) for pair, risk in material.risks.items()},
    )


def _main_unit(made: Round, blind: Blind, shared: bool) -> Unit:
    a, b = blind.a, blind.b
    return _unit(made, "main", item_id=a.item_id, model_a=a.model, model_b=b.model if b else "", answer_a_id=a.id,
                 answer_b_id=b.id if b else None, question=a.question, text_a=a.shown_text,
                 text_b=b.shown_text if b else "", shared=shared)


def _practice_unit(made: Round, unit: PracticeUnit, place: int) -> Unit:
    """Where one answer is shown at a time, every other practice unit shows its second one."""
    texts, expected = (unit.text_a, unit.text_b), dict(unit.expected)
    if made.design["task"] == "fluency":
        side = "ab"[place % 2]
        texts, expected = (texts[place % 2], ""), {"fluency_a": expected[f"fluency_{side}"]}
    return _unit(made, "practice", item_id=unit.name, question=unit.question, text_a=texts[0], text_b=texts[1],
                 expected=expected, explanation=unit.explanation)


def _unit(made: Round, role: str, **columns: object) -> Unit:
    sha = text_hash(str(columns["question"]), str(columns["text_a"]), str(columns["text_b"]))
    return Unit(uid=secrets.token_hex(6), round_id=made.id, role=role, sha256=sha, **columns)


def _shared(units: Sequence[Blind], design: RoundSpec) -> Iterator[tuple[Blind, bool]]:
    """Which units every rater gets: all those of the questions that are drawn for it."""
    items = list(dict.fromkeys(unit.item_id for unit in units))
    drawn = set(Random(f"{design.seed}-shared").sample(items, round(design.shared_share * len(items))))
    for unit in units:
        yield unit, unit.item_id in drawn


def _golds(material: Material, design: RoundSpec) -> Iterator[dict[str, object]]:
    """Units with a known answer: a text against its spoilt self, or the spoilt one alone. Answers that are not rated
    come first; then some that are, because a rater may well see a question twice and a gold never stands alone."""
    if not design.gold_every:
        return
    random = Random(f"{design.seed}-golds")
    rated = [answer for unit in material.units for answer in (unit.a, unit.b) if answer]
    pool = [*random.sample(material.spare, len(material.spare)), *random.sample(rated, len(rated))]
    wanted = min(MOST_GOLDS, max(2, -(-len(material.units) // design.gold_every)))
    seen: set[str] = set()
    for answer in pool:
        if len(seen) == wanted:
            return
        spoilt = spoil(answer.shown_text, design.language, design.seed) if answer.item_id not in seen else None
        if spoilt is None:
            continue
        seen.add(answer.item_id)
        yield _gold(answer, spoilt, design)


def _gold(answer: BankAnswer, spoilt: str, design: RoundSpec) -> dict[str, object]:
    alone = design.task == "fluency"
    expected = {"fluency_a": 1} if alone else {"preference": "a"}
    return {"item_id": answer.item_id, "question": answer.question, "text_a": spoilt if alone else answer.shown_text,
            "text_b": "" if alone else spoilt, "expected": expected}


def _model_faults(spec: RoundSpec, rows: Sequence[Answer]) -> list[Fault]:
    labels = {row.model_label for row in rows}
    faults = []
    for place, face in enumerate(spec.faces):
        if face.label not in labels:
            known = ", ".join(sorted(labels)) or "none"
            faults.append(Fault(f"models.{place}", f"'{face.label}' gave no answer in this bank. It has: {known}.",
                                spec.models[place]))
        elif face.thinking and not any(row.think_text for row in rows if row.model_label == face.label):
            words = f"no thinking of '{face.label}' is kept in this bank: it did not think, or the bank is an old one"
            faults.append(Fault(f"models.{place}", words, spec.models[place]))
    return faults


def _bank_answers(rows: Sequence[Answer], spec: RoundSpec) -> list[BankAnswer]:
    wanted: dict[str, list[Face]] = {}
    for face in spec.faces:
        wanted.setdefault(face.label, []).append(face)
    return [_shown(row, face) for row in rows for face in wanted.get(row.model_label, [])]


def _shown(row: Answer, face: Face) -> BankAnswer:
    text = with_thinking(row.think_text, row.shown_text) if face.thinking else row.shown_text
    name = row.model_label + (THINKING if face.thinking else "")
    return BankAnswer(row.id, row.item_id, name, row.arm, row.base, row.question, text, row.think_state,
                      row.finish_reason)


def _traced(session: Session, spec: RoundSpec) -> str:
    """The face that was trained on traces, when exactly one was: whom raters may be asked to guess."""
    arms = dict(session.exec(select(Answer.model_label, Answer.arm).where(
        Answer.bank_id == spec.bank).distinct()).all())
    traced = [name for name, face in zip(spec.models, spec.faces, strict=True) if arms.get(face.label) == "trace"]
    return traced[0] if len(traced) == 1 else ""
