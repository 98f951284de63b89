"""Out of memory in a step: fewer rows at a time, the same rows per step, and the job goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import count
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

from lab.core.context import Stopped
from lab.core.errors import LabError
from lab.training import _trl
from lab.training._faults import MicroBatchTooLarge
from lab.training._inputs import weights_sha256
from lab.training._trl import train_sft
from lab.training.micro_batches import FILE, MicroBatch, with_smaller_batches
from lab.training.ranks import StartAgain
from tests.training.attempts import attempt, spec


class SmallGpu:
    """A model that runs out of memory when it is given more than `rows` rows, from its forward pass `after` on."""

    def __init__(self, monkeypatch, rows: int, after: int = 0):
        self.rows, self.after, self.seen = rows, after, []
        load = _trl.load_policy

        def small(*arguments):
            model = load(*arguments)
            model.get_input_embeddings().register_forward_pre_hook(self.check)
            return model

        monkeypatch.setattr(_trl, "load_policy", small)

    def check(self, module, arguments) -> None:
        rows = len(arguments[0])
        self.seen.append(rows)
        if rows > self.rows and len(self.seen) > self.after:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def test_a_step_that_does_not_fit_is_done_with_half_the_rows_at_a_time_and_ends_with_the_same_weights(
    tiny, tmp_path, monkeypatch
):
    expected = train_sft(spec(micro_batch_size=2, max_steps=4), small := attempt(tmp_path / "small"))
    SmallGpu(monkeypatch, rows=2)
    result = train_sft(spec(micro_batch_size=8, max_steps=4), context := attempt(tmp_path / "job"))
    assert weights_sha256(context.folder) == weights_sha256(small.folder)
    assert result["micro_batch_size"] == 2 and result["n_tokens_seen"] == expected["n_tokens_seen"]
    assert context.facts["micro_batch_size"] == 2 and context.facts["out_of_memory"] == 2
    said = [line for line in context.logs if line.startswith("Out of memory (OutOfMemoryError: CUDA out of memory")]
    assert "goes on with micro_batch_size 4 and 4 forward passes per step, so a step still sees 16 rows" in said[0]
    assert [step for step, _ in context.metrics] == [1, 2, 3, 4]


def test_after_a_checkpoint_it_goes_on_from_there_with_the_smaller_size(tiny, tmp_path, monkeypatch):
    settings = spec(lora_dropout=0, checkpoint_every_s=3)
    train_sft(settings, whole := attempt(tmp_path / "whole"))
    seconds = count()
    monkeypatch.setattr("lab.training.saves.time", SimpleNamespace(monotonic=lambda: next(seconds)))
    gpu = SmallGpu(monkeypatch, rows=4, after=8)  # two passes a step: in step 5, after the checkpoint of step 3
    result = train_sft(settings, context := attempt(tmp_path / "job"))
    assert gpu.seen[8] == 8 and max(gpu.seen[9:]) == 4  # the size in the checkpoint's own files does not come back
    assert "goes on after step 3, from checkpoint-3" in context.logs and result["n_steps"] == 8
    assert [step for step, _ in context.metrics] == list(range(1, 9))
    found, expected = (load_file(each.folder / "adapter_model.safetensors") for each in (context, whole))
    for name, weights in expected.items():  # the same sums in another order: equal up to rounding
        assert torch.allclose(found[name], weights, atol=2e-4), name


def test_a_later_attempt_begins_with_the_size_that_was_found(tiny, tmp_path, monkeypatch):
    gpu = SmallGpu(monkeypatch, rows=4)
    first = attempt(tmp_path / "job", n_steps=2)
    with pytest.raises(Stopped):
        train_sft(spec(), first)
    gpu.seen.clear()
    second = attempt(tmp_path / "job", first)
    assert train_sft(spec(), second)["micro_batch_size"] == 4 and max(gpu.seen) == 4
    assert any(line.startswith("Memory ran out before: goes on with micro_batch_size 4") for line in second.logs)
    assert second.facts["micro_batch_size"] == 4


@pytest.mark.parametrize("error", [
    torch.OutOfMemoryError("CUDA out of memory."), MemoryError(),
    RuntimeError("[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory: you tried …"),
])
def test_when_one_row_does_not_fit_the_job_fails_and_says_what_to_change(tiny, tmp_path, monkeypatch, error):
    gpu = SmallGpu(monkeypatch, rows=0)
    monkeypatch.setattr(torch, "OutOfMemoryError", lambda _: error)
    with pytest.raises(LabError, match="out of memory with one row at a time .* lower max_length") as caught:
        train_sft(spec(micro_batch_size=2), attempt(tmp_path / "job"))
    assert caught.value.reason == "memory" and gpu.seen == [2, 1]


def test_an_error_that_is_not_about_memory_is_not_tried_again(tiny, tmp_path, monkeypatch):
    gpu = SmallGpu(monkeypatch, rows=0)
    monkeypatch.setattr(torch, "OutOfMemoryError", lambda _: ValueError("a bug"))
    with pytest.raises(ValueError, match="a bug"):
        train_sft(spec(), attempt(tmp_path / "job"))
    assert len(gpu.seen) == 1


def test_one_of_several_ranks_writes_the_size_down_and_asks_all_to_start_again(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    tried = []

    def fails(size: int) -> None:
        tried.append(size)
        raise MicroBatchTooLarge("CUDA out of memory")

    for size in (4, 2):
        with pytest.raises(StartAgain, match=f"micro_batch_size {size}"):
            with_smaller_batches(spec(gpus=2), context := attempt(tmp_path / "job"), fails)
    assert tried == [8, 4] and json.loads((context.checkpoints.folder / FILE).read_text())["size"] == 2


def test_a_smaller_size_divides_the_rows_of_a_step():
    assert MicroBatch(8).smaller(24) == MicroBatch(4, 1)
    assert MicroBatch(6).smaller(24).smaller(24) == MicroBatch(1, 2)  # 6 → 3 → 1
    assert MicroBatch(15).smaller(30) == MicroBatch(6, 1)  # 7 does not divide 30


REAL = """
import resource, sys
from pathlib import Path
from lab.bases.cards import bases
from lab.data.dataset import datasets
from lab.training._trl import train_sft
from tests.training.attempts import attempt, spec
from tests.training.tiny import card, data, sums

