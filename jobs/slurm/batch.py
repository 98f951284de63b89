"""A batch: one or more jobs that go to Slurm as one submission, and the text of its file. Pure: nothing is run or read
here but the template.

Several jobs are an array, one element a job. The file names them all, so that a node needs nothing but this text and
the job's own folder. Its last line *becomes* the job's process (exec): Slurm's signals reach it, not a shell.
"""

from __future__ import annotations

import hashlib
import re
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from jobs.processes import MARK
from jobs.provenance import ROOT
from jobs.slurm.profile import SlurmProfile
from jobs.slurm.words import has_control_characters, in_directive
from lab.core.errors import LabError

TEMPLATE = Path(__file__).with_name("job.sbatch.jinja")
TAG = "trace-lab:"
REQUEUES = "LAB_SLURM_REQUEUE"  # tells the job's process that it may put itself back into Slurm's queue
PASSED_ON = ("HF_HUB_OFFLINE", "HF_HOME", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE", "LAB_HOME", "LAB_EXTRA_TASKS",
             "LAB_REVISION")


@dataclass(frozen=True)
class SlurmJob:
    """One attempt of one job, as Slurm needs to know it. `devices`: GPUs, or processes where the nodes have none."""

    uid: str
    attempt: int
    folder: Path
    name: str = "job"
    devices: int = 1


@dataclass(frozen=True)
class Batch:
    """Jobs with the same needs, and where their submission's own files lie."""

    profile: SlurmProfile
    jobs: tuple[SlurmJob, ...]
    folder: Path

    @property
    def tag(self) -> str:
        """The submission's comment in Slurm: the same jobs in the same attempts have the same, whoever asks."""
        return tag_of(self.profile, self.jobs)

    @property
    def output(self) -> Path:
        """What the batch file itself prints, and Slurm's own remarks; %j and %A_%a are Slurm's."""
        return self.jobs[0].folder / "slurm-%j.txt" if self.is_single else self.folder / "slurm-%A_%a.txt"

    @property
    def is_single(self) -> bool:
        return len(self.jobs) == 1


@dataclass(frozen=True)
class Share:
    """What one job takes of the cluster."""

    nodes: int
    gpus_per_node: int
    processes_per_node: int


def tag_of(profile: SlurmProfile, jobs: tuple[SlurmJob, ...]) -> str:
    text = "\n".join([profile.name, *(f"{job.uid}:{job.attempt}" for job in jobs)])
    return TAG + hashlib.sha256(text.encode()).hexdigest()[:16]


