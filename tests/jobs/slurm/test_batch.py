"""The text of a batch file: what sbatch reads, what the shell runs, and nothing that a user could slip in."""

import subprocess
from pathlib import Path

import pytest

from jobs.slurm.batch import Batch, SlurmJob, render, share
from jobs.slurm.profile import SlurmProfile
from lab.core.errors import LabError


def profile(**fields):
    given = {"name": "gpu", "shared": "/shared", "python": "/env/bin/python", "code": "/code", **fields}
    return SlurmProfile.model_validate(given)


def jobs(count=1, devices=1):
    return tuple(SlurmJob(f"u{index}", 1, Path(f"/shared/jobs/u{index}"), "sft", devices) for index in range(count))


def batch(which=None, count=1, devices=1):
    return Batch(which or profile(), jobs(count, devices), Path("/shared/slurm/batches/x"))


def directives(text):
    """What sbatch reads: up to the first line that is no remark."""
    lines = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            break
        if line.startswith("#SBATCH "):
            lines.append(line.removeprefix("#SBATCH "))
    return lines


def test_everything_the_cluster_must_know_stands_before_the_first_command():
    which = profile(partition="gpu", account="lab", qos="high", constraint="h100&nvlink", gpu_type="h100",
                    cpus_per_gpu=12, memory_gib_per_gpu=100, time_limit_minutes=90, signal_s=240,
                    extra_sbatch=("--exclusive",))
    one = batch(which, devices=4)
    assert directives(render(one, {})) == [
        "--job-name=lab-sft", f"--comment={one.tag}", "--output=/shared/jobs/u0/slurm-%j.txt", "--open-mode=append",
        "--partition=gpu", "--account=lab", "--qos=high", "--constraint=h100&nvlink", "--nodes=1",
        "--ntasks-per-node=1", "--cpus-per-task=48", "--gres=gpu:h100:4", "--mem=400G", "--time=90",
        "--signal=B:USR1@240", "--requeue", "--exclusive",
    ]


def test_what_is_not_given_is_left_to_the_site():
    names = [line.partition("=")[0] for line in directives(render(batch(profile(self_requeue=False)), {}))]
    assert not {"--partition", "--account", "--qos", "--constraint", "--mem", "--array", "--requeue"} & set(names)
    assert "--no-requeue" in names


def test_the_last_line_becomes_the_runner_so_that_signals_reach_it():
    text = render(batch(profile(python="/my env/python")), {})
    assert text.splitlines()[-1] == "exec '/my env/python' -m jobs.runner \"$folder\" \"$attempt\" " \
                                    '>>"$folder/log.txt" 2>&1'


def test_several_jobs_are_an_array_whose_output_is_in_the_batchs_folder():
    lines = directives(render(batch(count=3), {}))
    assert "--array=0-2" in lines and "--output=/shared/slurm/batches/x/slurm-%A_%a.txt" in lines


def test_each_element_of_an_array_takes_its_own_job(tmp_path):
    """Run the shell part with a python that prints what it is given."""
    (tmp_path / "python").write_text('#!/bin/sh\necho "$LAB_JOB_UID $@"\n')
    (tmp_path / "python").chmod(0o755)
    members = tuple(SlurmJob(f"it's {n}", n + 1, tmp_path / f"it's {n}") for n in range(3))
    text = render(Batch(profile(python=str(tmp_path / "python")), members, tmp_path), {})
    for index, job in enumerate(members):
        job.folder.mkdir()
        subprocess.run(["bash"], input=text, text=True, check=True, env={"SLURM_ARRAY_TASK_ID": str(index)})
        assert (job.folder / "log.txt").read_text() == f"{job.uid} -m jobs.runner {job.folder} {index + 1}\n"