base, folder, mib = sys.argv[1:]
dict.__setitem__(bases(), "tiny", card(Path(base)))
dict.__setitem__(datasets(), "sums", data("sums", sums(64, long=64)))
settings = dict(max_length=500, max_rows=0, batch_size=64, lora_dropout=0, target="trace", max_steps=1)
first = spec(**{**settings, "batch_size": 2}, micro_batch_size=2)
train_sft(first, attempt(Path(folder) / "first"))  # what a first run loads does not count
used = int(next(line for line in open("/proc/self/status") if line.startswith("VmSize")).split()[1]) // 1024
resource.setrlimit(resource.RLIMIT_AS, ((used + int(mib)) * 2**20,) * 2)
context = attempt(Path(folder) / "job")
result = train_sft(spec(**settings, micro_batch_size=64), context)
print(context.logs, result["micro_batch_size"], result["n_steps"])
"""


def test_a_process_that_may_not_have_more_memory_halves_its_micro_batch(tiny, tmp_path):
    # The limit counts addresses. An arena or a stack per thread would take them on a machine of many cores, and freed
    # blocks that stay in an arena would leave less and less: one thread, one arena, large blocks given back at once.
    alone = {"OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "65536"}
    command = [sys.executable, "-c", REAL, tiny.location(), str(tmp_path), "450"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=os.environ | alone)
    assert done.returncode == 0, done.stderr
    assert "Out of memory (" in done.stdout and int(done.stdout.split()[-2]) < 64 and done.stdout.split()[-1] == "1"
