"""SlurmProfile: what the lab must know about one cluster, declared once: the form, the file and the batch use it.

A profile names no job; what a job needs (how many GPUs) is its task's to say.
"""

from __future__ import annotations

import shlex
from typing import Annotated

from pydantic import AfterValidator, Field

from jobs.slurm.words import command_prefix, feature_expression, full_path, sbatch_option, setup_line, slurm_word
from lab.core.errors import Fault
from lab.core.spec import Spec

Word = Annotated[str, AfterValidator(slurm_word)]
FullPath = Annotated[str, AfterValidator(full_path)]
SetupLine = Annotated[str, Field(max_length=1000), AfterValidator(setup_line)]
Option = Annotated[str, Field(max_length=300), AfterValidator(sbatch_option)]


class SlurmProfile(Spec):
    """One way of using one cluster. An empty text means: the site's own default."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$",
                      description="Name of the profile: letters, digits, _ and -; also the name of its file.")
    shared: FullPath = Field(min_length=2, description="Folder that the nodes and this machine see under the same "
                             "path. LAB_HOME must lie in it.")
    partition: Word = Field("", max_length=200, description="Partition(s), comma-separated.")
    account: Word = Field("", max_length=100, description="Account that is charged.")
    qos: Word = Field("", max_length=100, description="Quality of service.")
    constraint: Annotated[str, AfterValidator(feature_expression)] = Field(
        "", max_length=200, description="Features that the nodes must have, for example h100&nvlink.")
    gpus_per_node: int = Field(8, ge=0, le=64, description="GPUs of one node; 0 where jobs run on CPUs only.")
    gpu_type: Word = Field("", max_length=60, description="Type of GPU as in gpu:TYPE:8 (`sinfo -o %G` shows it).")
    cpus_per_gpu: int = Field(8, ge=1, le=512, description="CPU cores for each GPU (for each process without GPUs).")
    memory_gib_per_gpu: int = Field(0, ge=0, le=16384, description="Main memory in GiB for each GPU (for each process "
                                    "without GPUs); 0: the site's default.")
    time_limit_minutes: int = Field(720, ge=1, le=43200, description="Minutes after which Slurm ends a job. It saves "
                                    "before, and goes on in the queue.")
    signal_s: int = Field(180, ge=1, le=7200, description="Seconds before the time limit at which a job is told to "
                          "save. Slurm's clock is coarse: take the time of a save and a minute more.")
    nodes_max: int = Field(1, ge=1, le=1024, description="Most nodes for one job.")
    max_jobs: int = Field(8, ge=1, le=1000, description="Jobs of the lab in Slurm's queue at the same time.")
    self_requeue: bool = Field(True, description="Let Slurm start a job again, under its own number, after a "
                               "preemption, a failed node or the time limit. Off: the lab submits it anew.")
    python: FullPath = Field("", description="Python of the lab's environment on the nodes; empty: this one.")
    code: FullPath = Field("", description="Folder of the lab's code on the nodes; empty: this one.")
    setup: tuple[SetupLine, ...] = Field((), max_length=50, description="Shell lines before the job starts: module "
                                         "load…, export…. One that fails ends the job.")
    extra_sbatch: tuple[Option, ...] = Field((), max_length=30,
                                             description="More options of sbatch, each as --x or --x=y.")
    ssh: Annotated[str, AfterValidator(command_prefix)] = Field(
        "", max_length=300, description="Command that runs Slurm's own elsewhere, for example: ssh login1.")

    @property
    def ssh_words(self) -> tuple[str, ...]:
        return tuple(shlex.split(self.ssh))

    def check_names(self) -> list[Fault]:
        if self.signal_s < self.time_limit_minutes * 60:
            return []
        return [Fault("signal_s", f"should be less than the time limit of {self.time_limit_minutes} min (got "
                      f"{self.signal_s} s): the job would be told to stop at its start", self.signal_s)]
