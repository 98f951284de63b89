"""Several processes on one machine: real ranks over gloo train as one process does, stop together and go on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

from jobs.file_context import FileContext
from jobs.ranks import run_ranks
from lab.core.context import MemoryContext, Stopped, write_json
from lab.core.spec import load_spec
from lab.training.specs import SftSpec
from storage.files import JobFolder

RUN = {
    "base": "demo-llama", "dataset": "demo-medical", "target": "answer", "max_rows": 40, "max_steps": 6,
    "batch_size": 8, "micro_batch_size": 2, "lora_r": 8, "lora_alpha": 16, "checkpoint_every_s": 0,
}


class StopsAtOnce(FileContext):
    """The supervisor's side of a cancel: control.json says stop once rank 0 has reported that its first step begins.

    Not later: the six steps of so small a base may be over before the next look.
    """

    def __init__(self, job: JobFolder):
        super().__init__(job, {})

    def stop_requested(self) -> bool:
        begun = any(event["text"] == "first step" for event in events(self.job, "progress"))
        if begun and not self.job.control.exists():
            write_json(self.job.control, {"stop": "cancel"})
        return super().stop_requested()


def events(folder: JobFolder, kind: str) -> list[dict]:
    lines = folder.events.read_text().splitlines() if folder.events.exists() else []
    return [event for event in map(json.loads, lines) if event["type"] == kind]


def job(folder: Path, **values) -> tuple[dict, JobFolder]:
    """A job's folder made ready for an attempt, as the worker does it."""
    spec = load_spec(SftSpec, {**RUN, **values})
    made = JobFolder(folder)
    made.prepare()
    order = {"uid": folder.name, "kind": "sft", "attempt": 1, "spec": spec.as_dict(), "models": {},
             "processes": spec.gpus}
    write_json(made.job_json, order)
    return order, made


def adapter_config(folder: Path) -> dict:
    config = json.loads((folder / "adapter_config.json").read_text())
    return {**config, "target_modules": sorted(config["target_modules"])}  # peft writes a set


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> MemoryContext:
    """The same training in one process."""
    from lab.training._trl import train_sft

    context = MemoryContext(tmp_path_factory.mktemp("alone"))
    context.announce(result=train_sft(load_spec(SftSpec, RUN), context))
    return context


@pytest.mark.parametrize("sharding", ["fsdp"])  # ddp stops and goes on in conformance/test_ranks.py
def test_two_processes_that_stop_and_go_on_give_the_curve_and_the_adapter_of_one(
    tmp_path, alone, sharding, monkeypatch
):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr("jobs.ranks.LOOK_EVERY_S", 0.01)
    order, folder = job(tmp_path / "job", gpus=2, sharding=sharding)
    with pytest.raises(Stopped, match=r"stopped after step \d of 6; checkpoint-\d is whole"):
        run_ranks(order, folder, StopsAtOnce(folder))
    parts = list(folder.checkpoints.last_whole().folder.glob("*_fsdp_*/*.distcp"))
    assert bool(parts) == (sharding == "fsdp")  # shared out, each rank wrote its own part
    order, folder = job(tmp_path / "job", gpus=2, sharding=sharding)
    result = run_ranks(order, folder, FileContext(folder, {}))
    losses = {event["step"]: event["values"]["loss"] for event in events(folder, "metric")}
    expected = {step: values["loss"] for step, values in alone.metrics}
    assert losses == pytest.approx(expected, rel=1e-4) and result["n_steps"] == 6
    assert result["n_tokens_seen"] == alone.facts["result"]["n_tokens_seen"]
    ours, theirs = (load_file(each / "adapter_model.safetensors") for each in (folder.artifacts, alone.folder))
    assert {name: value.shape for name, value in ours.items()} == {name: value.shape for name, value in theirs.items()}
    assert adapter_config(folder.artifacts) == adapter_config(alone.folder)
    assert {each.name for each in folder.artifacts.iterdir()} == {each.name for each in alone.folder.iterdir()}
    assert (folder.path / "accelerate.yaml").is_file()
