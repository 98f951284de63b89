"""Jobs of two processes, here and on Slurm; on Slurm also over two nodes."""

from __future__ import annotations

from tests.jobs.conformance.places import Place
from tests.jobs.conftest import ended

SUM = sum(range(1, 3))  # what two ranks add up to in each step


def test_two_processes_meet(place: Place) -> None:
    with place.working():
        row = ended(place.store, place.submit("meet", steps=5))
    assert (row.state, row.devices, row.attempt) == ("succeeded", 2, 1), row.message
    assert (row.result["world"], row.result["sum"]) == (2, 5 * SUM) and len(set(row.result["nodes"])) == 1
    assert place.steps(row, "met") == list(range(5)) and place.nothing_left(row)


def test_ranks_on_two_nodes_meet_are_preempted_together_and_go_on(slurm: Place) -> None:
    slurm.allow(gpus_per_node=1)
    with slurm.working():
        job = slurm.submit("meet", steps=50, pause_s=0.1)
        slurm.runs(job, further_than=4)
        slurm.cluster.run("sbatch", "-p", "urgent", "--exclusive", "-N2", "--wrap", "sleep 1", "-o", "/dev/null")
        row = ended(slurm.store, job, 90)
    assert (row.state, row.result["world"], row.result["nodes"]) == ("succeeded", 2, ["n1", "n2"]), row.message
    assert row.result["sum"] == 50 * SUM and row.result["begun_at"] > 4 and slurm.nothing_left(job)
    assert slurm.steps(job, "met") == list(range(50)) and row.attempt == 1, "under the same number in Slurm"
