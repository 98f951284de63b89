"""Files that one job leaves for another: named in a spec by that job, a dependency, resolved when the job starts."""

from __future__ import annotations

import json

import pytest
from sqlmodel import select

from jobs.endings import Left, Outcome, end_attempt
from jobs.file_context import FileContext
from jobs.queue import submit
from jobs.references import resolve_files
from jobs.results import read_ended
from jobs.starting import write_order
from lab.core.errors import LabError, SpecError
from lab.core.types import Pair
from lab.training.preference_specs import DpoSpec
from storage.database import Store
from storage.tables import Job, JobDependency, Variant

PAIR = Pair(id="a", question="2+2?", chosen="Answer: 4", rejected="Answer: 5")


def _pairs_job(store: Store, base: str) -> Job:
    return submit(store, "pairs", {"model": base, "dataset": "demo-medical"}).jobs[0]


def _finish(store: Store, job: Job) -> None:
    """As the worker does it, without a process."""
    folder = store.home.job(job.uid)
    folder.prepare()
    (folder.artifacts / "pairs.jsonl").write_text(PAIR.model_dump_json() + "\n")
    folder.result.write_text(json.dumps({"n_pairs": 1}))
    with store.write() as session:
        row = session.get_one(Job, job.id)
        end_attempt(session, row, Outcome("succeeded"), read_ended(folder, job.kind), Left())


def _dpo(base: str, pairs: str) -> dict[str, str]:
    return {"base": base, "pairs": pairs}


def test_a_job_waits_for_the_job_whose_pairs_it_uses(store: Store, base: str) -> None:
    pairs = _pairs_job(store, base)
    job = submit(store, "dpo", _dpo(base, f"job:{pairs.uid}")).jobs[0]
    with store.read() as session:
        needed = session.exec(select(JobDependency.needs_id).where(JobDependency.job_id == job.id)).all()
    assert needed == [pairs.id]


def test_the_job_process_is_given_the_path_of_the_file(store: Store, base: str) -> None:
    pairs = _pairs_job(store, base)
    ref = f"job:{pairs.uid}"
    job = submit(store, "dpo", _dpo(base, ref)).jobs[0]
    with pytest.raises(LabError, match="has left no pairs.jsonl") as caught:
        write_order(store, job)
    assert caught.value.reason == "dependency"
    _finish(store, pairs)
    folder = write_order(store, job)
    order = json.loads(folder.job_json.read_text())
    context = FileContext(folder, {}, order["files"])
    assert Pair.model_validate_json(context.file(ref).read_text()) == PAIR
    with pytest.raises(LabError, match="was not resolved before the job started"):
        context.file("job:other")
    with store.read() as session:
        assert resolve_files(session, store.home, DpoSpec(base=base, pairs="demo-pairs")) == {}


def test_pairs_of_a_job_of_another_kind_or_of_no_job_are_refused(store: Store, base: str) -> None:
    other = submit(store, "sft", {"base": base, "dataset": "demo-medical", "target": "trace"}).jobs[0]
    with pytest.raises(SpecError, match=f"'job:{other.uid}' is a job of kind sft; pairs come from a job of kind pairs"):
        submit(store, "dpo", _dpo(base, f"job:{other.uid}"))
    with pytest.raises(SpecError, match="there is no 'job:000000000000'"):
        submit(store, "dpo", _dpo(base, "job:000000000000"))


def test_a_pairs_job_leaves_its_result_and_no_variant(store: Store, base: str) -> None:
    job = _pairs_job(store, base)
    _finish(store, job)
    with store.read() as session:
        assert session.get_one(Job, job.id).state == "succeeded"
        assert session.exec(select(Variant)).all() == []
