"""What a process knows of its place among several, and what it refuses."""

from __future__ import annotations

import pytest

from lab.core.errors import LabError, SpecError
from lab.training._trl import n_repeated, train_sft
from lab.training.ranks import is_first, rank, world_size
from tests.training.attempts import attempt, spec


def test_a_process_alone_is_the_first_of_one_whatever_a_scheduler_left_behind(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.setenv("RANK", "3")
    assert (rank(), world_size(), is_first()) == (0, 1, True)
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert (rank(), world_size(), is_first()) == (3, 4, False)


def test_a_spec_for_two_processes_does_not_run_in_one(tiny, tmp_path):
    with pytest.raises(LabError, match="asks for 2 processes and this is one of 1"):
        train_sft(spec(gpus=2), attempt(tmp_path / "job"))


def test_rows_that_fill_up_the_last_batch_of_several_processes_are_counted(monkeypatch):
    assert n_repeated(10, 8) == 0  # alone: the last batch is smaller
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert (n_repeated(10, 8), n_repeated(16, 8)) == (6, 0)


@pytest.mark.parametrize(("values", "fault"), [
    ({"gpus": 3}, "gpus: times micro_batch_size 8 should divide batch_size 16"),
    ({"gpus": 65}, "gpus"),
    ({"sharding": "fsdp"}, "sharding: fsdp shares the weights between processes: it needs gpus of at least 2"),
])
def test_a_batch_that_cannot_be_shared_out_is_a_fault_of_its_field(tiny, values, fault):
    with pytest.raises(SpecError) as caught:
        spec(**values)
    assert fault in str(caught.value)
