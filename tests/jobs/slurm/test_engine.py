"""The engine against a real Slurm: two simulated nodes of eight fake GPUs."""

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from jobs.slurm.batch import SlurmJob
from jobs.slurm.commands import Answer, Refused, Unreachable
from jobs.slurm.refs import Ref
from lab.core.context import write_json
from lab.core.errors import LabError
from storage.files import read_json
from tests.jobs.slurm.conftest import ended, reads, running, submitted, wait_for, watch


def phase(job: SlurmJob) -> str | None:
    return (read_json(Path(job.folder) / "status.json") or {}).get("phase")


def test_a_job_runs_with_the_gpus_it_asked_for_and_leaves_its_verdict(cluster, lab, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("LAB_DATABASE_URL", "postgresql://lab:secret@localhost/lab")
    monkeypatch.setenv("SBATCH_PARTITION", "urgent")
    engine = lab.engine(gpu_type="h100", setup=("export MARKED_BY_SETUP='a b'",))
    job = lab.job(devices=2)
    (one,) = submitted(engine, job)
    assert reads(engine, one, ended).how == "verdict"
    assert phase(job) == "succeeded"
    (start,) = lab.starts()
    assert start["CUDA_VISIBLE_DEVICES"] == "0,1" and start["LAB_JOB_UID"] == "a" and start["HF_HUB_OFFLINE"] == "1"
    assert start["SLURM_JOB_PARTITION"] == "normal", "options of the worker's own environment do not count"
    assert start["LAB_DATABASE_URL"] is None, "the job's process never opens the store"
    assert start["MARKED_BY_SETUP"] == "a b"


def test_several_jobs_are_one_array_and_each_gets_its_own_folder_and_gpus(cluster, lab):
    engine = lab.engine()
    watches = submitted(engine, *(lab.job(uid, seconds=1, devices=4) for uid in ("a", "b", "c")))
    numbers = {one.ref.job_id.partition("_")[0] for one in watches}
    assert len(numbers) == 1 and [one.ref.job_id.partition("_")[2] for one in watches] == ["0", "1", "2"]
    for one in watches:
        assert reads(engine, one, ended).how == "verdict"
    assert [lab.starts(uid)[0]["LAB_JOB_UID"] for uid in "abc"] == ["a", "b", "c"]
    assert all(len(lab.starts(uid)[0]["CUDA_VISIBLE_DEVICES"].split(",")) == 4 for uid in "abc")


def test_a_job_of_more_gpus_than_a_node_has_gets_whole_nodes(cluster, lab):
    engine = lab.engine(nodes_max=2)
    (one,) = submitted(engine, lab.job(devices=16))
    reads(engine, one, ended)
    assert lab.starts()[0]["SLURM_NNODES"] == "2"


def test_what_waits_says_why_and_is_cancelled_at_once(cluster, lab):
    engine = lab.engine(nodes_max=2)
    first, second = lab.job("a", devices=16, seconds=60), lab.job("b", devices=16)
    (runs,) = submitted(engine, first)
    reads(engine, runs, running)
    (waits,) = submitted(engine, second)
    reading = reads(engine, waits, lambda reading: "next" in reading.text)
    assert reading.stage == "waiting"
    assert isinstance(engine.stop(waits.ref), (Answer, Refused))
    assert reads(engine, waits, ended).how == "cancelled"
    assert not lab.starts("b")


def test_a_cancel_reaches_the_job_itself_which_saves_and_says_cancelled(cluster, lab):
    engine = lab.engine()
    job = lab.job(seconds=60)
    (one,) = submitted(engine, job)
    reads(engine, one, lambda reading: phase(job) == "running")
    write_json(job.folder / "control.json", {"stop": "cancel"})
    assert isinstance(engine.stop(one.ref), Answer)
    assert reads(engine, one, ended, 5).how == "verdict"
    assert phase(job) == "cancelled" and read_json(job.folder / "step.json")["by"] == "SIGTERM"


def test_a_deaf_job_is_killed_and_leaves_no_process(cluster, lab):
    engine = lab.engine()
    job = lab.job(seconds=60, deaf=True)
    (one,) = submitted(engine, job)
    pid = wait_for(lambda: lab.starts())[0]["pid"]
    engine.stop(one.ref)
    assert reads(engine, one, running)
    engine.kill(one.ref)
    assert reads(engine, one, ended).how == "cancelled"
    wait_for(lambda: not Path(f"/proc/{pid}").exists(), 5)


def test_a_requeued_job_starts_again_at_once_and_goes_on_where_it_was(cluster, lab):
    engine = lab.engine(self_requeue=True)
    job = lab.job(seconds=2)
    (one,) = submitted(engine, job)
    wait_for(lambda: (read_json(job.folder / "status.json") or {}).get("beat", 0) > 5)
    assert isinstance(engine.requeue(one.ref), Answer)

    def again(reading):
        if reading.held_back:
            engine.hurry(one.ref)
        return len(lab.starts()) == 2

    reads(engine, one, again)
    assert reads(engine, one, ended).how == "verdict" and phase(job) == "succeeded"
    first, second = lab.starts()
    assert first["SLURM_JOB_ID"] == second["SLURM_JOB_ID"] and second["SLURM_RESTART_COUNT"] == "1"
    assert read_json(job.folder / "step.json")["step"] > 5, "it saved before it went"


def test_an_urgent_job_takes_the_place_of_another_which_saves_and_reads_as_interrupted(cluster, lab):
    engine, urgent = lab.engine(nodes_max=2), lab.engine(name="urgent", partition="urgent", nodes_max=2)
    job, other = lab.job("a", seconds=60, devices=16), lab.job("b", devices=16)
    (one,) = submitted(engine, job)
    reads(engine, one, lambda reading: phase(job) == "running")
    (quick,) = submitted(urgent, other)
    assert reads(engine, one, ended).how == "verdict"
    assert phase(job) == "interrupted" and read_json(job.folder / "step.json")["by"] == "SIGUSR1"
    assert reads(urgent, quick, ended).how == "verdict" and phase(other) == "succeeded"


def test_while_the_controller_is_away_nothing_is_known_and_nothing_changes(own_cluster, lab):
    engine, impatient = lab.engine(), lab.engine(timeout_s=0.5)
    job, other = lab.job("a", seconds=60), lab.job("b")
    (one,) = submitted(engine, job)
    pid = wait_for(lambda: lab.starts())[0]["pid"]
    own_cluster.stop("slurmctld")
    reading = impatient.poll([one])[one.ref]
    assert reading.stage == "unknown" and "squeue" in reading.text
    assert isinstance(impatient.submit(*engine.batches([other])), Unreachable)
    assert isinstance(impatient.stop(one.ref), Unreachable)
    own_cluster.start("slurmctld")
    own_cluster.wait_until_ready()
    assert engine.poll([one])[one.ref].stage == "running"
    assert reads(engine, submitted(engine, other)[0], ended).how == "verdict"
    assert phase(job) == "running" and Path(f"/proc/{pid}").exists() and len(lab.starts()) == 1


def test_a_job_that_a_crashed_controller_forgot_is_gone_only_when_its_folder_is_quiet(own_cluster, lab):
    engine = lab.engine()
    job = lab.job(seconds=60)
    (one,) = submitted(engine, job)
    pid = wait_for(lambda: lab.starts())[0]["pid"]
    own_cluster.kill("slurmctld")
    shutil.rmtree(own_cluster.folder / "state")  # so that it forgets for certain
    (own_cluster.folder / "state").mkdir()
    own_cluster.start("slurmctld")
    own_cluster.wait_until_ready()

    def gone(reading):
        assert reading.stage == "unknown" or not Path(f"/proc/{pid}").exists(), reading
        return reading.stage == "gone"

    assert reads(engine, one, gone).how == "lost"  # Slurm ends the process that it does not know


def test_a_verdict_in_the_folder_needs_no_controller(lab):
    engine = lab.engine(timeout_s=0.5, ssh="/nowhere/ssh login1")
    job = lab.job()
    one = watch(Ref("12", "trace-lab:x"), job)
    assert engine.poll([one])[one.ref].stage == "unknown"
    for verdict, stage in {"running": "unknown", "interrupted": "unknown", "failed": "ended"}.items():
        write_json(job.folder / "status.json", {"phase": verdict, "attempt": 1})
        assert engine.poll([one])[one.ref].stage == stage, verdict
    write_json(job.folder / "status.json", {"phase": "succeeded", "attempt": 0})
    assert engine.poll([one])[one.ref].stage == "unknown", "the verdict of another attempt is none"


def test_after_a_lost_answer_the_same_jobs_are_found_and_not_submitted_twice(cluster, lab):
    engine = lab.engine()
    jobs = [lab.job(uid, seconds=30) for uid in ("a", "b")]
    (batch,) = engine.batches(jobs)
    first = engine.submit(batch)
    again = lab.engine()  # a worker that was killed before it could write the answer down
    assert again.find(jobs) == first and again.submit(batch) == first
    assert again.find([SlurmJob("a", 2, jobs[0].folder)]) == {}, "another attempt is another submission"
    assert len({line for line in cluster.run("squeue", "-h", "--me", "-o", "%F").split()}) == 1


def test_a_number_that_was_given_again_is_another_job(cluster, lab):
    engine = lab.engine()
    (one,) = submitted(engine, lab.job(seconds=30))
    reads(engine, one, running)
    old = watch(Ref(one.ref.job_id, "trace-lab:0123456789abcdef"), lab.job("old"))
    assert reads(engine, old, lambda reading: reading.stage == "gone").how == "lost"
    assert isinstance(engine.kill(old.ref), Refused)
    assert engine.poll([one])[one.ref].stage == "running", "the job that has the number now was left alone"


def test_what_slurm_forgot_but_still_runs_is_not_called_lost(cluster, lab):
    """After kill -9 of a controller it may not know a job whose process goes on: its beat is the sign of life."""
    engine = lab.engine()
    job = lab.job(seconds=30)
    (one,) = submitted(engine, job)
    reads(engine, one, lambda reading: phase(job) == "running")
    forgotten = watch(Ref("999999", one.ref.tag), job)
    until = time.monotonic() + 2 * engine.settle_s
    while time.monotonic() < until:
        assert engine.poll([forgotten])[forgotten.ref].stage == "unknown"
    os.kill(lab.starts()[0]["pid"], signal.SIGKILL)
    assert reads(engine, forgotten, lambda reading: reading.stage != "unknown", 10).stage == "gone"


def test_a_process_that_was_killed_is_lost_and_a_batch_file_that_never_began_has_failed(cluster, lab):
    engine = lab.engine()
    (killed,) = submitted(engine, lab.job(seconds=30))
    reads(engine, killed, running)
    os.kill(wait_for(lambda: lab.starts())[0]["pid"], signal.SIGKILL)
    reading = reads(engine, killed, ended)
    assert (reading.how, reading.reason) == ("lost", "cluster")
    broken = lab.engine(setup=("echo here it begins", "module load nothing-like-this"))
    (one,) = submitted(broken, lab.job("b"))
    reading = reads(broken, one, ended)
    assert reading.how == "failed" and "setup line" in reading.text
    output = broken.output(one.ref, one.folder)
    assert str(output) in reading.text and "here it begins" in output.read_text() and not lab.starts("b")


def test_a_completed_job_without_a_verdict_is_lost_after_a_while_and_not_before(cluster, lab):
    engine = lab.engine(settle_s=1.5)
    (one,) = submitted(engine, lab.job(silent=True))
    reading = reads(engine, one, lambda reading: "verdict" in reading.text)
    assert reading.stage == "running"
    assert reads(engine, one, ended).how == "lost"


def test_slurm_refuses_in_its_own_words(cluster, lab):
    engine = lab.engine(partition="nowhere")
    with pytest.raises(LabError, match="nvalid partition.*Correct the profile") as refusal:
        engine.submit(*engine.batches([lab.job()]))
    assert refusal.value.reason == "cluster"


def test_through_a_login_node_every_command_is_one_quoted_line(cluster, lab, tmp_path):
    """The fake ssh does what ssh does: it hands its last argument to a shell, in a clean environment."""
    said = tmp_path / "said.txt"
    ssh = tmp_path / "ssh with a space"
    ssh.write_text(f'#!/bin/sh\necho "$2" >>{said}\n'
                   f'exec env -i PATH="$PATH" SLURM_CONF="$SLURM_CONF" HOME=/ sh -c "$2"\n')
    ssh.chmod(0o755)
    engine = lab.engine(ssh=f"'{ssh}' login1")
    job = lab.job(uid="it is; touch x")
    (one,) = submitted(engine, job)
    assert reads(engine, one, ended).how == "verdict" and phase(job) == "succeeded"
    assert lab.starts("it is; touch x")[0]["LAB_JOB_UID"] == "it is; touch x"
    lines = said.read_text().splitlines()
    assert lines and all(line.startswith(("sbatch ", "squeue ")) for line in lines)
    assert "'%i|%T|%r|%N|%S|%k'" in said.read_text()


def test_a_login_node_that_does_not_answer_is_away(lab, tmp_path):
    ssh = tmp_path / "ssh"
    ssh.write_text("#!/bin/sh\necho 'Permission denied (publickey).' >&2\nexit 255\n")
    ssh.chmod(0o755)
    engine = lab.engine(ssh=f"{ssh} login1")
    assert engine.submit(*engine.batches([lab.job()])) == Unreachable("Permission denied (publickey).")


def test_folders_with_spaces_and_quotes_in_variables_reach_the_job_as_they_are(cluster, lab, monkeypatch):
    monkeypatch.setenv("LAB_EXTRA_TASKS", "a b; exit 1 $(exit 2) '\"")
    engine = lab.engine()
    job = lab.job(uid="with a space")
    (one,) = submitted(engine, job)
    assert reads(engine, one, ended).how == "verdict" and phase(job) == "succeeded"
    assert engine.output(one.ref, one.folder).exists(), "Slurm's own remarks are where the page looks for them"


def test_a_folder_outside_the_shared_one_is_refused_before_anything_is_sent(lab):
    engine = lab.engine(shared="/somewhere/else")
    with pytest.raises(LabError, match="does not lie in /somewhere/else"):
        engine.render(*engine.batches([lab.job()]))


def test_the_file_that_was_sent_is_kept_and_is_the_one_that_was_shown(cluster, lab):
    engine = lab.engine()
    (batch,) = engine.batches([lab.job()])
    shown = engine.render(batch)
    ref = engine.submit(batch)["a"]
    assert engine.batch_file(ref).read_text() == shown
    assert json.loads((engine.batch_file(ref).parent / "jobs.json").read_text()) == {"jobs": [["a", 1]]}
