"""Attempts, losses, cost, checkpoints and choices of one job, in words."""

from datetime import UTC, datetime, timedelta

import pytest

from jobs.endings import Left, Outcome, end_attempt
from jobs.leases import begin_attempt
from lab.core.checkpoints import Checkpoints
from lab.ui.jobs.choices import choices
from lab.ui.jobs.cost import Cost, cost, device_kind
from lab.ui.jobs.saved import last_saved
from lab.ui.jobs.story import attempts, attempts_table, n_losses, resumed_at, story
from storage.queries.jobs import events, get_job
from storage.tables import Device, Job, JobEvent
from tests.stores import new_store

MOMENT = datetime(2026, 1, 1, 12, tzinfo=UTC)


def job(**columns) -> Job:
    return Job(**{"id": 7, "uid": "a" * 12, "kind": "sft", "name": "x", **columns})


@pytest.fixture
def lost_once(tmp_path):
    """A job in its second attempt, through the very functions that the worker calls."""
    store = new_store(tmp_path)
    with store.write() as session:
        session.add(job())
        session.flush()
        session.add(Device(host="node", name="gpu:GPU-2f1c9e1a-77", kind="gpu", job_id=7))
        session.flush()
        row = get_job(session, 7)
        begin_attempt(session, row, "node/main:1:1", "gpu:GPU-2f1c9e1a-77")
        outcome = Outcome("lost", "lost", "The machine was restarted while the job ran.")
        end_attempt(session, row, outcome, None, Left(120))
        begin_attempt(session, row, "node/main:1:1", "gpu:GPU-2f1c9e1a-77")
    with store.read() as session:
        yield get_job(session, 7), events(session, 7)
    store.close()


def test_attempts_are_told_from_what_the_worker_writes(lost_once):
    row, told = lost_once[0], attempts(lost_once[1])
    assert [(one.number, one.on, one.from_step, one.ended) for one in told] == [
        (1, "gpu:GPU-2f1c9e1a-77", 0, "lost"), (2, "gpu:GPU-2f1c9e1a-77", 120, "")]
    words = story(row, told, 120)
    assert "Attempt 2, goes on from step 120" in words
    assert "Lost once: The machine was restarted while the job ran." in words
    assert n_losses(told) == 1 and resumed_at(told) == [120]
    assert "GPU-2f1c9e1a" in attempts_table(told) and "the start" in attempts_table(told)


def test_a_job_that_simply_runs_has_no_story(lost_once):
    assert story(job(state="running"), attempts(lost_once[1][:1]), 0) is None


def test_a_lost_job_that_waits_says_from_where_it_goes_on(lost_once):
    before = attempts(lost_once[1])[:1]
    assert "goes on from step 120" in story(job(state="queued"), before, 120)
    assert "starts over" in story(job(state="queued"), before, 0)


def test_cost_is_of_all_attempts_and_of_every_device_until_now():
    row = job(state="running", devices=4, device_seconds=3600, started_at=MOMENT - timedelta(minutes=30))
    assert cost(row, MOMENT, "gpu").hours == pytest.approx(1 + 4 * 0.5)
    row.state = "failed"
    assert cost(row, MOMENT, "gpu").hours == pytest.approx(1)


def test_waiting_in_slurm_costs_nothing():
    row = job(state="starting", cluster={"state": "PENDING"}, started_at=MOMENT - timedelta(hours=5))
    assert cost(row, MOMENT, "").hours == 0


def test_money_is_told_where_a_price_is_set_and_only_of_gpus():
    assert Cost(1.25, "gpu", 2.5).words == "1.25 GPU-hours, about 3.12 at 2.50 an hour"
    assert Cost(1.25, "gpu").words == "1.25 GPU-hours"
    assert Cost(0.25, "cpu", 2.5).words == "0.250 CPU-slot-hours"
    assert Cost(0.0001, "cpu").words.startswith("less than 0.001")


@pytest.mark.parametrize(("on", "kind"), [
    ("gpu:GPU-1, gpu:GPU-2", "gpu"), ("cpu:0", "cpu"), ("h100", ""), ("gpu:GPU-1, cpu:0", ""), ("", ""),
])
def test_what_an_attempt_ran_on_is_read_from_its_devices(on, kind):
    assert device_kind(on) == kind


def make_checkpoint(folder, step: int, whole: bool = True) -> Checkpoints:
    checkpoints = Checkpoints(folder)
    checkpoints.path(step).mkdir(parents=True)
    (checkpoints.path(step) / "weights.bin").write_bytes(b"0" * 3 * 2**20)
    if whole:
        checkpoints.seal(step)
    return checkpoints


def test_the_last_whole_checkpoint_is_told_and_half_written_ones_are_counted(tmp_path):
    assert last_saved(Checkpoints(tmp_path)) is None
    make_checkpoint(tmp_path, 120)
    saved = last_saved(make_checkpoint(tmp_path, 160, whole=False))
    assert (saved.step, round(saved.size_mib), saved.n_broken) == (120, 3, 1)
    assert "step 120, 3 MiB" in saved.words and "1 half-written one skipped" in saved.words


@pytest.fixture
def saved(tmp_path):
    return last_saved(make_checkpoint(tmp_path, 120))


def test_a_cancelled_job_with_a_checkpoint_can_resume_or_start_over(saved):
    may = choices(job(state="cancelled"), [], saved, resumes=True)
    assert may.retry and may.retry_word == "Resume from step 120"
    assert may.start_over and "checkpoint of step 120 is deleted" in may.start_over_question


def test_a_kind_that_does_not_resume_is_retried_whatever_lies_in_its_folder(saved):
    may = choices(job(state="failed"), [], saved, resumes=False)
    assert may.retry_word == "Retry" and not may.start_over


@pytest.mark.parametrize(("state", "resumes", "words"), [
    ("running", True, "saves a checkpoint first, which is kept"), ("running", False, "What it has done so far is lost"),
    ("queued", True, "Its checkpoint of step 120 is kept"),
])
def test_cancel_says_what_is_kept_and_what_is_lost(saved, state, resumes, words):
    question = choices(job(state=state), [job(id=8), job(id=9, state="failed")], saved, resumes).cancel_question
    assert words in question and "cancelled with it: 1." in question


def test_only_a_job_in_the_line_can_be_moved():
    assert choices(job(), [], None, False).move
    assert not choices(job(state="running"), [], None, False).move
    assert not choices(job(desired="cancel"), [], None, False).move


def test_a_restart_by_slurm_itself_is_an_attempt_of_its_own():
    told = attempts([JobEvent(job_id=7, state=state, why=why, at=MOMENT) for state, why in (
        ("queued", "submitted"), ("starting", "attempt 1 on Slurm, profile h100"), ("running", "on n1"),
        ("lost", "Slurm took it off its node and put it back into its queue."),
        ("starting", "waits in Slurm's queue; goes on from step 60"), ("running", "on n2"),
        ("lost", "Slurm took it off its node, and has started it again since."), ("running", "goes on"),
    )])
    assert [(one.from_step, one.ended) for one in told] == [(0, "lost"), (60, "lost"), (0, "")]
