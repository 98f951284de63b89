"""What results become in the store, with the files that real tasks leave."""

from __future__ import annotations

import json

from sqlmodel import select

from jobs.endings import Left, Outcome, end_attempt
from jobs.queue import submit
from jobs.references import resolve_models
from jobs.results import read_ended
from lab.benchmarks.specs import BenchmarkSpec
from storage.database import Store
from storage.queries.benchmarks import correct_by_item, latest_runs, list_runs, paired_samples, samples
from storage.queries.endpoints import EndpointPlan, add_endpoint
from storage.queries.jobs import get_job
from storage.queries.studies import get_variant, list_variants, model_source
from storage.tables import Answer, AnswerBank, Job

TRAINED = {"weights": "adapter", "n_rows": 10, "n_dropped": 1, "n_tokens": 900, "final_loss": 0.5, "seconds": 3.0}
RUN = {
    "benchmark": "demo-medical", "version": "1", "n": 1, "n_correct": 0, "accuracy": 0.5, "ci_low": 0.1, "ci_high": 0.9,
    "n_unparsed": 0, "n_truncated": 0, "mean_tokens": 3, "seconds": 1, "run_key": "k", "settings": {},
}
GENERATED = {
    "raw_text": "<think>2+2</think>4", "think_state": "closed", "finish_reason": "eos", "subject": "sums",
    "question": "2+2?", "gold": "4",
}


