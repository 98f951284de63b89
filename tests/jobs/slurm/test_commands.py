"""How Slurm's answers are read, with scripted commands at the edge: what cannot be had from a healthy cluster."""

import os

import pytest

from jobs.slurm.commands import QUEUE_HEADER, Answer, Commands, Refused, Row, Unreachable, clean_environment


@pytest.fixture
def scripted(tmp_path):
    """Commands whose squeue, sbatch… are the given shell lines."""
    def make(timeout_s=5.0, **scripts):
        for name, body in scripts.items():
            path = tmp_path / name
            path.write_text(f"#!/bin/sh\n{body}\n")
            path.chmod(0o755)
        return Commands((), timeout_s, {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"})

    return make


def test_neither_settings_nor_passwords_nor_options_of_the_workers_own_are_handed_on():
    env = {"SLURM_CONF": "/etc/slurm.conf", "SLURM_JOB_ID": "7", "SBATCH_ACCOUNT": "x", "SQUEUE_FORMAT": "x",
           "LAB_DATABASE_URL": "secret", "PGPASSWORD": "secret", "HF_TOKEN": "secret", "CUDA_VISIBLE_DEVICES": "0",
           "PATH": "/bin", "LC_ALL": "C", "MODULEPATH": "/modules", "BASH_FUNC_module%%": "() { true; }"}
    kept = clean_environment(env)
    assert sorted(kept) == ["BASH_FUNC_module%%", "LC_ALL", "MODULEPATH", "PATH", "SLURM_CONF"]


def test_the_queue_is_read_also_with_a_banner_before_it_and_any_comment(scripted):
    listing = (f"Welcome to login1\n{QUEUE_HEADER}\n12_3|RUNNING|None|n1|2026-01-01T00:00:00|trace-lab:x\n"
               "13|PENDING|Resources||N/A|a|b | c\n14|PENDING|JobHeldUser||N/A|\n")
    commands = scripted(squeue=f"cat <<'END'\n{listing}END")
    assert commands.queue() == [
        Row("12_3", "RUNNING", "None", "n1", "2026-01-01T00:00:00", "trace-lab:x"),
        Row("13", "PENDING", "Resources", "", "N/A", "a|b | c"), Row("14", "PENDING", "JobHeldUser", "", "N/A", ""),
    ]


@pytest.mark.parametrize("body", ["echo Welcome to login1", "exit 0", "exit 1", "echo no >&2; exit 3", "kill -9 $$"])
def test_whatever_is_not_a_queue_is_no_empty_queue(scripted, body):
    assert isinstance(scripted(squeue=body).queue(), Unreachable)


def test_a_command_that_hangs_is_away(scripted):
    assert scripted(0.3, squeue="sleep 30").queue() == Unreachable("squeue gave no answer within 0 s")


def test_a_command_that_is_not_there_is_away(tmp_path):
    assert isinstance(Commands((), 5, {"PATH": str(tmp_path)}).queue(), Unreachable)


@pytest.mark.parametrize("said, answer", [
    ("sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)", Unreachable),
    ("sbatch: error: Batch job submission failed: Socket timed out on send/recv operation", Unreachable),
    ("sbatch: error: If munged is up, restart with --num-threads=10", Unreachable),
    ("sbatch: error: QOSMaxSubmitJobPerUserLimit", Unreachable),
    ("sbatch: error: Batch job submission failed: Invalid account or account/partition combination", Refused),
    ("sbatch: error: Batch job submission failed: Requested node configuration is not available", Refused),
])
def test_no_is_told_from_no_answer(scripted, said, answer):
    reply = scripted(sbatch=f"cat >/dev/null; echo '{said}' >&2; exit 1").submit("#!/bin/bash\n")
    assert isinstance(reply, answer) and reply.why == said.removeprefix("sbatch: error: ")


@pytest.mark.parametrize("said, reply", [
    ("12", Answer("12")), ("12;cluster", Answer("12")), ("a banner\n12", Answer("12")),
    ("", Unreachable("sbatch answered ''")), ("Submitted", Unreachable("sbatch answered 'Submitted'")),
])
def test_the_number_of_a_submission_is_read(scripted, said, reply):
    assert scripted(sbatch=f"cat >/dev/null; printf '%s\\n' '{said}'").submit("#!/bin/bash\n") == reply


def test_a_batch_file_that_nobody_reads_to_its_end_is_no_crash(scripted):
    assert isinstance(scripted(sbatch="exit 1").submit("#" * 1_000_000), Refused)


def test_the_accounting_is_read_with_who_cancelled(scripted):
    lines = "'12|COMPLETED|n1|2026-01-01T00:00:00|' '13_1|CANCELLED by 1000|n2|Unknown|t'"
    commands = scripted(sacct=f"printf '%s\\n' {lines}")
    assert commands.accounts(["12", "13_1"]) == {
        "12": Row("12", "COMPLETED", "", "n1", "2026-01-01T00:00:00", ""),
        "13_1": Row("13_1", "CANCELLED", "by 1000", "n2", "Unknown", "t"),
    }


@pytest.mark.parametrize("kind, there", [
    ("accounting_storage/none", False), ("(null)", False), ("accounting_storage/slurmdbd", True)])
def test_whether_there_is_accounting_is_asked(scripted, kind, there):
    assert scripted(scontrol=f"echo 'AccountingStorageType   = {kind}'").has_accounting() is there
