"""What Slurm says of a job, and what is in the job's folder, become one reading. Pure: no commands, no clock.

The folder's verdict wins: Slurm knows how a process ended, the lab's runner knows how the work ended. A state that this
table lacks changes nothing. The states are those of Slurm 22.05 to 25.05 (man squeue, JOB STATE CODES).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jobs.slurm.commands import Row
from lab.core.errors import Reason

Stage = Literal["waiting", "running", "ended", "gone", "unknown"]
How = Literal["verdict", "lost", "failed", "cancelled"]
INTERRUPTED = "interrupted"
FINAL = ("succeeded", "failed", "cancelled")
SETTLE_S = 60.0  # how long the nodes' last writes may take to be seen here (attribute caches of NFS and Lustre)


@dataclass(frozen=True)
class Evidence:
    """What the job's folder shows of this attempt. `quiet_s`: for how long neither it nor Slurm's state has changed, on
    this machine's clock (clocks of nodes differ). `progressed`: a whole checkpoint is there that the attempt began
    without."""

    phase: str | None = None  # of status.json; None: the runner has not started
    quiet_s: float = 0.0
    progressed: bool = False


@dataclass(frozen=True)
class Reading:
    """How a job stands. `how` only where it has ended: by its verdict, lost (to be queued again), failed (with a
    reason) or cancelled in Slurm. `held_back`: Slurm lets it wait for a time that `hurry` can skip. `start`: when it
    started or Slurm expects to start it, by Slurm's clock. `state` and `why` are Slurm's own words."""

    stage: Stage
    text: str = ""
    node: str = ""
    how: How | None = None
    reason: Reason | None = None
    held_back: bool = False
    start: str = ""
    state: str = ""
    why: str = ""


@dataclass(frozen=True)
class Meaning:
    """One of Slurm's states."""

    stage: Literal["waiting", "running", "ended"]
    text: str
    how: How | None = None
    reason: Reason | None = None


def _lost(text: str) -> Meaning:
    return Meaning("ended", text, "lost", "cluster")


MEANINGS: dict[str, Meaning] = {
    "PENDING": Meaning("waiting", "Waits in Slurm's queue."),
    "CONFIGURING": Meaning("waiting", "Its node is being prepared."),
    "POWER_UP_NODE": Meaning("waiting", "Its node is being switched on."),
    "EXPEDITING": Meaning("waiting", "Slurm is about to start it again."),
    "REQUEUED": Meaning("waiting", "Slurm has put it back into its queue."),
    "REQUEUE_FED": Meaning("waiting", "Slurm has put it back into its queue."),
    "REQUEUE_HOLD": Meaning("waiting", "Slurm holds it back after a requeue: release it with `scontrol release`."),
    "RESV_DEL_HOLD": Meaning("waiting", "Held, since its reservation was deleted: release it with `scontrol release`."),
    "SPECIAL_EXIT": Meaning("waiting", "Held by the site after a special exit: release it with `scontrol release`."),
    "RUNNING": Meaning("running", ""),
    "COMPLETING": Meaning("running", "Its processes are ending."),
    "SIGNALING": Meaning("running", "It is being told to end."),
    "STAGE_OUT": Meaning("running", "Its files are being moved."),
    "UPDATE_DB": Meaning("running", "Slurm is writing it into its accounting."),
    "RESIZING": Meaning("running", "Its allocation is about to change."),
    "SUSPENDED": Meaning("running", "Suspended by Slurm: it keeps its place and does not advance."),
    "STOPPED": Meaning("running", "Stopped by a signal: it keeps its place and does not advance."),
    "COMPLETED": _lost("Slurm says it completed, and it left no verdict in its folder."),
    "FAILED": _lost("Its process ended without a verdict."),
    "NODE_FAIL": _lost("Its node failed."),
    "BOOT_FAIL": _lost("Its node did not boot."),
    "LAUNCH_FAILED": _lost("Slurm could not launch it on its node."),
    "RECONFIG_FAIL": _lost("Its node could not be configured."),
    "PREEMPTED": _lost("Another job took its place (preemption)."),
    "REVOKED": _lost("Slurm withdrew it in favour of another cluster."),
    "TIMEOUT": _lost("It reached its time limit; it goes on from its last checkpoint."),
    "OUT_OF_MEMORY": Meaning("ended", "Slurm ended it: it took more main memory than it had asked for. Raise "
                             "memory_gib_per_gpu in the profile.", "failed", "memory"),
    "DEADLINE": Meaning("ended", "Slurm ended it at its deadline. Remove the deadline from the profile's extra_sbatch.",
                        "failed", "cluster"),
    "CANCELLED": Meaning("ended", "Cancelled in Slurm, not from the lab.", "cancelled", "cluster"),
}
NOT_STARTED = ("The batch file ended before the lab's runner had begun. A setup line may have failed, or the profile's "
               "python or code is not there on the nodes: see {output}.")
