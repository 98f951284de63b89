"""No value of a profile becomes a second line, another option or another command."""

from pathlib import Path

import pytest

from jobs.slurm.words import (
    command_prefix,
    feature_expression,
    full_path,
    in_directive,
    sbatch_option,
    setup_line,
    slurm_word,
)
from lab.core.errors import LabError

LINE_ENDS = ["a\nb", "a\rb", "a\x0bb", "a\x0cb", "a\x85b", "a\u2028b", "a\x00b", "gpu\n#SBATCH --account=x", "gpu\n"]
CHECKS = [slurm_word, feature_expression, full_path, setup_line, sbatch_option, command_prefix]


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("value", LINE_ENDS)
def test_no_field_takes_a_line_end_of_any_kind(check, value):
    path = f"/{value}"
    option = f"--x={value}"
    with pytest.raises(ValueError):
        check({full_path: path, sbatch_option: option}.get(check, value))


@pytest.mark.parametrize("value", ["gpu long", "gpu;id", "$(id)", "`id`", "gpu#", "'gpu'", '"g"', "-gpu", "gpu\\", "é"])
def test_a_partition_is_one_plain_word(value):
    with pytest.raises(ValueError, match="one word"):
        slurm_word(value)


@pytest.mark.parametrize("value", ["", "gpu", "gpu,gpu-long", "a100_80", "proj.x@site"])
def test_what_sites_call_their_partitions_and_accounts_is_taken(value):
    assert slurm_word(value) == value


@pytest.mark.parametrize("value", ["h100&nvlink", "[rack1|rack2]", "(a*2&b)"])
def test_a_constraint_may_be_an_expression(value):
    assert feature_expression(value) == value


@pytest.mark.parametrize("line", [
    "module load cuda/12.4", "export A='b c'", "source /opt/venv/bin/activate", "cat <<< word", "# a remark", "set +e",
])
def test_a_setup_line_is_any_complete_shell_line(line):
    assert setup_line(line) == line


@pytest.mark.parametrize("line", ["echo 'open", 'echo "open', "module load x \\", "cat <<EOF", "cat <<-EOF",
                                  "#SBATCH --account=other", "  #sbatch -A other"])
def test_a_setup_line_cannot_swallow_the_next_or_pretend_to_be_for_sbatch(line):
    with pytest.raises(ValueError):
        setup_line(line)


@pytest.mark.parametrize("option", ["--exclusive", "--container-image=/images/lab.sqsh", "--mail-user=a@b.ch",
                                    "--reservation=night", "--mem-per-gpu=80G", "--nodelist=n[1-4]", "--nice=100"])
def test_an_option_that_the_lab_does_not_set_is_taken(option):
    assert sbatch_option(option) == option


@pytest.mark.parametrize("option", ["--comment=x", "--comm=x", "--output=/dev/null", "--wrap=id", "--no-requeue",
                                    "--arr=0-9", "--export=NONE", "--clusters=other", "--job-name=x"])
def test_an_option_of_the_labs_own_is_refused_also_when_it_is_shortened(option):
    with pytest.raises(ValueError, match="the lab sets"):
        sbatch_option(option)


@pytest.mark.parametrize("option", ["-A other", "exclusive", "--x=a b", "--x='a'", "--x=$(id)", "--x=a;b", "--X",
                                    "--x=a#b"])
def test_an_option_without_spaces_and_quotes_is_all_there_is(option):
    with pytest.raises(ValueError, match="should look like"):
        sbatch_option(option)


def test_a_folder_is_quoted_for_sbatch_and_refused_where_no_quotes_help():
    assert in_directive(Path("/data/lab/slurm-%j.txt")) == "/data/lab/slurm-%j.txt"
    assert in_directive(Path("/data/my lab/slurm-%j.txt")) == '"/data/my lab/slurm-%j.txt"'
    for name in ("100%", 'a"b', "it's", "a\\b", "a\nb"):
        with pytest.raises(LabError, match="cannot be named in a Slurm batch file"):
            in_directive(Path("/data", name, "slurm-%j.txt"))
