"""Profiles: declared once, kept as YAML, all faults shown together."""

import pytest

from jobs.slurm.profile import SlurmProfile
from jobs.slurm.stored import profile_names, read_profile, remove_profile, save_profile
from lab.core.errors import LabError, SpecError, UnknownName
from lab.core.spec import load_spec
from storage.files import Home


@pytest.fixture
def home(tmp_path):
    (tmp_path / "slurm").mkdir()
    return Home(tmp_path)


def written(home, text, name="gpu"):
    (home.path / "slurm" / f"{name}.yaml").write_text(text)


def test_a_profile_that_is_saved_reads_back_as_it_was(home):
    given = {"name": "gpu", "shared": "/shared", "setup": ["module load cuda"], "ssh": "ssh a"}
    profile = load_spec(SlurmProfile, given)
    save_profile(home, profile)
    assert profile_names(home) == ["gpu"] and read_profile(home, "gpu") == profile
    remove_profile(home, "gpu")
    assert profile_names(home) == []


def test_a_file_needs_no_name_and_takes_defaults_for_the_rest(home):
    written(home, "shared: /shared\npartition: gpu\n")
    profile = read_profile(home, "gpu")
    assert (profile.name, profile.partition, profile.account, profile.self_requeue) == ("gpu", "gpu", "", True)


def test_all_faults_of_a_file_are_shown_at_once(home):
    written(home, "shared: relative\npartition: 'a b'\nacount: x\nnodes_max: 0\nsetup: ['echo \"open']\n"
                  "extra_sbatch: [--wrap=id]\n")
    with pytest.raises(SpecError) as error:
        read_profile(home, "gpu")
    fields = [fault.field for fault in error.value.faults]
    assert sorted(fields) == ["acount", "extra_sbatch.0", "nodes_max", "partition", "setup.0", "shared"]
    assert "Did you mean 'account'?" in str(error.value)


def test_a_job_is_not_told_to_stop_at_its_start(home):
    written(home, "shared: /shared\ntime_limit_minutes: 3\nsignal_s: 180\n")
    with pytest.raises(SpecError, match="signal_s: should be less than the time limit of 3 min"):
        read_profile(home, "gpu")


def test_a_file_under_another_name_is_refused(home):
    written(home, "name: other\nshared: /shared\n")
    with pytest.raises(SpecError, match="should be 'gpu', as the file is called"):
        read_profile(home, "gpu")


@pytest.mark.parametrize("text", ["a: [", "- a\n- b\n", "just text", ""])
def test_a_broken_file_is_named(home, text):
    written(home, text)
    with pytest.raises(LabError, match="gpu.yaml"):
        read_profile(home, "gpu")


def test_an_unknown_profile_suggests_the_nearest(home):
    written(home, "shared: /shared\n", "gpu-long")
    with pytest.raises(UnknownName, match="Did you mean 'gpu-long'"):
        read_profile(home, "gpu-lnog")


@pytest.mark.parametrize("name", ["../gpu", "a/b", "", "a b", ".hidden", "a\n"])
def test_a_name_cannot_leave_the_folder(name):
    with pytest.raises(SpecError, match="name"):
        load_spec(SlurmProfile, {"name": name, "shared": "/shared"})


@pytest.mark.parametrize("name", sorted(SlurmProfile.model_fields))
def test_every_field_says_what_it_means(name):
    assert SlurmProfile.model_fields[name].description
