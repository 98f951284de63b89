"""Preflight of whole recipes: what arms share, what leaks from a benchmark, what it costs, and how that is said."""

from __future__ import annotations

import json

import pytest

from lab.bases.cards import bases
from lab.benchmarks.benchmark import Benchmark, benchmarks
from lab.benchmarks.specs import BenchmarkSpec
from lab.core.spec import load_spec
from lab.core.types import Example
from lab.data.dataset import datasets
from lab.energy.tables import Known
from lab.studies import estimates
from lab.studies.curriculum import CurriculumSpec
from lab.studies.estimates import Device
from lab.studies.preflight import preflight
from lab.studies.preflight_words import amount, facts, grouped, minutes_words, total
from lab.studies.preview import preview
from lab.studies.spec import StudySpec
from lab.training.rl_specs import PpoSpec
from lab.training.specs import SftSpec
from tests.training.tiny import data, sums


@pytest.fixture(autouse=True)
def asked_once(monkeypatch):
    """Figures of the right size, without starting codecarbon."""
    def look_up(cpu_models, memory_gib, country):
        return Known({}, 4.0, {round(gib, 1): 5.0 for gib in memory_gib}, None, None, None, 475.0, 40.0, 750.0)

    monkeypatch.setattr(estimates.tables, "look_up", look_up)
    for name in ("LAB_COUNTRY", "LAB_GRID_G_PER_KWH", "LAB_PUE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def exam(tiny, monkeypatch):
    """Benchmark 'exam': ten questions, of which `leaked` are among the training rows."""
    def add(leaked: int):
        new = [Example(id=f"q{i}", question=f"What is {i} minus 1?", answer=f"Answer: {i - 1}", gold=str(i - 1))
               for i in range(10 - leaked)]
        card = Benchmark("exam", "exam", "1", "", "", "none", lambda: [*sums(leaked), *new])
        monkeypatch.setitem(benchmarks(), "exam", card)

    return add


def study(**values) -> StudySpec:
    training = {"batch_size": 16, "micro_batch_size": 16, "epochs": 2, **values.pop("training", {})}
    return load_spec(StudySpec, {"name": "s", "bases": ["tiny"], "datasets": ["sums"], "training": training, **values})


def test_arms_of_a_pair_are_said_to_share_their_rows_and_to_differ_in_tokens(tiny):
    report = preflight(study())
    assert report.verdict == "ok" and [arm.arm for arm in report.arms] == ["trace", "answer"]
    trace, answer = (arm.estimate for arm in report.arms)
    assert trace.n_steps == answer.n_steps == 12 and trace.n_tokens_seen == 2 * trace.n_tokens
    assert report.findings[0].level == "note"
    assert "trace, answer train on the same 96 rows; steps 12 each" in report.findings[0].sentence
    assert f"{trace.n_tokens_seen:,} (trace), {answer.n_tokens_seen:,} (answer)" in report.findings[0].sentence


def test_counts_steps_and_memory_are_those_of_the_preview(tiny):
    spec = study(datasets=["sums", "long"], training={"max_length": 128})
    for arm, row in zip(preflight(spec).arms, preview(spec), strict=True):
        assert arm.label == row.variant
        found = arm.estimate
        assert (found.n_rows, found.n_dropped, found.n_tokens, found.n_steps, found.memory_mib) == (
            row.n_rows, row.n_dropped, row.n_tokens, row.n_steps, row.memory_mib)
        assert found.minutes[0] < row.minutes < found.minutes[1]


def test_arms_matched_by_tokens_read_as_many_tokens(tiny):
    report = preflight(study(training={"match": "tokens", "epochs": 10}))
    trace, answer = (arm.estimate.n_tokens_seen for arm in report.arms)
    assert answer == pytest.approx(trace, rel=0.01)
    steps = [arm.estimate.n_steps for arm in report.arms]
    assert steps[1] > 1.2 * steps[0]


def test_arms_on_different_rows_are_refused(tiny, monkeypatch):
    rows = [row.model_copy(update={"trace": None}) if place < 3 else row for place, row in enumerate(sums(40))]
    monkeypatch.setitem(datasets(), "holes", data("holes", rows))
    report = preflight(study(datasets=["holes"]))
    assert report.verdict == "refused"
    assert "arms trace and answer do not train on the same rows (37 and 40)" in report.findings[0].sentence
    assert set(report.findings[0].rows) == {"sum-0", "sum-1", "sum-2"}


def test_a_leak_from_a_benchmark_is_found_once_for_all_arms(exam):
    exam(2)
    report = preflight(study(benchmarks=["exam"], n_bank_questions=0))
    leaks = [(finding, labels) for finding, labels in grouped(report) if finding.topic == "leak"]
    assert len(leaks) == 1 and len(leaks[0][1]) == 2 and leaks[0][0].level == "refused"
    assert "2 of 10 questions of benchmark 'exam'" in leaks[0][0].sentence
    exam(0)
    assert preflight(study(benchmarks=["exam"], n_bank_questions=0)).verdict == "ok"


def test_a_single_job_a_curriculum_and_a_benchmark_are_looked_at_too(exam):
    exam(0)
    one = preflight(load_spec(SftSpec, {"base": "tiny", "dataset": "sums", "target": "trace"}))
    assert one.name == "tiny_sums_trace_s0" and len(one.arms) == 1 and one.arms[0].estimate.n_steps == 12
    stages = [{"name": "first", "settings": {"dataset": "sums", "target": "answer"}},
              {"name": "second", "settings": {"dataset": "sums", "target": "trace"}}]
    course = preflight(load_spec(CurriculumSpec, {"name": "c", "base": "tiny", "stages": stages}))
    assert [arm.label for arm in course.arms] == ["1. first", "2. second"] and course.verdict == "ok"
    assert "goes on from job:first" in course.arms[1].findings[0].sentence
    asked = preflight(load_spec(BenchmarkSpec, {"model": "tiny", "benchmark": "exam", "max_new_tokens": 500}))
    assert asked.arms[0].lengths.limit == 12 and asked.verdict == "refused"
    assert asked.arms[0].estimate is None


def test_the_whole_report_is_plain_json(tiny):
    record = preflight(study(), n_samples=1).as_dict()
    assert json.loads(json.dumps(record))["arms"][0]["samples"][0]["pieces"][0] == {
        "text": "<bos>", "part": "prompt", "learned": False, "n_tokens": 1}
    assert record["verdict"] == "ok" and record["arms"][0]["verdict"] == "ok"


# ---- what it costs


def test_minutes_come_from_finished_jobs_where_there_are_some(tiny):
    report = preflight(study(), speeds={("tiny", "trace"): 100.0})
    seconds = estimates.START_SECONDS + report.arms[0].estimate.n_tokens_seen / 100
    assert report.arms[0].estimate.minutes == pytest.approx((0.8 * seconds / 60, 1.25 * seconds / 60))
    assert "at 100 tokens a second, as finished jobs" in report.arms[0].estimate.assumptions[0]
    assert "a first guess" in report.arms[1].estimate.assumptions[0]


def test_a_cpu_jobs_energy_is_that_of_a_thread_and_its_memory(tiny):
    found = preflight(study(), speeds={("tiny", "trace"): 100.0}).arms[0].estimate
    hours = [minutes / 60 for minutes in found.minutes]
    # 4 W a thread, from a third to three times (lab.energy.account); memory adds a little.
    assert 4e-3 / 3 * hours[0] < found.kwh[0] < 1.5 * 4e-3 / 3 * hours[0]
    assert 4e-3 * 3 * hours[1] < found.kwh[1] < 1.5 * 4e-3 * 3 * hours[1]
    assert found.kg_co2 == pytest.approx((found.kwh[0] * 0.040, found.kwh[1] * 0.750))


def test_a_large_bases_time_is_arithmetic_on_an_assumed_gpu(tiny, monkeypatch):
    monkeypatch.setitem(bases(), "tiny", tiny.model_copy(update={"parameters": 8_000_000_000}))
    monkeypatch.setenv("LAB_GRID_G_PER_KWH", "50")
    monkeypatch.setenv("LAB_PUE", "1.5")
    spec = study(training={"method": "full", "gpus": 2, "micro_batch_size": 8})
    found = preflight(spec, on_gpu=True).arms[0].estimate
    device = Device()
    seconds = [10 + 6 * 8e9 * found.n_tokens_seen / (2 * device.flops * share) for share in (0.45, 0.20)]
    assert found.minutes == pytest.approx([each / 60 for each in seconds])
    assert found.kwh[1] == pytest.approx(1.4 * 2 * device.watts * seconds[1] / 3.6e6)
    assert found.kwh[0] == pytest.approx(2 * device.watts * 0.4 * seconds[0] / 3.6e6 / 1.4)
    assert found.kg_co2[1] == pytest.approx(found.kwh[1] * 1.5 * 0.050)
    assert any("2 × H100 SXM" in line for line in found.assumptions)
    lora = preflight(study(), on_gpu=True).arms[0].estimate
    assert (lora.minutes[1] * 60 - 10) == pytest.approx((seconds[1] - 10) * 2 * 4 / 6)


def test_reinforcement_learning_has_steps_and_a_bound_on_tokens_but_no_minutes(tiny):
    spec = load_spec(PpoSpec, {"base": "tiny", "dataset": "sums", "batch_size": 8, "micro_batch_size": 8,
                               "n_episodes": 80, "start": "variant:x", "max_new_tokens": 50})
    found = preflight(spec).arms[0].estimate
    assert found.n_steps == 10 and found.minutes is None and found.kwh is None
    assert 80 * 50 < found.n_tokens_seen < 80 * (50 + spec.max_prompt_tokens)


def test_a_machine_without_codecarbon_still_has_its_minutes(tiny, monkeypatch):
    def broken(*_):
        raise OSError("no such program")

    monkeypatch.setattr(estimates.tables, "look_up", broken)
    found = preflight(study()).arms[0].estimate
    assert found.minutes and found.kwh is None and found.assumptions[-1] == "energy is not known: no such program"


# ---- in words


def test_figures_are_said_in_the_unit_they_read_best_in():
    units = ("kWh", "Wh", "mWh")
    assert amount((0.5, 2.0), units) == "0.5 to 2 kWh" and amount((0.005, 0.02), units) == "5 to 20 Wh"
    assert amount((1e-6, 5e-5), units) == "1 to 50 mWh"
    assert minutes_words((0.5, 3)) == "0.5 to 3 minutes" and minutes_words((90, 300)) == "1.5 to 5 hours"


def test_the_facts_of_a_job_and_the_sums_of_a_recipe(tiny):
    report = preflight(study())
    found = dict(facts(report.arms[0]))
    assert found["rows"] == "96" and found["steps"] == "12" and "% of them learned" in found["tokens a pass"]
    assert dict(total(report))["steps"] == "24" and dict(total(report))["jobs"] == "2"
    assert total(preflight(load_spec(SftSpec, {"base": "tiny", "dataset": "sums", "target": "trace"}))) == []
