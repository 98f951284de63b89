"""What Slurm says and what the folder holds, as one reading: every state, and which of the two wins."""

import pytest

from jobs.slurm.commands import Row
from jobs.slurm.states import FINAL, MEANINGS, Evidence, Hints, read

LONG, SHORT = 61.0, 5.0
# man squeue, JOB STATE CODES, of Slurm 22.05 to 25.05
ALL = """BOOT_FAIL CANCELLED COMPLETED COMPLETING CONFIGURING DEADLINE EXPEDITING FAILED LAUNCH_FAILED NODE_FAIL
OUT_OF_MEMORY PENDING POWER_UP_NODE PREEMPTED RECONFIG_FAIL REQUEUED REQUEUE_FED REQUEUE_HOLD RESIZING RESV_DEL_HOLD
REVOKED RUNNING SIGNALING SPECIAL_EXIT STAGE_OUT STOPPED SUSPENDED TIMEOUT UPDATE_DB""".split()


def row(state, reason="None", **fields):
    return Row("12", state, reason, "n1", "2026-01-01T00:00:00", "trace-lab:x", **fields)


def test_the_table_has_every_state_of_slurm_and_no_other():
    assert sorted(MEANINGS) == sorted(ALL)


@pytest.mark.parametrize("state", [*ALL, "SOMETHING_NEW"])
@pytest.mark.parametrize("phase", FINAL)
def test_a_final_verdict_in_the_folder_wins_over_every_state(state, phase):
    reading = read(row(state), Evidence(phase))
    assert (reading.stage, reading.how) == ("ended", "verdict")


def test_a_state_that_the_lab_does_not_know_changes_nothing():
    assert read(row("SOMETHING_NEW"), Evidence("running", LONG)).stage == "unknown"


@pytest.mark.parametrize("state, phase, how, reason", [
    ("COMPLETED", "running", "lost", "cluster"), ("COMPLETED", None, "lost", "cluster"),
    ("FAILED", "running", "lost", "cluster"), ("FAILED", None, "failed", "cluster"),
    ("OUT_OF_MEMORY", "running", "failed", "memory"), ("DEADLINE", "running", "failed", "cluster"),
    ("CANCELLED", "running", "cancelled", "cluster"), ("CANCELLED", "interrupted", "cancelled", "cluster"),
    ("NODE_FAIL", "running", "lost", "cluster"), ("BOOT_FAIL", None, "lost", "cluster"),
    ("PREEMPTED", "running", "lost", "cluster"), ("PREEMPTED", "interrupted", "verdict", None),
    ("FAILED", "interrupted", "verdict", None), ("TIMEOUT", "interrupted", "verdict", None),
    ("TIMEOUT", "running", "failed", "cluster"), ("LAUNCH_FAILED", None, "lost", "cluster"),
])
def test_what_an_ended_job_means_for_the_lab(state, phase, how, reason):
    reading = read(row(state), Evidence(phase, LONG))
    assert (reading.stage, reading.how, reading.reason) == ("ended", how, reason)
    assert reading.text or how == "verdict"


@pytest.mark.parametrize("state", ["COMPLETED", "FAILED", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL"])
def test_a_verdict_may_be_late_on_a_shared_folder(state):
    reading = read(row(state), Evidence("running", SHORT))
    assert reading.stage == "running" and "waits for its verdict" in reading.text


def test_a_job_that_was_cancelled_while_it_waited_has_nothing_to_be_late():
    assert read(row("CANCELLED"), Evidence(None, 0)).how == "cancelled"


def test_a_time_limit_is_a_pause_for_who_got_further_and_a_failure_for_who_did_not():
    assert read(row("TIMEOUT"), Evidence("running", LONG, progressed=True)).how == "lost"
    stuck = read(row("TIMEOUT"), Evidence("running", LONG), Hints(minutes=90))
    assert stuck.how == "failed" and "90 min" in stuck.text and "time_limit_minutes" in stuck.text


@pytest.mark.parametrize("state, stage", [("PENDING", "waiting"), ("RUNNING", "running"), ("COMPLETING", "running")])
def test_an_interrupted_job_that_slurm_still_holds_is_not_over(state, stage):
    """It put itself back, or Slurm does: who queued it again now would have it twice."""
    assert read(row(state), Evidence("interrupted", LONG)).stage == stage


@pytest.mark.parametrize("reason, words", [
    ("Priority", "ahead of it"), ("Resources", "free GPUs"), ("PartitionTimeLimit", "time_limit_minutes"),
    ("QOSMaxGRESPerUser", "Slurm's reason: QOSMaxGRESPerUser"), ("None", "Waits in Slurm's queue"),
])
def test_what_waits_says_why(reason, words):
    reading = read(row("PENDING", reason), Evidence())
    assert reading.stage == "waiting" and words in reading.text and not reading.held_back


def test_a_wait_after_a_requeue_can_be_skipped():
    assert read(row("PENDING", "BeginTime"), Evidence("interrupted")).held_back


@pytest.mark.parametrize("phase", [None, "starting", "running"])
def test_a_job_that_slurm_forgot_is_gone_once_its_folder_is_quiet(phase):
    assert read(None, Evidence(phase, SHORT)).stage == "unknown"
    reading = read(None, Evidence(phase, LONG))
    assert (reading.stage, reading.how) == ("gone", "lost")


def test_a_job_that_slurm_forgot_after_it_was_interrupted_has_ended():
    assert read(None, Evidence("interrupted", 0)).how == "verdict"
