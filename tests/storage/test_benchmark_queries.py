"""Which runs are a model's newest: one for each way of asking, on both databases; and what filters the samples."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import select

from lab.reports.asked import asked_words
from storage.database import Store
from storage.queries.benchmarks import asked_plainly, latest_runs, samples
from storage.queries.reports import study_report
from storage.tables import BenchmarkRun, BenchmarkSample, Job, Study

NEAREST = {"adapt": "nearest", "adapt_dataset": "d", "adapt_steps": 1, "adapt_learning_rate": 0.001}
PLAIN_NOW = {"adapt": "none", "min_think_tokens": 0, "max_think_tokens": -1, "answer_prefix": ""}


def _run(store: Store, settings: dict[str, Any], label: str = "m", **job: Any) -> int:
    with store.write() as session:
        number = len(latest_runs(session)) + session.query(BenchmarkRun).count()
        session.add(row := Job(uid=f"{label}{number}"[:12], kind="benchmark", name="x", **job))
        session.flush()
        session.add(run := BenchmarkRun(
            job_id=row.id, study_id=job.get("study_id"), benchmark="b", benchmark_version="1", run_key="k",
            model_label=label, base="base", settings=settings))
        session.flush()
        return run.id


def _latest(store: Store) -> list[int]:
    with store.read() as session:
        return [run.id for run in latest_runs(session)]


@pytest.mark.parametrize("other", [
    NEAREST, {"max_think_tokens": 64}, {"min_think_tokens": 8}, {"max_think_tokens": 64, "answer_prefix": "Final:"},
])
def test_a_run_asked_in_another_way_does_not_replace_the_plain_one(store: Store, other: dict[str, Any]) -> None:
    plain, special = _run(store, {"max_new_tokens": 64}), _run(store, {"max_new_tokens": 64, **other})
    assert _latest(store) == [plain, special]


@pytest.mark.parametrize("change", [
    {"adapt": "random"}, {"adapt_dataset": "e"}, {"adapt_steps": 5}, {"adapt_learning_rate": 0.005},
    {"adapt_scope": "full"}, {"adapt_neighbours": 3}, {"adapt_embedder": "x"}, {"max_think_tokens": 64},
])
def test_runs_that_differ_in_any_setting_of_the_mode_are_both_the_newest(store: Store, change: dict[str, Any]) -> None:
    assert len({_run(store, NEAREST), _run(store, NEAREST | change)}) == len(_latest(store)) == 2


def test_the_newest_of_runs_asked_alike_is_shown_and_old_rows_without_the_settings_are_plain(store: Store) -> None:
    for settings in ({}, {"max_new_tokens": 64, "adapt": None}, NEAREST):
        _run(store, settings)
    newest = [_run(store, PLAIN_NOW), _run(store, NEAREST | {"adapt_scope": "lora", "adapt_neighbours": 1})]
    assert _latest(store) == newest


def test_plain_runs_can_be_asked_for_alone(store: Store) -> None:
    plain = [_run(store, settings) for settings in ({}, PLAIN_NOW, {"answer_prefix": "Final:", "adapt_steps": 5})]
    for settings in (NEAREST, {"max_think_tokens": 0}, {"min_think_tokens": 8}):
        _run(store, settings)
    with store.read() as session:
        assert [run.id for run in session.exec(select(BenchmarkRun).where(asked_plainly()))] == plain


def test_models_and_benchmarks_are_still_apart(store: Store) -> None:
    runs = [_run(store, NEAREST, "a"), _run(store, NEAREST, "b")]
    assert _latest(store) == runs


def test_a_study_waits_for_each_way_of_asking_and_names_it(store: Store) -> None:
    with store.write() as session:
        session.add(Study(id=1, name="s"))
    for mode, state in (("none", "succeeded"), ("nearest", "running"), ("random", "queued")):
        how = f", adapted: {mode}" if mode == "nearest" else ""  # a job submitted alone does not say it in its name
        with store.write() as session:
            session.add(Job(uid=mode, kind="benchmark", name=f"b on m{how}", state=state, study_id=1, spec_sha=mode,
                            spec={"model": "m", "benchmark": "b", "adapt": mode, "adapt_dataset": "d"}))
    with store.read() as session:
        found = study_report(session, 1).pending
    assert [(each.model, each.state) for each in found] == [
        ("m, adapted: nearest", "running"), ("m, adapted: random", "queued")]
    assert asked_words({"adapt": "random"}) in found[1].model


def test_forced_thoughts_and_those_sent_back_can_be_asked_for(store: Store) -> None:
    run = _run(store, {"max_think_tokens": 64})
    with store.write() as session:
        session.add_all(BenchmarkSample(
            run_id=run, item_id=item, question="?", gold="1", raw_text="", think_text="", final_text="",
            think_state=state, finish_reason="eos", n_prompt_tokens=1, n_think_tokens=1, n_answer_tokens=1, rule="",
            correct=True, seconds=0, n_waits=waits) for item, state, waits in (
                ("plain", "closed", 0), ("forced", "forced", 0), ("back", "closed", 2)))
    with store.read() as session:
        assert [row.item_id for row in samples(session, run, "forced")[0]] == ["forced"]
        assert [row.item_id for row in samples(session, run, "sent_back")[0]] == ["back"]
