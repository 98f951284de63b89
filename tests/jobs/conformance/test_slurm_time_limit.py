"""The time limit: Slurm warns, the job saves, asks Slurm for another start, and goes on. It mostly waits, since Slurm
looks at its clock but twice a minute: in a file of its own it does so beside other tests."""

from __future__ import annotations

from tests.jobs.conformance.places import Place
from tests.jobs.conftest import ended


def test_a_job_that_nears_its_time_limit_saves_puts_itself_back_and_ends_right(slurm: Place) -> None:
    slurm.allow(time_limit_minutes=1, signal_s=50)
    with slurm.working():
        job = slurm.submit("climb", steps=350, pause_s=0.1)
        number = slurm.runs(job).cluster["id"]
        row = ended(slurm.store, job, 180)
    assert (row.state, row.attempt, row.cluster["id"]) == ("succeeded", 1, number), row.message
    assert row.result["sum"] == sum(range(350)) and row.result["begun_at"] > 0
    assert slurm.steps(job, "height") == list(range(350)) and slurm.states(job).count("lost") >= 1
    assert f"back into Slurm's queue as {number}" in slurm.folder(job).log.read_text()