def share(profile: SlurmProfile, devices: int) -> Share:
    """Whole nodes as soon as one is not enough. Raises LabError for what the profile's nodes cannot give."""
    if profile.gpus_per_node == 0:
        return Share(1, 0, max(1, devices))
    nodes = max(1, -(-devices // profile.gpus_per_node))
    if nodes > profile.nodes_max:
        raise LabError(f"{devices} GPUs are {nodes} nodes of {profile.gpus_per_node}, and profile '{profile.name}' "
                       f"allows {profile.nodes_max}. Ask for fewer GPUs, or raise nodes_max.", "cluster")
    if devices % nodes:
        raise LabError(f"{devices} GPUs do not spread evenly over {nodes} nodes of {profile.gpus_per_node}. Ask for "
                       f"{nodes * (devices // nodes)} or {nodes * profile.gpus_per_node}.", "cluster")
    return Share(nodes, devices // nodes, max(1, devices // nodes))


def render(batch: Batch, environment: Mapping[str, str], template: str | None = None) -> str:
    """The batch file: what is submitted, and what the page shows before. `environment` is the worker's: a few of its
    variables are passed on."""
    profile, first = batch.profile, batch.jobs[0]
    if any(job.devices != first.devices for job in batch.jobs):
        raise ValueError("the jobs of one array need the same devices")
    taken = share(profile, first.devices)
    lines = {"directives": _directives(batch, taken), "exports": _exports(profile, taken, environment),
             "setup": profile.setup, "work": _work(batch)}
    blocks = {name: "\n".join(each) for name, each in lines.items()}
    try:
        room = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
        text = room.from_string(template or TEMPLATE.read_text(encoding="utf-8")).render(profile=profile, **blocks)
    except TemplateError as error:
        raise LabError(f"the batch template of profile '{profile.name}' cannot be rendered: {error}. Copy "
                       "jobs/slurm/job.sbatch.jinja and begin from there.", "cluster") from None
    for block in ("directives", "work"):
        if blocks[block] not in text:
            raise LabError(f"the batch template of profile '{profile.name}' leaves out {{{{ {block} }}}}, without "
                           "which the lab loses its jobs. Put it in.", "cluster")
    return text


def _directives(batch: Batch, taken: Share) -> list[str]:
    profile, count = batch.profile, len(batch.jobs)
    per_node = taken.processes_per_node
    options = {
        "job-name": _plain(f"lab-{batch.jobs[0].name}"), "comment": batch.tag, "output": in_directive(batch.output),
        "open-mode": "append", "partition": profile.partition, "account": profile.account, "qos": profile.qos,
        "constraint": profile.constraint, "nodes": taken.nodes, "ntasks-per-node": 1,
        "cpus-per-task": profile.cpus_per_gpu * per_node, "gres": _gres(profile, taken),
        "mem": f"{profile.memory_gib_per_gpu * per_node}G" if profile.memory_gib_per_gpu else "",
        "time": profile.time_limit_minutes, "signal": f"B:USR1@{profile.signal_s}",
        "array": f"0-{count - 1}" if count > 1 else "",
    }
    lines = [f"#SBATCH --{name}={value}" for name, value in options.items() if value != ""]
    return [*lines, f"#SBATCH --{'requeue' if profile.self_requeue else 'no-requeue'}",
            *(f"#SBATCH {option}" for option in profile.extra_sbatch)]


def _gres(profile: SlurmProfile, taken: Share) -> str:
    return ":".join(filter(None, ("gpu", profile.gpu_type, str(taken.gpus_per_node)))) if taken.gpus_per_node else ""


def _exports(profile: SlurmProfile, taken: Share, environment: Mapping[str, str]) -> list[str]:
    passed = {name: environment[name] for name in PASSED_ON if environment.get(name)}
    own = {"PYTHONPATH": profile.code or str(ROOT), "PYTHONUNBUFFERED": "1", "TOKENIZERS_PARALLELISM": "false",
           "OMP_NUM_THREADS": str(profile.cpus_per_gpu), REQUEUES: "1" if profile.self_requeue else "0"}
    for name, value in {**passed, **own}.items():
        if has_control_characters(value):
            raise LabError(f"the variable {name} holds a line end or another control character. Set it anew.",
                           "cluster")
    lines = [f"export {name}={shlex.quote(value)}" for name, value in {**passed, **own}.items()]
    # srun no longer takes these from sbatch by itself (Slurm 22.05)
    return [*lines, 'export SRUN_CPUS_PER_TASK="$SLURM_CPUS_PER_TASK"'] if taken.nodes > 1 else lines


def _work(batch: Batch) -> list[str]:
    python = shlex.quote(batch.profile.python or sys.executable)
    run = f'exec {python} -m jobs.runner "$folder" "$attempt" >>"$folder/log.txt" 2>&1'
    if batch.is_single:
        job = batch.jobs[0]
        return [f"export {MARK}={shlex.quote(job.uid)}", f"folder={shlex.quote(str(job.folder))}",
                f"attempt={int(job.attempt)}", run]
    return ["uids=(", *(f"  {shlex.quote(job.uid)}" for job in batch.jobs), ")",
            "folders=(", *(f"  {shlex.quote(str(job.folder))}" for job in batch.jobs), ")",
            f"attempts=({' '.join(str(int(job.attempt)) for job in batch.jobs)})",
            f'export {MARK}="${{uids[$SLURM_ARRAY_TASK_ID]}}"', 'folder="${folders[$SLURM_ARRAY_TASK_ID]}"',
            'attempt="${attempts[$SLURM_ARRAY_TASK_ID]}"', run]


def _plain(name: str) -> str:
    """A job's name in squeue: it may come from a recipe, and need not be exact."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name)[:60]
