"""What people ask of the queue. No worker runs here unless a test says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobs.queue import cancel_study, ensure_engine, queue_demo_study, request_cancel, rerun, retry, submit
from jobs.references import resolve_models
from jobs.starting import write_order
from lab.core.errors import LabError, SpecError
from storage.database import Store
from storage.queries.endpoints import EndpointPlan, add_endpoint
from storage.queries.jobs import list_jobs, needs
from storage.queries.studies import study_state
from storage.tables import Job
from tests.jobs.conftest import ended, now_of, worker_thread


def test_all_faults_of_a_spec_are_reported_together_and_nothing_is_stored(store: Store) -> None:
    with pytest.raises(SpecError) as caught:
        submit(store, "echo", {"steps": 0, "pause_s": -1, "texd": "x"})
    assert {fault.field for fault in caught.value.faults} == {"steps", "pause_s", "texd"}
    assert "Did you mean 'text'?" in str(caught.value)
    with store.read() as session:
        assert list_jobs(session) == ([], 0)


def test_an_unknown_kind_names_the_nearest(store: Store) -> None:
    with pytest.raises(LabError, match="Did you mean 'echo'"):
        submit(store, "ecco", {})


def test_a_reference_to_no_job_is_a_fault_of_its_field(store: Store) -> None:
    with pytest.raises(SpecError, match="model: there is no 'job:nowhere'"):
        submit(store, "uses", {"model": "job:nowhere"})


def test_a_remote_model_has_to_be_an_endpoint_and_goes_with_the_job_without_a_key(store: Store) -> None:
    with pytest.raises(SpecError, match="model: there is no endpoint 'big'"):
        submit(store, "benchmark", {"model": "remote:big", "benchmark": "demo-medical"})
    with store.write() as session:
        add_endpoint(session, EndpointPlan("big", "http://host/v1", "qwen", key_env="BIG_KEY"))
    with pytest.raises(SpecError, match="models.1: there is no endpoint 'bug'. Did you mean 'big'"):
        submit(store, "answers", {"name": "b", "models": ["remote:big", "remote:bug"], "benchmark": "demo-medical"})
    job = submit(store, "benchmark", {"model": "remote:big", "benchmark": "demo-medical"}).jobs[0]
    with store.read() as session:
        assert needs(session, job.id) == []
    order = json.loads(write_order(store, job).job_json.read_text())
    source = order["models"]["remote:big"]
    assert (source["kind"], source["url"], source["remote_model"], source["key_env"], source["folder"]) == (
        "remote", "http://host/v1", "qwen", "BIG_KEY", None)


def test_cancelling_a_queued_job_needs_no_worker_and_retry_queues_the_same_row(store: Store) -> None:
    job = submit(store, "echo", {}).jobs[0]
    assert request_cancel(store, job.id).state == "cancelled"
    again = retry(store, job.id)
    assert again.id == job.id and again.state == "queued" and again.reason is None
    with pytest.raises(LabError, match="only a failed or cancelled job"):
        retry(store, job.id)


def test_retry_brings_back_what_was_needed_and_what_was_cancelled_with_it(store: Store, monkeypatch) -> None:
    monkeypatch.setattr("jobs.references.TRAINING_KINDS", ("fail",))
    first = submit(store, "fail", {}).jobs[0]
    second = submit(store, "uses", {"model": f"job:{first.uid}"}).jobs[0]
    with store.read() as session:
        assert [job.id for job in needs(session, second.id)] == [first.id]
    with worker_thread(store):
        ended(store, second)
    retry(store, second.id)
    assert [now_of(store, job).state for job in (first, second)] == ["queued", "queued"]


def test_rerun_is_a_child_with_the_same_spec_and_says_what_differs(store: Store) -> None:
    job = submit(store, "echo", {"text": "x"}).jobs[0]
    with worker_thread(store):
        ended(store, job)
    with store.write() as session:
        row = session.get_one(Job, job.id)
        row.provenance = {**row.provenance, "packages": {**row.provenance["packages"], "torch": "1.0"}}
        session.add(row)
    child, differences = rerun(store, job.id)
    assert child.parent_id == job.id and child.spec == job.spec and child.spec_sha == job.spec_sha
    assert [line for line in differences if "torch: was 1.0" in line]


def test_one_engine_a_base_is_queued_and_found_again(store: Store, base: str) -> None:
    first = ensure_engine(store, base)
    assert ensure_engine(store, base).id == first.id and first.lane == "chat"
    request_cancel(store, first.id)
    assert ensure_engine(store, base).id != first.id


def test_a_study_becomes_its_jobs_in_one_transaction_with_uids_in_the_places_of_keys(store: Store, base: str) -> None:
    submitted = submit(store, "study", {
        "name": "pair", "bases": [base], "datasets": ["demo-medical"], "benchmarks": ["demo-medical"],
    }, demo=True)
    by_kind: dict[str, list[Job]] = {}
    for job in submitted.jobs:
        by_kind.setdefault(job.kind, []).append(job)
    assert {kind: len(jobs) for kind, jobs in by_kind.items()} == {"sft": 2, "benchmark": 3, "answers": 1}
    assert submitted.study.demo and {job.study_id for job in submitted.jobs} == {submitted.study.id}
    uids = [f"job:{job.uid}" for job in by_kind["sft"]]
    assert [job.spec["model"] for job in by_kind["benchmark"]] == [base, *uids]
    assert by_kind["answers"][0].spec["models"] == uids
    with store.read() as session:
        assert [job.id for job in needs(session, by_kind["answers"][0].id)] == [job.id for job in by_kind["sft"]]
        state = study_state(session, submitted.study.id)
    assert (state["state"], state["progress"], state["n_jobs"], state["eta_s"]) == ("queued", 0, 6, None)
    assert len(cancel_study(store, submitted.study.id)) == 6
    with store.read() as session:
        assert study_state(session, submitted.study.id)["state"] == "cancelled"


def test_a_study_with_faults_names_them_all_with_near_misses(store: Store, base: str) -> None:
    with pytest.raises(SpecError) as caught:
        submit(store, "study", {
            "name": "x", "bases": ["tiny-lama"], "datasets": ["demo-medcal"], "training": {"learning_rate": -1},
        })
    text = str(caught.value)
    assert "Did you mean 'tiny-llama'" in text and "Did you mean 'demo-medical'" in text and "learning_rate" in text


def test_an_own_file_is_read_before_anything_is_queued_and_found_from_any_folder(
    store: Store, base: str, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    values = {"base": base, "dataset": "mine.jsonl", "target": "answer"}
    for text, words in (("", "is empty"), ('{"question": "a", "answer": "b"}\n{oops\n', "line 2")):
        Path("mine.jsonl").write_text(text)
        with pytest.raises(SpecError, match=words):
            submit(store, "sft", values)
    Path("mine.jsonl").write_text('{"question": "a", "answer": "b"}\n')
    job = submit(store, "sft", values).jobs[0]
    assert job.spec["dataset"] == str(tmp_path / "mine.jsonl") and job.spec_given["dataset"] == "mine.jsonl"


def test_the_demo_study_is_queued_on_an_empty_store_only(store: Store, base: str, tmp_path: Path, monkeypatch) -> None:
    recipe = tmp_path / "study.yaml"
    recipe.write_text(f"kind: study\nname: demo\nbases: [{base}]\ndatasets: [demo-medical]\n")
    monkeypatch.setattr("jobs.queue.DEMO_STUDY", recipe)
    assert queue_demo_study(store).study.name == "demo"
    assert queue_demo_study(store) is None


def test_a_base_resolves_to_itself_and_a_job_without_a_variant_does_not(store: Store) -> None:
    from tests.jobs.fake_tasks import UsesSpec

    job = submit(store, "echo", {}).jobs[0]
    with store.read() as session, pytest.raises(LabError, match="has left no variant"):
        resolve_models(session, store.home, UsesSpec(model=f"job:{job.uid}"))
