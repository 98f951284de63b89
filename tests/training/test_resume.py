"""A run that was stopped or killed and went on is the run that was not: the same weights, the same figures."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from lab.core.context import Stopped
from lab.data.dataset import datasets
from lab.training._inputs import weights_sha256
from lab.training._trl import train_sft
from lab.training.saves import Saves
from tests.training.attempts import attempt, spec
from tests.training.tiny import data, sums

SAME = ("n_tokens_seen", "n_steps", "n_rows", "n_tokens", "n_trainable", "inputs", "weights", "micro_batch_size")


def stopped(settings, context) -> str:
    with pytest.raises(Stopped) as caught:
        train_sft(settings, context)
    return str(caught.value)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_run_that_was_stopped_twice_ends_with_the_weights_of_one_that_was_not(tiny, tmp_path, method):
    settings = spec(method=method)
    whole = attempt(tmp_path / "whole")
    expected = train_sft(settings, whole)
    first = attempt(tmp_path / "cut", n_steps=2)  # mid-pass
    assert stopped(settings, first) == "stopped after step 2 of 8; checkpoint-2 is whole, and the job can go on from it"
    second = attempt(tmp_path / "cut", first, n_steps=4)  # at step 6, the end of a pass
    assert stopped(settings, second).startswith("stopped after step 6")
    third = attempt(tmp_path / "cut", second)
    result = train_sft(settings, third)
    assert weights_sha256(third.folder) == weights_sha256(whole.folder)
    assert {name: result[name] for name in SAME} == {name: expected[name] for name in SAME}
    assert result["final_loss"] == pytest.approx(expected["final_loss"], rel=1e-12)
    assert any("goes on after step 6" in line for line in third.logs)


def test_the_curve_of_a_resumed_run_is_the_curve_of_one_that_was_not_cut(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("lab.training._trl.LOGS", 2)  # a point every four steps, so a stop falls between two
    settings = spec()
    whole = attempt(tmp_path / "whole")
    train_sft(settings, whole)
    first = attempt(tmp_path / "cut", n_steps=3)
    stopped(settings, first)
    second = attempt(tmp_path / "cut", first, n_steps=3)
    stopped(settings, second)
    third = attempt(tmp_path / "cut", second)
    result = train_sft(settings, third)
    assert [step for step, _ in third.metrics] == [step for step, _ in whole.metrics] == [1, 4, 8]
    for (_, found), (_, expected) in zip(third.metrics, whole.metrics, strict=True):
        for name in ("loss", "learning_rate", "grad_norm", "token_accuracy"):
            # The trainer adds losses up in float32; in two parts the last digit may differ. The weights are equal.
            assert found[name] == pytest.approx(expected[name], rel=1e-6), name
    lines = [json.loads(line) for line in (third.folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 4, 8] and lines[-1]["seconds"] <= result["seconds"]
    assert result["tokens_per_s"] == pytest.approx(result["n_tokens_seen"] / result["seconds"], rel=0.05)


def test_success_leaves_no_checkpoint_and_a_stop_leaves_one(tiny, tmp_path):
    first = attempt(tmp_path / "job", n_steps=2)
    stopped(spec(), first)
    assert [each.step for each in first.checkpoints.whole()] == [2]
    stopped(spec(), second := attempt(tmp_path / "job", first, n_steps=2))
    assert [each.step for each in second.checkpoints.whole()] == [4]
    train_sft(spec(), attempt(tmp_path / "job", second))


def test_checkpoints_come_by_the_clock_and_the_newest_whole_one_is_kept(tiny, tmp_path, monkeypatch):
    sealed = []
    seal = Saves.seal
    monkeypatch.setattr(Saves, "seal", lambda self, step: (seal(self, step), sealed.append(step)))
    context = attempt(tmp_path / "job", n_steps=7)
    clock = iter(range(10**6))
    ticks = SimpleNamespace(monotonic=lambda: next(clock))  # a second between two looks
    monkeypatch.setattr("lab.training.saves.time", ticks)
    stopped(spec(checkpoint_every_s=3), context)
    assert sealed == [3, 6, 7] and [each.step for each in context.checkpoints.whole()] == [7]
    assert context.facts["checkpoint_step"] == 7


def test_a_stop_during_the_last_step_comes_too_late(tiny, tmp_path):
    context = attempt(tmp_path / "job", n_steps=8)
    assert train_sft(spec(), context)["n_steps"] == 8


@pytest.mark.parametrize(("change", "what"), [("spec", "spec"), ("data", "dataset")])
def test_a_checkpoint_of_another_spec_or_other_data_is_not_used(tiny, tmp_path, monkeypatch, change, what):
    first = attempt(tmp_path / "job", n_steps=2)
    stopped(spec(), first)
    settings = spec(seed=1 if change == "spec" else 0)
    if change == "data":
        monkeypatch.setitem(datasets(), "sums", data("sums", sums(43)))
    second = attempt(tmp_path / "job", first)
    train_sft(settings, second)
    assert any(f"checkpoint-2 was made with another {what} and is not used" in line for line in second.logs)
    assert [step for step, _ in second.metrics] == list(range(1, 9))  # nothing twice


@pytest.mark.parametrize("harm", ["no seal", "short file"])
def test_a_half_written_checkpoint_is_skipped_said_and_removed(tiny, tmp_path, harm):
    first = attempt(tmp_path / "job", n_steps=2)
    stopped(spec(), first)
    second = attempt(tmp_path / "job", first, n_steps=3)
    stopped(spec(), second)
    found = second.checkpoints.last_whole()
    if harm == "no seal":
        (found.folder / "whole.json").unlink()
    else:
        file = found.folder / "optimizer.pt"
        file.write_bytes(file.read_bytes()[:-1])
    third = attempt(tmp_path / "job", second, n_steps=1)
    assert stopped(spec(), third).startswith("stopped after step 1")
    assert any("checkpoint-5 was only half written" in line for line in third.logs)
    assert [each.step for each in third.checkpoints.whole()] == [1] and not third.checkpoints.broken()


def test_a_checkpoint_names_no_base_to_look_up_on_the_hub(tiny, tmp_path):
    context = attempt(tmp_path / "job", n_steps=1)
    stopped(spec(), context)
    config = json.loads((context.checkpoints.path(1) / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == ""