def _finish(store: Store, job: Job, result: dict, rows: list[dict] | None = None, name: str = "") -> None:
    """As the worker does it, without a process."""
    folder = store.home.job(job.uid)
    folder.prepare()
    folder.result.write_text(json.dumps(result))
    if rows is not None:
        (folder.artifacts / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    ended = read_ended(folder, job.kind)
    with store.write() as session:
        end_attempt(session, session.get_one(Job, job.id), Outcome("succeeded"), ended, Left())


def _train(store: Store, base: str, target: str = "trace") -> Job:
    values = {"base": base, "dataset": "demo-medical", "target": target, "name": target}
    job = submit(store, "sft", values).jobs[0]
    _finish(store, job, TRAINED)
    return job


def _sample(item: str, correct: bool) -> dict:
    return {
        **GENERATED, "item_id": item, "epoch": 0, "think_text": "2+2", "final_text": "4", "n_prompt_tokens": 3,
        "n_think_tokens": 2, "n_answer_tokens": 1, "parsed": "4", "rule": "exact", "correct": correct, "seconds": 0.1,
    }


def _benchmark(store: Store, ref: str, verdicts: list[bool]) -> Job:
    job = submit(store, "benchmark", {"model": ref, "benchmark": "demo-medical"}).jobs[0]
    with store.read() as session:
        model = resolve_models(session, store.home, BenchmarkSpec.model_validate(job.spec))[ref]
    result = {**RUN, "n": len(verdicts), "n_correct": sum(verdicts), "model": model.model_dump()}
    _finish(store, job, result, [_sample(f"q{i}", ok) for i, ok in enumerate(verdicts)], "samples.jsonl")
    return job


def test_a_training_job_leaves_a_variant_whose_name_is_unique(store: Store, base: str) -> None:
    for _ in range(3):
        _train(store, base)
    with store.read() as session:
        variants, total = list_variants(session)
        assert get_variant(session, "variant:trace-2").name == "trace-2"
    assert total == 3 and {variant.name for variant in variants} == {"trace", "trace-2", "trace-3"}
    assert not variants[0].folder.startswith("/")  # LAB_HOME can be moved


def test_a_reference_to_a_variant_or_its_job_finds_the_same_folder(store: Store, base: str) -> None:
    job = _train(store, base)
    with store.read() as session:
        by_job = resolve_models(session, store.home, BenchmarkSpec(model=f"job:{job.uid}", benchmark="demo-medical"))
        by_name = resolve_models(session, store.home, BenchmarkSpec(model="variant:trace", benchmark="demo-medical"))
    source = by_job[f"job:{job.uid}"]
    assert source.folder == by_name["variant:trace"].folder == str(store.home.job(job.uid).artifacts)
    assert (source.label, source.arm, source.kind, source.base) == ("trace", "trace", "adapter", base)


def test_a_benchmark_leaves_its_run_and_samples_and_runs_pair_by_question(store: Store, base: str) -> None:
    variant = _train(store, base)
    _benchmark(store, base, [True, False, False])
    _benchmark(store, f"job:{variant.uid}", [True, True, False])
    with store.read() as session:
        first, second = latest_runs(session)
        assert (first.model_label, first.arm, first.variant_id) == (base, "base", None)
        assert (second.model_label, second.arm) == ("trace", "trace") and second.variant_id is not None
        pairs, total = paired_samples(session, first.id, second.id, only="differ")
        assert total == 1 and pairs[0].item_id == "q1" and (pairs[0].a.correct, pairs[0].b.correct) == (False, True)
        assert samples(session, second.id, only="wrong")[1] == 1
        assert correct_by_item(session, second.id) == {("q0", 0): True, ("q1", 0): True, ("q2", 0): False}


def test_what_a_sample_was_adapted_to_is_kept_and_rows_of_other_versions_are_read(store: Store, base: str) -> None:
    adaptation = {"mode": "nearest", "neighbours": [{"id": "d7", "dataset": "demo", "similarity": 0.5}],
                  "loss_before": 2.0, "loss_after": 1.0}
    job = _benchmark(store, base, [True])
    run = {**json.loads(store.home.job(job.uid).result.read_text())}
    again = submit(store, "benchmark", {"model": base, "benchmark": "demo-medical"}).jobs[0]
    newer = {"n_waits": 2, "adaptation": adaptation, "of_a_newer_program": 1}
    rows = [_sample("q0", True) | newer, _sample("q1", True)]
    _finish(store, again, run, rows, "samples.jsonl")
    with store.read() as session:
        newest = latest_runs(session)[-1]
        found = samples(session, newest.id)[0]
    assert [(one.n_waits, one.adaptation) for one in found] == [(2, adaptation), (0, None)]


def test_a_remote_model_is_measured_like_a_base(store: Store, base: str) -> None:
    with store.write() as session:
        add_endpoint(session, EndpointPlan("big", "http://host/v1", "qwen"))
    _benchmark(store, "remote:big", [True, False])
    with store.read() as session:
        (run,) = latest_runs(session)
    assert (run.model_label, run.base, run.arm, run.variant_id) == ("big", "big", "base", None)


def test_an_answers_job_leaves_a_bank_with_its_answers(store: Store, base: str) -> None:
    variant = _train(store, base)
    refs = [base, f"job:{variant.uid}"]
    job = submit(store, "answers", {"name": "bank", "models": refs, "benchmark": "demo-medical"}).jobs[0]
    rows = [
        {**GENERATED, "item_id": "q0", "model_ref": ref, "model_label": ref, "arm": "base", "base": base,
         "shown_text": "4", "n_tokens": 3, "sha256": "0"}
        for ref in refs
    ]
    _finish(store, job, {"n_questions": 1, "models": [], "settings": {"seed": 0}}, rows, "answers.jsonl")
    with store.read() as session:
        assert session.exec(select(AnswerBank)).one().name == "bank"
        assert [answer.variant_id is None for answer in session.exec(select(Answer))] == [True, False]


def test_a_suite_leaves_a_run_for_each_part_with_its_own_rows(store: Store, base: str) -> None:
    variant = _train(store, base)
    refs = [base, f"job:{variant.uid}"]
    job = submit(store, "suite", {"models": refs, "benchmarks": ["demo-medical"], "budgets": [8]}).jobs[0]
    assert job.name == "2 models on demo-medical"
    runs, rows = [], []
    for ref, right in zip(refs, (False, True), strict=True):
        with store.read() as session:
            source = resolve_models(session, store.home, BenchmarkSpec(model=ref, benchmark="demo-medical"))[ref]
        for part, figures in ((f"demo-medical on {source.label}", {"prompts": ["long"]}),
                              (f"demo-medical on {source.label}: cut 8", {"curve": {"way": "cut", "budget": 8}})):
            runs.append({**RUN, "part": part, "model": source.model_dump(), "figures": figures, "scorer": "strict"})
            rows.append({**_sample("q0", right), "part": part})
    _finish(store, job, {"runs": runs, "seconds": 1.0}, rows, "samples.jsonl")
    with store.read() as session:
        found, n = list_runs(session, curves=True)
        assert n == 4 and {run.part: samples(session, run.id)[0][0].correct for run in found} == {
            row["part"]: row["correct"] for row in rows}
        assert {run.arm for run in latest_runs(session)} == {"base", "trace"}  # the whole runs, not the curve's points
        kept = get_job(session, job.id).result
    assert [run["part"] for run in kept["runs"]] == [run["part"] for run in runs] and "long" not in json.dumps(kept)


def test_a_model_is_told_what_every_stage_of_it_was_trained_on(store: Store, base: str) -> None:
    _train(store, base)
    _train(store, base)
    with store.write() as session:
        later = get_variant(session, "variant:trace-2")
        later.start, later.dataset, later.kind = "variant:trace", "demo-pairs", "dpo"
        session.add(later)
    with store.read() as session:
        source = model_source(session, store.home, "variant:trace-2")
    assert source.trained_on == ("demo-medical", "pairs:demo-pairs")


def test_a_bank_of_a_dataset_or_of_prompts_says_so_and_keeps_the_thinking(store: Store, base: str) -> None:
    row = {**GENERATED, "item_id": "q0", "model_ref": base, "model_label": base, "arm": "base", "base": base,
           "shown_text": "4", "n_tokens": 3, "sha256": "0", "think_text": "2+2", "part": "held out"}
    models = [base, "remote:big"]
    with store.write() as session:
        add_endpoint(session, EndpointPlan("big", "http://host/v1", "qwen"))
    for asked in ({"dataset": "demo-medical"}, {"prompts": ["Why?", "How?"]}):
        job = submit(store, "answers", {"name": "bank", "models": models, **asked}).jobs[0]
        _finish(store, job, {"n_questions": 1, "models": [], "settings": {"parts": {"held out": 1}}}, [row],
                "answers.jsonl")
    with store.read() as session:
        banks = session.exec(select(AnswerBank).order_by(AnswerBank.id)).all()
        assert [bank.benchmark for bank in banks] == ["demo-medical", "prompts"]
        assert banks[0].settings == {"parts": {"held out": 1}}
        assert {answer.think_text for answer in session.exec(select(Answer))} == {"2+2"}
