"""The files of a closed round: ratings.csv, preferences.jsonl, round.json.

The blinded set names no model (X and Y instead) and can be given away; the other one says which is which.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from sqlmodel import Session, col, select

from lab.core.errors import LabError
from lab.rating.export import ExportRow, PairTexts, blind_names, preferences_jsonl, ratings_csv
from storage.database import Store
from storage.queries.ratings import current_ratings, get_round, progress, rating_row, require_closed, round_results
from storage.tables.ratings import Answer, Assignment, Rater, Rating, Round, Unit


def export_round(store: Store, round_id: int, folder: Path | str, blinded: bool = False) -> list[Path]:
    """Write the files of a closed round into `folder` and return their paths. LabError while the round is open."""
    folder = Path(folder)
    texts = export_texts(store, round_id, blinded)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise LabError(f"the export cannot be written to '{folder}': {error.strerror}. Choose another folder.",
                       "disk") from error
    return [folder / name for name in texts]


def export_texts(store: Store, round_id: int, blinded: bool = False) -> dict[str, str]:
    """File name → text of a closed round's export. LabError while the round is open."""
    with store.read() as session:
        the_round = get_round(session, round_id)
        require_closed(the_round)
        names = blind_names(_secret(the_round)) if blinded else (the_round.model_a, the_round.model_b)
        pairs, rows = pair_texts(session, round_id), current_ratings(session, round_id)
        return {
            "ratings.csv": ratings_csv(export_rows(session, the_round, blinded), names),
            "preferences.jsonl": preferences_jsonl(pairs, rows, names),
            "round.json": json.dumps(_about(session, the_round, names, blinded), ensure_ascii=False, indent=1),
        }


def shown_name(the_round: Round, blinded: bool) -> str:
    """A round's name is free text and often names its models: the blinded files carry its number instead."""
    return f"round {the_round.id}" if blinded else the_round.name


def export_rows(session: Session, the_round: Round, blinded: bool) -> list[ExportRow]:
    """Every version of every rating, in the order they were served."""
    rows = session.exec(
        select(Rating, Assignment, Unit, Rater)
        .select_from(Rating).join(Assignment).join(Unit).join(Rater, Assignment.rater_id == Rater.id)
        .where(Unit.round_id == the_round.id)
        .order_by(col(Rater.id), col(Assignment.ordinal), col(Rating.version))
    ).all()
    newest = {assignment.id: rating.version for rating, assignment, _, _ in rows}
    return [
        ExportRow(
            round_name=shown_name(the_round, blinded), unit_id=unit.id, ordinal=assignment.ordinal,
            version=rating.version,
            current=rating.version == newest[assignment.id], guest=rater.guest,
            rating=rating_row(rating, assignment, unit, rater.code),
            served_at=_utc(assignment.served_at), rated_at=_utc(rating.created_at), comment=rating.comment,
        )
        for rating, assignment, unit, rater in rows
    ]


def pair_texts(session: Session, round_id: int) -> list[PairTexts]:
    """What raters read, in the order of model a and b."""
    units = session.exec(select(Unit).where(Unit.round_id == round_id).order_by(col(Unit.id))).all()
    ids = {i for unit in units for i in (unit.answer_a_id, unit.answer_b_id)}
    answers = {a.id: a for a in session.exec(select(Answer).where(col(Answer.id).in_(ids))).all()}
    return [PairTexts(u.item_id, answers[u.answer_a_id].question, answers[u.answer_a_id].shown_text,
                      answers[u.answer_b_id].shown_text) for u in units]


def _about(session: Session, the_round: Round, names: tuple[str, str], blinded: bool) -> dict:
    """What was asked, what was left out, and the results, so that the files explain themselves."""
    counts = progress(session, the_round.id)
    by_model = the_round.excluded.get("by_model", {})
    about = {
        "round": shown_name(the_round, blinded), "blinded": blinded, "models": {"a": names[0], "b": names[1]},
        "definition": the_round.definition, "anchors": dict(enumerate(the_round.anchors, start=1)),
        "quota": the_round.quota, "pairs": counts.n_units, "ratings": counts.n_ratings,
        "skipped": counts.n_skipped, "excluded_pairs": the_round.excluded.get("pairs", {}),
        "unusable_answers": {name: by_model.get(model, {})
                             for name, model in zip(names, (the_round.model_a, the_round.model_b), strict=True)},
        "created_at": _utc(the_round.created_at), "closed_at": _utc(the_round.closed_at),
        "results": round_results(session, the_round.id).as_dict(),
    }
    return about if blinded else {**about, "seed": the_round.seed, "leak_warnings": the_round.warnings}


def _secret(the_round: Round) -> str:
    """Stable for a round, and in no exported file: the microseconds of its making are not."""
    return f"{the_round.seed} {the_round.created_at.isoformat()}"


def _utc(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if moment else ""
