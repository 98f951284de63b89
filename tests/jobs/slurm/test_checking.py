"""A profile is checked against the cluster it is for: a real one here."""

import pytest

from jobs.slurm.checking import minutes_of


def faults(engine):
    return [finding.text for finding in engine.check() if finding.fault]


def test_a_profile_that_fits_has_no_faults_and_says_what_to_know(cluster, lab):
    engine = lab.engine(gpu_type="h100")
    assert faults(engine) == []
    assert any("no accounts" in finding.text for finding in engine.check())
    assert faults(lab.engine(partition="")) == [], "the site's default partition"


@pytest.mark.parametrize("fields, words", [
    ({"partition": "norml"}, "Slurm has no 'norml'. Did you mean 'normal'?"),
    ({"time_limit_minutes": 2000}, "partition 'normal' allows 1440 minutes"),
    ({"gpu_type": "a100"}, "no node of partition 'normal' has gpu:a100:8; there are: gpu:h100:8"),
    ({"gpus_per_node": 16}, "has gpu:16; there are: gpu:h100:8"),
    ({"python": "/nowhere/python"}, "python: /nowhere/python cannot be run"),
    ({"setup": ("if true; then",)}, "bash finds a fault in the batch file"),
    ({"shared": "/nowhere"}, "does not lie in /nowhere"),
    ({"ssh": "/nowhere/ssh login1"}, "No command can be run through '/nowhere/ssh login1'"),
])
def test_what_does_not_fit_is_said_with_the_field_to_change(cluster, lab, fields, words):
    found = faults(lab.engine(**fields))
    assert any(words in fault for fault in found), found


def test_all_faults_are_found_together(cluster, lab):
    found = faults(lab.engine(python="/nowhere/python", setup=("if true; then",), time_limit_minutes=2000))
    assert len(found) == 3


def test_commands_that_are_not_there_are_named(lab, tmp_path):
    (tmp_path / "ssh").write_text('#!/bin/sh\nPATH=/nowhere exec /bin/sh -c "$2"\n')
    (tmp_path / "ssh").chmod(0o755)
    found = faults(lab.engine(ssh=f"{tmp_path}/ssh login1"))
    assert len(found) == 1, found


def test_a_controller_that_is_down_is_said(lab, tmp_path, monkeypatch):
    for name in ("sbatch", "squeue", "scancel", "scontrol", "sinfo"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'Slurmctld(primary) at head is DOWN'\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert faults(lab.engine()) == ["Slurm's controller does not answer: Slurmctld(primary) at head is DOWN."]


@pytest.mark.parametrize("limit, minutes", [
    ("infinite", None), ("1-00:00:00", 1440), ("7-12:30:00", 10830), ("12:00:00", 720), ("30:00", 30)])
def test_a_partitions_time_limit_is_read(limit, minutes):
    assert minutes_of(limit) == minutes