NO_PROGRESS = ("It reached its time limit of {minutes} min without leaving a checkpoint since its start. Raise "
               "time_limit_minutes in the profile, or save more often.")
FORGOTTEN = "Slurm no longer knows this job, and it left no verdict in its folder."
WAITING_FOR = {
    "None": "", "Priority": "Jobs with a higher priority are ahead of it.",
    "Resources": "It is next: waits for free GPUs, cores or memory.",
    "BeginTime": "Slurm lets it wait before it starts again.",
    "JobHeldUser": "Held: release it with `scontrol release`.",
    "JobHeldAdmin": "Held by an administrator of the cluster.",
    "ReqNodeNotAvail": "A node that it needs is down or reserved.",
    "PartitionDown": "The partition is down.", "PartitionInactive": "The partition is inactive.",
    "PartitionTimeLimit": "It will not start: the profile's time_limit_minutes is more than the partition allows.",
    "PartitionNodeLimit": "It will not start: it asks for more nodes than the partition allows.",
    "PartitionConfig": "It will not start: the partition cannot give what the profile asks for.",
    "BadConstraints": "It will not start: no node has the profile's constraint.",
    "InvalidQOS": "It will not start: the profile's qos is not valid here.",
    "InvalidAccount": "It will not start: the profile's account is not valid here.",
    "launch failed requeued held": "Slurm could not launch it, and holds it: release it with `scontrol release`.",
}


@dataclass(frozen=True)
class Hints:
    """What the sentences name: the profile's time limit, and the file that holds what the batch file printed."""

    minutes: int = 0
    output: str = "slurm-*.txt in the job's folder"


def read(row: Row | None, evidence: Evidence, hints: Hints = Hints(), settle_s: float = SETTLE_S) -> Reading:
    """The reading of one job. `row` None: Slurm answered, and does not know it."""
    if evidence.phase in FINAL:
        return Reading("ended", node=row.node if row else "", how="verdict")
    if row is None:
        return _forgotten(evidence, settle_s)
    meaning = MEANINGS.get(row.state)
    if meaning is None:
        return Reading("unknown", f"Slurm calls its state {row.state}, which the lab does not know.")
    if meaning.stage == "waiting":
        return Reading("waiting", _why_it_waits(row, meaning), held_back=row.reason == "BeginTime", start=_start(row))
    if meaning.stage == "running":
        return Reading("running", meaning.text, row.node, start=_start(row))
    return _ended(row, meaning, evidence, hints, settle_s)


def _forgotten(evidence: Evidence, settle_s: float) -> Reading:
    if evidence.phase == INTERRUPTED:
        return Reading("ended", how="verdict")
    if evidence.quiet_s < settle_s:  # after a crash of the controller a job may run that Slurm has forgotten
        return Reading("unknown", "Slurm does not know this job; the lab waits for signs of it in its folder.")
    return Reading("gone", FORGOTTEN, how="lost", reason="cluster")


def _ended(row: Row, meaning: Meaning, evidence: Evidence, hints: Hints, settle_s: float) -> Reading:
    """Slurm says it has ended, and there is no final verdict in the folder (yet)."""
    if evidence.phase == INTERRUPTED and row.state != "CANCELLED":  # scancel reads as an interruption to the runner
        return Reading("ended", node=row.node, how="verdict")
    never_began = row.state == "CANCELLED" and evidence.phase is None
    if evidence.quiet_s < settle_s and not never_began and evidence.phase != INTERRUPTED:
        return Reading("running", "Slurm says it has ended; the lab waits for its verdict to be seen here.", row.node)
    how, reason, text = meaning.how, meaning.reason, meaning.text
    if row.state == "TIMEOUT" and not evidence.progressed:
        how, text = "failed", NO_PROGRESS.format(minutes=hints.minutes)
    elif row.state == "FAILED" and evidence.phase is None:
        how, text = "failed", NOT_STARTED.format(output=hints.output)
    return Reading("ended", text, row.node, how, reason)


def _why_it_waits(row: Row, meaning: Meaning) -> str:
    """Limits of a group or a QOS have many names; those are shown as Slurm writes them."""
    if row.reason in WAITING_FOR:
        return WAITING_FOR[row.reason] or meaning.text
    return f"{meaning.text} Slurm's reason: {row.reason}." if row.reason else meaning.text


def _start(row: Row) -> str:
    return "" if row.start in ("N/A", "Unknown", "None") else row.start
