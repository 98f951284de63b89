"""Stages of a curriculum are compared with what they went on from; arms only with arms of the same stage."""

from __future__ import annotations

import json

from lab.reports.build import build_report
from lab.reports.tables import report_csv, report_json, report_markdown
from tests.reports.made_runs import made_run


def questions(report) -> set[tuple[str, str, str]]:
    return {(d.question, d.first.model, d.second.model) for d in report.differences}


def test_a_stage_is_compared_with_the_model_it_went_on_from_and_with_the_base():
    base = made_run("base", "0" * 100, model="demo-llama")
    first = made_run("trace", "1" * 40 + "0" * 60, model="general")
    second = made_run("trace", "1" * 80 + "0" * 20, model="medical", start="general", n_stages=2)
    report = build_report("c", [second, base, first])
    assert questions(report) == {
        ("stage − start", "medical", "general"), ("arm − base", "general", "demo-llama"),
        ("arm − base", "medical", "demo-llama"),
    }
    told = next(v for v in report.verdicts)
    assert told.outcome == "better" and told.difference == 0.4
    assert told.sentence.startswith("After sft, medical is 40.0 points better than general, which it went on from")


def test_arms_of_different_methods_or_depths_are_no_pair():
    sft = [made_run(arm, "1" * 50 + "0" * 50, model=f"sft-{arm}") for arm in ("trace", "answer")]
    ppo = [made_run(arm, "1" * 60 + "0" * 40, model=f"ppo-{arm}", method="ppo", start=f"sft-{arm}", n_stages=2)
           for arm in ("trace", "answer")]
    pairs = {(first, second) for question, first, second in questions(build_report("c", [*sft, *ppo]))
             if question == "trace − answer"}
    assert pairs == {("sft-trace", "sft-answer"), ("ppo-trace", "ppo-answer")}


def test_controls_are_compared_with_the_trace_and_have_no_verdict_of_their_own():
    report = build_report("c", [made_run(arm, "10" * 50) for arm in ("trace", "answer", "steps", "shuffled", "wrong")])
    asked = [d.question for d in report.differences]
    assert asked.count("trace − other") == 3 and asked.count("trace − answer") == 1 and len(report.verdicts) == 1


def test_a_model_that_failed_its_health_check_is_named_in_every_file():
    runs = [made_run("trace", "1" * 50, model="sick"), made_run("answer", "1" * 50, model="well")]
    report = build_report("c", runs, health={"sick": ["9 of 16 answers never end"], "well": []})
    assert report.health == {"sick": ("9 of 16 answers never end",)}
    assert "- sick: 9 of 16 answers never end" in report_markdown(report)
    assert report_csv(report).count("9 of 16 answers never end") == 1
    assert json.loads(report_json(report))["health"] == {"sick": ["9 of 16 answers never end"]}
