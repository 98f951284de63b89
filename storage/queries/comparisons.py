"""Comparisons of the Compare page: made, added to, voted on, saved, listed, and frozen for raters.

Functions that change something want a session of `store.write()`; whoever opened it commits.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, or_
from sqlmodel import Session, col, select

from lab.core.errors import LabError
from storage.clock import store_now
from storage.queries.comparison_banks import FirstTurn, bank_of
from storage.tables import AnswerBank, Comparison, ComparisonTurn

TITLE_LIMIT = 120


@dataclass(frozen=True)
class Turn:
    """A question and what every column answered. `benchmark` and `item` say where the question was picked from."""

    question: str
    benchmark: str = ""
    item: str = ""
    answers: Sequence[dict[str, Any]] = ()


def new_comparison(session: Session, columns: Sequence[dict[str, Any]], blind: bool = False) -> Comparison:
    """A draft without turns."""
    at = store_now(session)
    made = Comparison(uid=secrets.token_hex(6), columns=list(columns), blind=blind, created_at=at, updated_at=at)
    session.add(made)
    session.flush()
    return made


def get_comparison(session: Session, uid: str) -> Comparison:
    found = session.exec(select(Comparison).where(Comparison.uid == uid.strip().lower())).first()
    if found is None:
        raise LabError(f"there is no comparison '{uid}'. It was deleted, or it was a draft that nobody saved.", "spec")
    return found


def turns(session: Session, comparison: Comparison) -> list[ComparisonTurn]:
    """In the order they were asked."""
    query = select(ComparisonTurn).where(ComparisonTurn.comparison_id == comparison.id)
    return list(session.exec(query.order_by(col(ComparisonTurn.number))))


def add_turn(session: Session, uid: str, turn: Turn) -> ComparisonTurn:
    """Add a turn at the end; its number is the next one."""
    comparison = get_comparison(session, uid)
    last = session.exec(
        select(func.max(ComparisonTurn.number)).where(ComparisonTurn.comparison_id == comparison.id)
    ).one()
    made = ComparisonTurn(
        comparison_id=comparison.id, number=0 if last is None else last + 1, question=turn.question,
        benchmark=turn.benchmark, item=turn.item, answers=list(turn.answers), created_at=store_now(session),
    )
    session.add(made)
    _touch(session, comparison)
    return made


def drop_turns_from(session: Session, uid: str, number: int) -> int:
    """Delete this turn and all after it: a question was edited or asked again. How many went."""
    comparison = get_comparison(session, uid)
    gone = session.exec(delete(ComparisonTurn).where(
        col(ComparisonTurn.comparison_id) == comparison.id, col(ComparisonTurn.number) >= number))
    _touch(session, comparison)
    return int(gone.rowcount)


def set_columns(session: Session, uid: str, columns: Sequence[dict[str, Any]], blind: bool) -> Comparison:
    comparison = get_comparison(session, uid)
    comparison.columns, comparison.blind = list(columns), blind
    return _touch(session, comparison)


def save_comparison(session: Session, uid: str, title: str) -> Comparison:
    """Keep it. Without a title it is called by its first question. LabError when nothing was asked yet."""
    comparison = get_comparison(session, uid)
    asked = turns(session, comparison)
    if not asked:
        raise LabError("there is nothing to save yet: ask a question first.")
    title = " ".join((title.strip() or asked[0].question).split())
    comparison.title = title if len(title) <= TITLE_LIMIT else title[: TITLE_LIMIT - 1].rstrip() + "…"
    comparison.saved = True
    return _touch(session, comparison)


def vote(session: Session, uid: str, number: int, vote: dict[str, Any]) -> ComparisonTurn:
    """Store a turn's vote. In a blind comparison the first one stands: after it the names were seen."""
    comparison = get_comparison(session, uid)
    turn = session.exec(select(ComparisonTurn).where(
        ComparisonTurn.comparison_id == comparison.id, ComparisonTurn.number == number)).first()
    if turn is None:
        raise LabError(f"comparison '{uid}' has no turn {number}; it was edited meanwhile. Reload the page.")
    if comparison.blind and turn.vote is not None and turn.vote != vote:
        raise LabError("this question has its vote, and the names were seen since: the first vote stands.")
    turn.vote = dict(vote)
    session.add(turn)
    _touch(session, comparison)
    return turn


def list_comparisons(
    session: Session, search: str = "", saved_only: bool = True, limit: int = 20, offset: int = 0
) -> tuple[list[Comparison], int]:
    """(comparisons of this page, last changed first, number in all). Titles, uids and questions are searched."""
    query = select(Comparison)
    if saved_only:
        query = query.where(col(Comparison.saved).is_(True))
    if text := search.strip():
        asked = select(ComparisonTurn.comparison_id).where(
            col(ComparisonTurn.question).icontains(text, autoescape=True))
        query = query.where(or_(col(Comparison.title).icontains(text, autoescape=True),
                                col(Comparison.uid) == text.lower(), col(Comparison.id).in_(asked)))
    total = session.exec(select(func.count()).select_from(query.subquery())).one()
    order = (col(Comparison.updated_at).desc(), col(Comparison.id).desc())
    return list(session.exec(query.order_by(*order).offset(offset).limit(limit))), total


def delete_comparison(session: Session, uid: str) -> None:
    """With its turns. A bank frozen from it keeps its own copy."""
    _delete(session, [get_comparison(session, uid).id])


def forget_drafts(session: Session, older_than_days: float = 14) -> int:
    """Delete what was never saved and not touched for so long. How many went."""
    before = store_now(session) - timedelta(days=older_than_days)
    old = select(Comparison.id).where(col(Comparison.saved).is_(False), col(Comparison.updated_at) < before)
    return _delete(session, list(session.exec(old)))


def bank_from_comparisons(session: Session, name: str, uids: Sequence[str]) -> AnswerBank:
    """Freeze the first turn of each comparison for raters. LabError when they do not compare the same models.

    Only first turns: later questions were asked of conversations that differ from model to model.
    """
    first = []
    for uid in dict.fromkeys(uids):
        comparison = get_comparison(session, uid)
        asked = turns(session, comparison)
        if not asked:
            raise LabError(f"comparison '{uid}' has no question yet; leave it out or ask one.")
        first.append(FirstTurn(comparison, asked[0]))
    return bank_of(session, name, first)


def _delete(session: Session, ids: Sequence[int | None]) -> int:
    session.exec(delete(ComparisonTurn).where(col(ComparisonTurn.comparison_id).in_(ids)))
    return int(session.exec(delete(Comparison).where(col(Comparison.id).in_(ids))).rowcount)


def _touch(session: Session, comparison: Comparison) -> Comparison:
    comparison.updated_at = store_now(session)
    session.add(comparison)
    session.flush()
    return comparison
