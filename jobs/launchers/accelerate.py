"""`accelerate launch` for a job of several processes: its config file and the command, on one machine or Slurm nodes.

The config's type is MULTI_GPU also where there is no GPU: only for that type does accelerate start the ranks by itself
(through torchrun; for MULTI_CPU it leaves that to mpirun). Whether a rank computes on a GPU, and over which backend it
talks, is the training code's to say.
"""

from __future__ import annotations

import shlex
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.core.errors import LabError

CONFIG = "accelerate.yaml"
SCONTROL_S = 20


@dataclass(frozen=True)
class Nodes:
    """The machines of one job. `first` is where rank 0 runs and all meet."""

    count: int = 1
    first: str = "127.0.0.1"
    port: int = 0  # 0: accelerate takes a free one, which only one machine can


@dataclass(frozen=True)
class Layout:
    """How many processes, where, and what they share."""

    processes: int
    sharding: str = "ddp"
    nodes: Nodes = Nodes()


def config(layout: Layout) -> dict[str, Any]:
    """What accelerate reads. The precision is the trainer's to choose, so it is not set here."""
    return {
        "compute_environment": "LOCAL_MACHINE",
        "distributed_type": "FSDP" if layout.sharding == "fsdp" else "MULTI_GPU",
        "num_machines": layout.nodes.count,
        "num_processes": layout.processes,
        "machine_rank": 0,
        "main_process_ip": layout.nodes.first,
        "main_process_port": layout.nodes.port,
        "same_network": True,
        "rdzv_backend": "static",
        "mixed_precision": "no",
        "use_cpu": False,
        "debug": False,
        **({"fsdp_config": FSDP} if layout.sharding == "fsdp" else {}),
    }


FSDP = {
    "fsdp_version": 2,
    "fsdp_auto_wrap_policy": "TRANSFORMER_BASED_WRAP",  # each layer is one share; the model names its layer class
    "fsdp_reshard_after_forward": True,  # weights, gradients and optimiser state are all shared out (ZeRO 3)
    "fsdp_state_dict_type": "SHARDED_STATE_DICT",  # each rank writes its own part of a checkpoint
    "fsdp_cpu_ram_efficient_loading": False,
    "fsdp_offload_params": False,
}


def command(layout: Layout, config_file: Path, folder: Path, env: Mapping[str, str]) -> list[str]:
    """What starts all ranks of the job in `folder`."""
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(config_file)]
    ranks = ["--module", "jobs.rank", str(folder)]
    if layout.nodes.count == 1:
        return [*launch, *ranks]
    # One task a node, which starts that node's ranks; its number is known there alone, hence the shell.
    on_each = f'exec {shlex.join(launch)} --machine_rank "$SLURM_NODEID" {shlex.join(ranks)}'
    return [*_srun(layout.nodes.count, env), "bash", "-c", on_each]


def _srun(n_nodes: int, env: Mapping[str, str]) -> list[str]:
    """A step over all nodes. It ends as a whole when one node fails; the launcher has all cores of its node."""
    cores = env.get("SLURM_CPUS_PER_TASK")  # srun has not read this by itself since Slurm 22.05
    return [
        "srun", f"--nodes={n_nodes}", f"--ntasks={n_nodes}", "--ntasks-per-node=1", "--kill-on-bad-exit=1",
        "--cpu-bind=none", *([f"--cpus-per-task={cores}"] if cores else []),
    ]


def nodes(env: Mapping[str, str]) -> Nodes:
    """This machine alone, or the nodes of the Slurm job that this process is the batch process of."""
    count = int(env.get("SLURM_JOB_NUM_NODES", "1") or 1)
    if count == 1:
        return Nodes()
    names = _scontrol("show", "hostnames", env["SLURM_JOB_NODELIST"]).split()
    return Nodes(count, _address(names[0]), _free_port())


def _address(name: str) -> str:
    """The node's name where it can be looked up, else the address Slurm knows it by."""
    try:
        socket.getaddrinfo(name, None)
        return name
    except OSError:
        fields = dict(field.split("=", 1) for field in _scontrol("show", "node", name, "-o").split() if "=" in field)
        return fields.get("NodeAddr", name)


def _scontrol(*arguments: str) -> str:
    try:
        done = subprocess.run(("scontrol", *arguments), capture_output=True, text=True, timeout=SCONTROL_S, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        text = f"the nodes of this Slurm job cannot be looked up: scontrol failed ({error}). Retry the job"
        raise LabError(text, "cluster") from error
    return done.stdout


def _free_port() -> int:
    """One that is free here, on the first node."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]
