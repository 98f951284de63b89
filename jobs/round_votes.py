"""What a judge and the measurements say of a round's texts becomes rows beside its ratings, in the transaction that
ends the job.

The same judge, or the same measure of the same text, is stored once: a second job takes the place of the first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sqlmodel import Session, col, delete, select

from jobs.judged import judge_version
from lab.core.errors import LabError
from storage.queries.round_units import find_round, main_units
from storage.tables import Job, JudgeVote, TextMeasure

if TYPE_CHECKING:  # `jobs.results` calls this module
    from jobs.results import Ended

AT_ONCE = 500  # values of one query


def store_votes(session: Session, job: Job, ended: Ended) -> None:
    """The votes, with a version that is another for another model, prompt, definition or length of a reply.

    Nothing where the round is gone: the job's facts then say so, since its own work is done and not wrong. A vote on a
    unit that is gone is left out, and counted there.
    """
    try:
        the_round = find_round(session, job.spec["units"])
    except LabError as error:
        job.facts = {**job.facts, "why": f"nothing was stored: {error}"}
        return
    judge = ended.result["judge"]
    version = vote_version(ended.result, job.spec)
    units = {unit.uid: unit.id for unit in session.exec(main_units(the_round.id))}
    same = (col(JudgeVote.round_id) == the_round.id, col(JudgeVote.judge) == judge,
            col(JudgeVote.judge_version) == version)
    session.exec(delete(JudgeVote).where(*same))  # type: ignore[call-overload]
    rows = [row for row in ended.rows if row["unit"] in units]
    session.add_all(JudgeVote(
        round_id=the_round.id, unit_id=units[row["unit"]], judge=judge, judge_version=version, job_id=job.id,
        **{name: row[name] for name in ("a_first", "verdict", "fluency_a", "fluency_b", "reply")},
    ) for row in rows)
    job.facts = {**job.facts, "round": the_round.id, "judge_version": version, "votes": len(rows),
                 "votes_left_out": len(ended.rows) - len(rows)}


def vote_version(result: dict[str, Any], spec: dict[str, Any]) -> str:
    """Another model, prompt, wording of the scale, or length of a reply is another judge: 12 hex digits."""
    told = {"prompt": result["prompt_version"], "told": result["told"]}
    return judge_version({"scorer_version": told, "model": result["model"]}, spec)


def store_measures(session: Session, job: Job, ended: Ended) -> None:
    """The figures, by text and name. What is known of a text under the same version is replaced."""
    by_kind: dict[tuple[str, str], dict[str, float | None]] = {}
    for row in ended.rows:
        by_kind.setdefault((row["name"], row["version"]), {})[row["text_sha"]] = row["value"]
    for (name, version), values in by_kind.items():
        _forget(session, name, version, list(values))
        session.add_all(TextMeasure(text_sha=sha, name=name, version=version, value=value, job_id=job.id)
                        for sha, value in values.items())
    job.facts = {**job.facts, "measures": len(by_kind), "figures": sum(map(len, by_kind.values()))}


def _forget(session: Session, name: str, version: str, texts: list[str]) -> None:
    for some in _pieces(texts):
        known = select(TextMeasure).where(
            TextMeasure.name == name, TextMeasure.version == version, col(TextMeasure.text_sha).in_(some))
        for row in session.exec(known):
            session.delete(row)
    session.flush()


def _pieces(values: list[str]) -> Iterable[list[str]]:
    return (values[at : at + AT_ONCE] for at in range(0, len(values), AT_ONCE))
