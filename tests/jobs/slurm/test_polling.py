"""One poll for all jobs: what squeue forgets is asked of the accounting, once, and only where there is one."""

from pathlib import Path

import pytest

from jobs.slurm.commands import Row, Unreachable
from jobs.slurm.polling import Poll
from jobs.slurm.refs import Ref, Watch
from lab.core.context import write_json
from storage.files import JobFolder

TAG = "trace-lab:x"


class Scripted:
    """Slurm as a script: what each command answers, and what was asked."""

    def __init__(self, queue=(), accounts=None):
        self.queue_answer, self.accounts_answer, self.asked = list(queue), accounts, []

    def queue(self):
        self.asked.append("squeue")
        return self.queue_answer

    def has_accounting(self):
        self.asked.append("scontrol")
        return self.accounts_answer is not None

    def accounts(self, job_ids):
        self.asked.append(f"sacct {','.join(job_ids)}")
        return self.accounts_answer


def watches(folder, count):
    found = [Watch(Ref(str(number), TAG), JobFolder(folder / str(number)), 1) for number in range(count)]
    for one in found:
        one.folder.prepare()
    return found


def poll_of(slurm, now=lambda: 0.0):
    return Poll(slurm, 60, lambda watch: Path("slurm.txt"), 60.0, now)


def test_one_call_does_for_all_jobs(tmp_path):
    slurm = Scripted([Row(str(number), "RUNNING", comment=TAG) for number in range(50)])
    readings = poll_of(slurm)(watches(tmp_path, 50))
    assert {reading.stage for reading in readings.values()} == {"running"} and slurm.asked == ["squeue"]


def test_only_what_squeue_forgot_is_asked_of_the_accounting(tmp_path):
    kept = {"1": Row("1", "OUT_OF_MEMORY"), "2": Row("2", "FAILED", comment="another's")}
    slurm = Scripted([Row("0", "RUNNING", comment=TAG)], kept)
    time = [0.0]
    poll = poll_of(slurm, lambda: time[0])
    three = watches(tmp_path, 3)
    poll(three)
    time[0] = 61.0
    stages = [(reading.stage, reading.reason) for reading in poll(three).values()]
    assert stages == [("running", None), ("ended", "memory"), ("gone", "cluster")]
    assert slurm.asked == ["squeue", "scontrol", "sacct 1,2", "squeue", "sacct 1,2"]


def test_without_accounting_nothing_is_asked_of_it(tmp_path):
    slurm = Scripted()
    poll = poll_of(slurm)
    for _ in range(2):
        poll(watches(tmp_path, 1))
    assert slurm.asked == ["squeue", "scontrol", "squeue"]


def test_an_accounting_that_is_away_leaves_the_forgotten_unknown_and_the_others_as_they_are(tmp_path):
    slurm = Scripted([Row("0", "RUNNING", comment=TAG)], Unreachable("slurmdbd is down"))
    readings = poll_of(slurm, lambda: 1000.0)(watches(tmp_path, 2))
    assert {ref.job_id: reading.stage for ref, reading in readings.items()} == {"0": "running", "1": "unknown"}


def test_a_beat_keeps_a_forgotten_job_alive_and_its_silence_ends_it(tmp_path):
    time, (one,) = [0.0], watches(tmp_path, 1)
    poll = poll_of(Scripted(), lambda: time[0])
    for beat in range(4):
        write_json(one.folder.status, {"phase": "running", "attempt": 1, "beat": beat})
        time[0] += 50
        assert poll([one])[one.ref].stage == "unknown"
    time[0] += 61
    assert poll([one])[one.ref].stage == "gone"


@pytest.mark.parametrize("step, how", [(5, "lost"), (3, "failed")])
def test_a_whole_checkpoint_beyond_where_it_began_is_progress(tmp_path, step, how):
    folder, time = JobFolder(tmp_path / "0"), [0.0]
    folder.prepare()
    folder.checkpoints.path(step).mkdir(parents=True)
    (folder.checkpoints.path(step) / "weights").write_text("w")
    folder.checkpoints.seal(step)
    one = Watch(Ref("0", TAG), folder, 1, began_at=3)
    poll = poll_of(Scripted([Row("0", "TIMEOUT", comment=TAG)]), lambda: time[0])
    poll([one])
    time[0] = 61.0
    assert poll([one])[one.ref].how == how
