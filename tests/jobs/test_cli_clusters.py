"""`slurm`: the profiles of clusters on the command line, and the dry run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobs.cli.commands import main
from jobs.dry_run import dry_run
from jobs.queue import Wish, request_cancel, submit
from lab.core.errors import LabError, UnknownName
from storage.database import Store
from storage.queries.jobs import list_jobs


@pytest.fixture
def added(store: Store, tmp_path: Path, capsys) -> str:
    """A profile that was taken in from a file."""
    file = tmp_path / "gpu.yaml"
    file.write_text(f"shared: {tmp_path}\npartition: long\ngpus_per_node: 2\nnodes_max: 2\nmax_jobs: 3\n")
    assert main(["slurm", "add", str(file)]) == 0
    assert "slurm check gpu" in capsys.readouterr().out
    return "gpu"


def test_profiles_are_listed_with_their_jobs_that_have_not_ended(store: Store, added: str, capsys) -> None:
    submit(store, "echo", {}, Wish(run_on="slurm:gpu"))
    assert main(["slurm"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split() == [
        "gpu", "long", "2", "2", "720", "min", "3", "1", "this", "machine"]
    assert main(["slurm", "--json"]) == 0
    (profile,) = json.loads(capsys.readouterr().out)["profiles"]
    assert (profile["name"], profile["max_jobs"], profile["jobs"]) == ("gpu", 3, 1)


def test_without_a_profile_the_list_says_how_to_get_one(store: Store, capsys) -> None:
    assert main(["slurm"]) == 0 and "slurm add FILE.yaml" in capsys.readouterr().out


def test_a_broken_profile_is_listed_with_its_faults_and_the_others_are_shown(store: Store, added: str, capsys) -> None:
    (store.home.path / "slurm" / "bad.yaml").write_text("shared: relative\n")
    assert main(["slurm"]) == 1
    text = capsys.readouterr().out
    assert "bad.yaml" in text and "shared" in text and "gpu " in text


@pytest.mark.parametrize(("text", "words"), [
    ("a: [", "not valid YAML"), ("- a", "a mapping"), ("partition: 'a b'", "one word"),
])
def test_a_wrong_file_is_refused_and_nothing_is_stored(
    store: Store, tmp_path: Path, text: str, words: str, capsys,
) -> None:
    (tmp_path / "new.yaml").write_text(text)
    assert main(["slurm", "add", str(tmp_path / "new.yaml")]) == 2
    assert words in capsys.readouterr().err and not (store.home.path / "slurm" / "new.yaml").exists()


def test_a_profile_that_jobs_need_is_not_removed(store: Store, added: str, capsys) -> None:
    job = submit(store, "echo", {}, Wish(run_on="slurm:gpu")).jobs[0]
    assert main(["slurm", "remove", "gpu"]) == 2
    assert "1 job(s) that have not ended" in capsys.readouterr().err
    request_cancel(store, job.id)
    assert main(["slurm", "remove", "gpu"]) == 0 and main(["slurm", "remove", "gpu"]) == 2


def test_a_check_shows_faults_and_fails(store: Store, added: str, tmp_path: Path, monkeypatch, capsys) -> None:
    (tmp_path / "sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["slurm", "check", "gpu"]) == 1
    assert "fault  Slurm's commands are not there on this machine: sbatch" in capsys.readouterr().out


def test_a_dry_run_shows_every_batch_file_and_queues_nothing(store: Store, added: str, capsys) -> None:
    assert main(["slurm", "show", "gpu", "lab/recipes/demo/study.yaml"]) == 0
    text = capsys.readouterr().out
    assert text.count("#!/bin/bash") == 3 and "#SBATCH --partition=long" in text
    assert "2 × sft (1 GPU a job, about" in text and "#SBATCH --array=0-1" in text
    with store.read() as session:
        assert list_jobs(session)[1] == 0


def test_a_dry_run_of_one_job_over_two_nodes_says_so(store: Store, added: str) -> None:
    values = {"base": "demo-llama", "dataset": "demo-medical", "target": "trace", "gpus": 4, "micro_batch_size": 6}
    text = dry_run(store, "sft", values, Wish(run_on="slurm:gpu"))
    assert "1 × sft (4 GPUs a job" in text and "#SBATCH --nodes=2" in text and "#SBATCH --gres=gpu:2" in text


def test_a_dry_run_names_what_is_wrong(store: Store, added: str) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'gpu'"):
        dry_run(store, "echo", {}, Wish(run_on="slurm:gpo"))
    values = {"base": "demo-llama", "dataset": "demo-medical", "target": "trace", "gpus": 8, "micro_batch_size": 3}
    with pytest.raises(LabError, match="8 GPUs are 4 nodes of 2"):
        dry_run(store, "sft", values, Wish(run_on="slurm:gpu"))
    assert "Nothing is sent to Slurm" in dry_run(store, "echo", {})