def test_the_tag_names_the_jobs_and_their_attempts_and_the_profile():
    first = batch()
    assert first.tag == batch().tag
    again = Batch(first.profile, (SlurmJob("u0", 2, Path("/shared/jobs/u0")),), first.folder)
    assert len({first.tag, again.tag, batch(count=2).tag, batch(profile(name="other")).tag}) == 4


@pytest.mark.parametrize("devices, nodes, gpus", [(1, 1, 1), (8, 1, 8), (16, 2, 8), (12, 2, 6)])
def test_more_gpus_than_a_node_has_are_whole_nodes(devices, nodes, gpus):
    taken = share(profile(nodes_max=2), devices)
    assert (taken.nodes, taken.gpus_per_node) == (nodes, gpus)


def test_what_the_nodes_cannot_give_is_said_before_anything_is_sent():
    with pytest.raises(LabError, match="24 GPUs are 3 nodes of 8.*allows 2"):
        share(profile(nodes_max=2), 24)
    with pytest.raises(LabError, match="13 GPUs do not spread evenly.*Ask for 12 or 16"):
        share(profile(nodes_max=2), 13)


def test_nodes_without_gpus_give_cores_for_each_process():
    lines = directives(render(batch(profile(gpus_per_node=0, cpus_per_gpu=4, memory_gib_per_gpu=2), devices=2), {}))
    assert {"--cpus-per-task=8", "--mem=4G"} <= set(lines) and not any("gres" in line for line in lines)


def test_variables_are_quoted_and_secrets_are_not_written_down():
    text = render(batch(), {"HF_HUB_OFFLINE": "1", "LAB_EXTRA_TASKS": "a b'; id", "HF_TOKEN": "hf_secret",
                            "LAB_DATABASE_URL": "postgresql://lab:secret@host/lab"})
    assert "export HF_HUB_OFFLINE=1\n" in text and "secret" not in text
    printed = subprocess.run(["bash", "-c", text.partition("set -e")[0] + 'echo "$LAB_EXTRA_TASKS"'], text=True,
                             capture_output=True, check=True).stdout
    assert printed == "a b'; id\n"


def test_a_variable_with_a_line_end_is_refused():
    with pytest.raises(LabError, match="HF_HOME"):
        render(batch(), {"HF_HOME": "/a\n#SBATCH --account=other"})


def test_a_jobs_name_is_made_plain():
    job = SlurmJob("u", 1, Path("/shared/jobs/u"), "a b\n#SBATCH --account=other")
    lines = directives(render(Batch(profile(), (job,), Path("/shared")), {}))
    assert lines[0] == "--job-name=lab-a-b-SBATCH---account-other" and "--account=other" not in lines


def test_a_template_of_ones_own_may_add_what_it_likes():
    template = ("#!/bin/bash -l\n{{ directives }}\n#SBATCH --hint=nomultithread\n{{ exports }}\n"
                "ulimit -c 0\n{{ work }}\n")
    text = render(batch(), {}, template)
    assert text.startswith("#!/bin/bash -l\n#SBATCH --job-name") and "ulimit -c 0\n" in text
    assert directives(text)[-1] == "--hint=nomultithread"


@pytest.mark.parametrize("template, words", [
    ("{{ directives }}\n", "leaves out {{ work }}"), ("{{ work }}\n", "leaves out {{ directives }}"),
    ("{{ directives }}{{ work }}{{ nothing }}", "'nothing' is undefined"), ("{% if %}", "cannot be rendered"),
    ("{{ profile.__class__.__mro__ }}", "unsafe"),
])
def test_a_template_that_would_lose_the_job_or_is_broken_is_refused(template, words):
    with pytest.raises(LabError, match=words):
        render(batch(), {}, template)


def test_the_whole_file_is_sound_shell():
    for count, devices in ((1, 16), (5, 1)):
        text = render(batch(profile(nodes_max=2, setup=("module load x",)), count, devices), {"HF_HOME": "/a b"})
        assert subprocess.run(["bash", "-n"], input=text, text=True).returncode == 0
