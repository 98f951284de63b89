"""From a store to an export: what is gathered, and the command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobs.cli.commands import main
from jobs.exporting import gather, public
from lab.core.errors import LabError
from lab.export.order import Wanted
from storage.database import Store
from storage.tables import BenchmarkRun, BenchmarkSample, Job, Variant
from tests.energy.readings import reading
from tests.export.conftest import Trained, tiny, tiny_registered, trained

__all__ = ["tiny", "tiny_registered", "trained"]


def _seed(store: Store, trained: Trained) -> None:
    """A first stage on preferences and the variant that went on from it, benchmarked like its base."""
    energy, stages = {"kwh": 1.0}, (("first", "dpo", "demo-pairs"), ("m.trace", "sft", "demo-medical"))
    with store.write() as session:
        for number, (name, kind, data) in enumerate(stages):
            named = {"pairs": data} if kind == "dpo" else {"dataset": data}
            session.add(job := Job(uid=f"job{number}", kind=kind, name=name, energy=energy if number else None,
                                   spec={"base": "tiny", **named, "seed": 3}, folder=f"jobs/job{number}",
                                   provenance={"code": {"revision": "abc"}}))
            session.flush()
            session.add(Variant(
                name=name, job_id=job.id, base="tiny", dataset=data, target="trace", kind=kind, method="lora", seed=3,
                folder=trained.source.folder, n_rows=90, n_dropped=6, thinking_style="tags",
                template_sha=trained.source.template_sha, start="variant:first" if number else "",
            ))
        session.flush()
        _benchmarked(session, "m.trace", 2, right=8)
        _benchmarked(session, "tiny", None, right=2)


def _benchmarked(session, label: str, variant_id: int | None, right: int) -> None:
    session.add(job := Job(uid=f"bench-{label}"[:12], kind="benchmark", name=label))
    session.flush()
    run = BenchmarkRun(
        job_id=job.id, benchmark="demo-medical", benchmark_version="2", run_key="k", model_label=label, base="tiny",
        variant_id=variant_id, arm="trace" if variant_id else "base", n=10, n_correct=right, accuracy=right / 10,
        ci_low=0.1, ci_high=0.9, settings={"max_new_tokens": 64, "temperature": 0.0, "seed": 0},
    )
    session.add(run)
    session.flush()
    session.add_all(BenchmarkSample(
        run_id=run.id, item_id=str(item), question="1?", gold="1", parsed="1", rule="", correct=item < right,
        finish_reason="eos", raw_text="1", think_text="", final_text="1", think_state="none", n_prompt_tokens=1,
        n_think_tokens=0, n_answer_tokens=1, seconds=0.1,
    ) for item in range(10))


def test_data_of_every_stage_results_and_the_paired_difference_are_gathered(store: Store, trained: Trained) -> None:
    _seed(store, trained)
    facts = gather(store, "variant:m.trace", Wanted(Path("out"))).facts
    assert [(stage.name, stage.kind, stage.data[0].name) for stage in facts.stages] == [
        ("first", "dpo", "demo-pairs"), ("m.trace", "sft", "demo-medical")]
    assert {data.license for data in facts.data} == {"apache-2.0"} and facts.last.energy == {"kwh": 1.0}
    assert (facts.results[0].benchmark, facts.results[0].accuracy) == ("demo-medical", 0.8)
    assert facts.against[0].difference == pytest.approx(0.6) and facts.against[0].n == 10
    assert facts.style == "tags" and facts.template_sha == trained.source.template_sha and facts.job == "job1"


def test_data_that_is_gone_leaves_the_licence_open(store: Store, trained: Trained) -> None:
    _seed(store, trained)
    with store.write() as session:
        variant = session.get_one(Variant, 2)
        variant.dataset = "/nowhere/mine.jsonl + demo-general"
        session.add(variant)
    data = gather(store, "m.trace", Wanted(Path("out"))).facts.last.data
    assert data[0].name == "mine" and "not on this machine" in data[0].license and data[1].license == "apache-2.0"


def test_a_specs_paths_do_not_leave_the_machine() -> None:
    spec = {"base": "/models/My Base", "dataset": "s1k-1.1@/data/s1K + m1k", "start": "variant:a/b", "lora_r": 8}
    assert public(spec) == {"base": "My Base", "dataset": "s1k-1.1+m1k", "start": "variant:a/b", "lora_r": 8}
    assert public({"dataset": "hub:org/name@main"}) == {"dataset": "hub:org/name@main"}


def test_the_command_writes_the_folder_and_says_where(store: Store, trained: Trained, tmp_path: Path, capsys) -> None:
    _seed(store, trained)
    with store.write() as session:
        job = session.get_one(Job, 2)
        from lab.energy.account import Place, account
        from tests.energy.readings import KNOWN
        job.energy = account([reading()], KNOWN, Place("CHE"))
        session.add(job)
    assert main(["export", "m.trace", str(tmp_path / "out"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["kind"] == "adapter" and told["url"] is None and Path(told["folder"]) == tmp_path / "out"
    card = (tmp_path / "out" / "README.md").read_text()
    for words in ("+60.0 points", "0.24 kWh", "### Stage 1: first", "- first: not metered"):
        assert words in card


def test_a_wrong_name_a_full_folder_and_private_without_push_are_sentences(
    store: Store, trained: Trained, tmp_path: Path, capsys
) -> None:
    _seed(store, trained)
    with pytest.raises(LabError, match="Did you mean 'm.trace'"):
        gather(store, "m.trase", Wanted(tmp_path / "out"))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("x")
    assert main(["export", "m.trace", str(tmp_path / "full")]) == 2 and "not empty" in capsys.readouterr().err
    assert main(["export", "m.trace", str(tmp_path / "out"), "--private"]) == 2
    assert "--push" in capsys.readouterr().err and not (tmp_path / "out").exists()
