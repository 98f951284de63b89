"""Jobs over a round's texts: what they are given, and what they say becomes rows beside the ratings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlmodel import select

from jobs.references import check_references, resolve_files
from jobs.results import HANDLERS, Ended, read_ended
from jobs.round_votes import vote_version
from lab.core.errors import LabError
from lab.core.types import ModelSource
from lab.rating.design import RoundSpec
from lab.rating.judging import RoundJudgeSpec
from lab.rating.measuring import Measure, MeasureSpec
from lab.rating.round_texts import read_round
from storage.database import Store
from storage.queries.rounds import create_round
from storage.tables import Job, JudgeVote, Round, TextMeasure
from tests.rating.bank import MODELS, seed_bank

MODEL = ModelSource(ref="demo-llama", label="demo-llama", base="demo-llama")
TOLD = {"language": "en", "definition": "d", "anchors": ["1", "2", "3", "4", "5"]}
JUDGED = {"judge": "demo-llama", "prompt_version": "1", "model": MODEL.model_dump(), "told": TOLD}


@pytest.fixture
def the_round(store: Store) -> Round:
    models = tuple(label for label, _, _ in MODELS[:2])
    return create_round(store, RoundSpec(name="r", bank=seed_bank(store), models=models, language="en"))


def judge(the_round: Round) -> RoundJudgeSpec:
    return RoundJudgeSpec(units=f"round:{the_round.uid}", model="demo-llama")


def test_the_job_is_given_the_rounds_texts_as_a_file(store: Store, the_round: Round) -> None:
    spec = judge(the_round)
    with store.read() as session:
        assert check_references(session, spec) == []
        first, again = (resolve_files(session, store.home, spec) for _ in range(2))
    told, units = read_round(Path(first[f"round:{the_round.uid}"]))
    assert first == again and told.round == the_round.uid and len(units) == 6
    assert not list(Path(first[spec.units]).parent.glob(".*"))


def test_a_round_that_is_not_there_is_refused_before_anything_is_queued(store: Store, the_round: Round) -> None:
    spec = MeasureSpec(units=f"round:{the_round.uid}x")
    with store.read() as session:
        (fault,) = check_references(session, spec)
        assert fault.field == "units" and f"round:{the_round.uid}" in str(fault)
        with pytest.raises(LabError, match="there is no 'round:"):
            resolve_files(session, store.home, spec)


def ended(store: Store, kind: str, spec: dict, result: dict, rows: list[dict], name: str) -> Job:
    """As the worker does it: the files are read, then stored in one transaction."""
    with store.write() as session:
        job = Job(uid=f"{len(session.exec(select(Job)).all()):012}", kind=kind, name=kind, spec=spec)
        session.add(job)
        session.flush()
        folder = store.home.job(job.uid)
        folder.prepare()
        folder.result.write_text(json.dumps(result))
        (folder.artifacts / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
        HANDLERS[kind](session, job, read_ended(folder, kind))
        session.add(job)
    return job


def vote(unit: str, a_first: bool, verdict: str | None = "a") -> dict:
    scores = {"fluency_a": 4, "fluency_b": 2} if verdict else {"fluency_a": None, "fluency_b": None}
    return {"unit": unit, "a_first": a_first, "verdict": verdict, **scores, "reply": "{}", "readable": bool(verdict),
            "cut": False}


def units_of(store: Store, the_round: Round) -> list[str]:
    with store.read() as session:
        path = resolve_files(session, store.home, judge(the_round))[f"round:{the_round.uid}"]
    return [unit.unit for unit in read_round(Path(path))[1]]


def test_votes_are_stored_by_unit_and_order_and_an_unread_reply_too(store: Store, the_round: Round) -> None:
    first, second, *_ = units_of(store, the_round)
    rows = [vote(first, True), vote(first, False, "b"), vote(second, True, None), vote("gone", True)]
    job = ended(store, "rounds-judge", judge(the_round).as_dict(), JUDGED, rows, "votes.jsonl")
    with store.read() as session:
        found = session.exec(select(JudgeVote).order_by(JudgeVote.id)).all()
    assert [(one.a_first, one.verdict, one.fluency_a) for one in found] == [
        (True, "a", 4), (False, "b", 4), (True, None, None)]
    assert {(one.round_id, one.judge, one.job_id) for one in found} == {(the_round.id, "demo-llama", job.id)}
    assert job.facts["votes"] == 3 and job.facts["votes_left_out"] == 1


def test_the_same_judge_takes_the_place_of_its_own_votes_and_of_nobody_elses(store: Store, the_round: Round) -> None:
    first, *_ = units_of(store, the_round)
    spec = judge(the_round).as_dict()
    ended(store, "rounds-judge", spec, JUDGED, [vote(first, True, "a")], "votes.jsonl")
    ended(store, "rounds-judge", spec, JUDGED, [vote(first, True, "b")], "votes.jsonl")
    other = JUDGED | {"told": TOLD | {"definition": "another"}}
    ended(store, "rounds-judge", spec, other, [vote(first, True, "tie")], "votes.jsonl")
    with store.read() as session:
        assert sorted(one.verdict for one in session.exec(select(JudgeVote))) == ["b", "tie"]


def test_another_model_wording_or_length_is_another_judge() -> None:
    spec = {"max_new_tokens": 64}
    versions = {
        vote_version(JUDGED, spec), vote_version(JUDGED, {"max_new_tokens": 65}),
        vote_version(JUDGED | {"prompt_version": "2"}, spec), vote_version(JUDGED | {"told": {}}, spec),
        vote_version(JUDGED | {"model": MODEL.model_dump() | {"ref": "variant:x"}}, spec),
    }
    assert len(versions) == 5 and vote_version(JUDGED, spec) == vote_version(dict(JUDGED), dict(spec))


def test_votes_on_a_round_that_is_gone_end_the_job_with_a_word(store: Store) -> None:
    spec = {"units": "round:gone"}
    job = ended(store, "rounds-judge", spec, JUDGED, [vote("u", True)], "votes.jsonl")
    assert "there is no 'round:gone'" in job.facts["why"]


def test_measures_are_stored_once_a_text_and_replaced_by_the_next_job(store: Store, the_round: Round) -> None:
    spec = MeasureSpec(units=f"round:{the_round.uid}").as_dict()
    rows = [Measure(text_sha=f"{i:064}", name="words", version="1", value=float(i)).model_dump() for i in range(1200)]
    ended(store, "measure", spec, {}, rows, "measures.jsonl")
    newer = [rows[0] | {"value": 9.0}, rows[1] | {"version": "2"}, rows[2] | {"value": None}]
    job = ended(store, "measure", spec, {}, newer, "measures.jsonl")
    with store.read() as session:
        found = {(one.text_sha, one.version): one.value for one in session.exec(select(TextMeasure))}
    assert len(found) == 1201 and found[f"{0:064}", "1"] == 9.0 and found[f"{2:064}", "1"] is None
    assert found[f"{1:064}", "1"] == found[f"{1:064}", "2"] == 1.0 and job.facts["figures"] == 3


def test_every_kind_that_leaves_rows_about_a_round_has_its_handler() -> None:
    assert {"rounds-judge", "measure"} <= set(HANDLERS) and Ended({}).rows == []
