"""Making a rating round, inviting raters to it, and closing it."""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from lab.core.errors import Fault, LabError, SpecError
from lab.rating.blinding import BankAnswer, Pairing, build_pairs
from lab.rating.rounds import ANCHORS, DEFINITION
from storage.database import Store
from storage.queries.ratings import get_round
from storage.tables.jobs import now
from storage.tables.ratings import Answer, AnswerBank, Rater, Round, Unit

TOKEN_PREFIX = "r-"
NAME_LIMIT, CODE_LIMIT, QUOTA_LIMIT, INVITE_LIMIT = 80, 40, 100, 500


@dataclass(frozen=True)
class RoundPlan:
    """What a researcher decides about a round."""

    bank_id: int
    model_a: str
    model_b: str
    name: str
    quota: int = 3
    seed: int = 0


def preview_round(session: Session, bank_id: int, model_a: str, model_b: str) -> Pairing:
    """The pairs a round would have, what is left out and why, and what might give the models away."""
    rows = session.exec(select(Answer).where(Answer.bank_id == bank_id).order_by(col(Answer.id))).all()
    labels = {row.model_label for row in rows}
    faults = [
        Fault(field, f"'{label}' gave no answer in this bank. It has: {', '.join(sorted(labels)) or 'none'}.", label)
        for field, label in (("model_a", model_a), ("model_b", model_b)) if label not in labels
    ]
    if model_a == model_b:
        faults.append(Fault("model_b", "should be another model than the first one", model_b))
    if faults:
        raise SpecError(faults, "round")
    return build_pairs((_bank_answer(row) for row in rows), model_a, model_b)


def create_round(store: Store, plan: RoundPlan) -> Round:
    """Make a round and its units. Raises SpecError with all faults, also when no pair is left to rate."""
    faults = _plan_faults(plan)
    if faults:
        raise SpecError(faults, "round")
    with store.write() as session:
        if session.get(AnswerBank, plan.bank_id) is None:
            raise SpecError([Fault("bank_id", f"there is no answer bank {plan.bank_id}", plan.bank_id)], "round")
        pairing = preview_round(session, plan.bank_id, plan.model_a, plan.model_b)
        if not pairing.pairs:
            reasons = ", ".join(f"{count} {reason}" for reason, count in pairing.excluded.items()) or "no answers"
            raise LabError(f"these two models have no pair that can be rated ({reasons}). Choose other models, or "
                           "another answer bank.")
        made = Round(
            name=plan.name.strip(), bank_id=plan.bank_id, model_a=plan.model_a, model_b=plan.model_b,
            definition=DEFINITION, anchors=list(ANCHORS), quota=plan.quota, seed=plan.seed,
            n_excluded=pairing.n_excluded, excluded={"pairs": pairing.excluded, "by_model": pairing.by_model},
            warnings=list(pairing.warnings),
        )
        session.add(made)
        session.flush()
        session.add_all(Unit(round_id=made.id, item_id=p.item_id, answer_a_id=p.a, answer_b_id=p.b)
                        for p in pairing.pairs)
    return made


def invite(store: Store, round_id: int, codes: Iterable[str], guest: bool = False) -> list[tuple[str, str]]:
    """Add raters by code. Returns (code, token); the token cannot be read again, only its hash is kept."""
    codes = [code.strip() for code in codes if code.strip()]
    with store.write() as session:
        the_round = get_round(session, round_id)
        _require_open(the_round)
        taken = set(session.exec(select(Rater.code).where(Rater.round_id == round_id)).all())
        faults = _code_faults(codes, taken)
        if faults:
            raise SpecError(faults, "raters")
        invited = [(code, new_token()) for code in codes]
        session.add_all(Rater(round_id=round_id, code=code, token_hash=token_hash(token), guest=guest)
                        for code, token in invited)
    return invited


def close_round(store: Store, round_id: int) -> Round:
    """End a round for good: no more ratings, results and export open. Closing twice changes nothing."""
    with store.write() as session:
        the_round = get_round(session, round_id)
        if the_round.state != "closed":
            the_round.state, the_round.closed_at = "closed", now()
            session.add(the_round)
    return the_round


def new_token() -> str:
    """160 random bits; the prefix and the alphabet let the web server tell a token from any other path."""
    return TOKEN_PREFIX + secrets.token_hex(20)


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _require_open(the_round: Round) -> None:
    if the_round.state != "open":
        raise LabError(f"round '{the_round.name}' is closed: nobody can be invited to it any more.")


def _plan_faults(plan: RoundPlan) -> list[Fault]:
    faults = []
    if not 1 <= len(plan.name.strip()) <= NAME_LIMIT:
        faults.append(Fault("name", f"should have 1 to {NAME_LIMIT} characters", plan.name))
    if not isinstance(plan.quota, int) or not 1 <= plan.quota <= QUOTA_LIMIT:
        text = f"should be a whole number from 1 to {QUOTA_LIMIT} (got {plan.quota!r})"
        faults.append(Fault("quota", text, plan.quota))
    return faults


def _code_faults(codes: Sequence[str], taken: set[str]) -> list[Fault]:
    faults = [] if codes else [Fault("raters", "name at least one, one a line (R1, R2 … will do)")]
    if len(codes) > INVITE_LIMIT:
        faults.append(Fault("raters", f"at most {INVITE_LIMIT} at a time (got {len(codes)})"))
    for code, count in Counter(codes).items():
        if len(code) > CODE_LIMIT:
            faults.append(Fault(code[:CODE_LIMIT], f"a rater's name has at most {CODE_LIMIT} characters", code))
        if count > 1:
            faults.append(Fault(code, f"is listed {count} times", code))
        if code in taken:
            faults.append(Fault(code, "was invited already; a link is shown only once, so choose another name", code))
    return faults


def _bank_answer(row: Answer) -> BankAnswer:
    return BankAnswer(row.id, row.item_id, row.model_label, row.arm, row.base, row.shown_text, row.think_state,
                      row.finish_reason)
