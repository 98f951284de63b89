"""A real Slurm of two simulated nodes with fake GPUs on this machine, for as long as the tests run.

It is Debian's own (slurm-wlm, munge), in a temporary folder, on free ports, under this user. Two partitions: `normal`,
and `urgent`, which preempts it. Without root the nodes' GPUs are the consoles /dev/ttyN.
"""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMANDS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "sinfo")
SEARCH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
NODES, GPUS, CPUS = ("n1", "n2"), 8, 16
PATIENCE_S = 20.0

CONFIG = """\
ClusterName=lab
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1,sched_min_interval=100000
GresTypes=gpu
ReturnToService=2
SlurmdParameters=config_overrides
MpiDefault=none
KillWait=3
DefMemPerCPU=100
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
AccountingStorageType=accounting_storage/none
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs={cpus} RealMemory=20000 Gres=gpu:h100:{gpus}
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs={cpus} RealMemory=20000 Gres=gpu:h100:{gpus}
PartitionName=normal Nodes=ALL Default=YES MaxTime=1-00:00:00 PriorityTier=10 GraceTime=5
PartitionName=urgent Nodes=ALL MaxTime=INFINITE PriorityTier=100 PreemptMode=OFF
"""


class NoCluster(Exception):
    """Why there can be no Slurm on this machine: the reason the tests are skipped with."""


class Cluster:
    """`with Cluster() as cluster:` two idle nodes, about a second later."""

    def __init__(self) -> None:
        self.folder = Path()
        self._keeper: subprocess.Popen[str] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What makes Slurm's commands talk to this cluster."""
        return {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": SEARCH}

    def __enter__(self) -> Cluster:
        missing = [name for name in COMMANDS if not shutil.which(name, path=SEARCH)]
        if missing:
            raise NoCluster(f"no {', '.join(missing)} here: apt-get install slurm-wlm munge")
        self.folder = Path(tempfile.mkdtemp(prefix="lab-slurm-"))  # short: the path of a socket has 107 bytes at most
        try:
            self._configure()
            self._keeper = subprocess.Popen(
                [sys.executable, "-m", "tests.jobs.slurm.daemons", str(self.folder)], cwd=Path(__file__).parents[3],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
            )
            self.start("munged")
            _wait_until((self.folder / "munge").exists, "munged")
            for name in ("slurmctld", *NODES):
                self.start(name)
            self.wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._keeper:
            self._keeper.communicate(timeout=PATIENCE_S)  # closes its input: it kills all and removes the folder
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, name: str) -> None:
        self._tell(f"start {name}")

    def stop(self, name: str) -> None:
        self._tell(f"stop {name}")

    def kill(self, name: str) -> None:
        self._tell(f"kill {name}")

    def run(self, *command: str) -> str:
        """The output of one of Slurm's commands; raises when it fails."""
        return subprocess.run(command, env={**os.environ, **self.environment}, check=True, capture_output=True,
                              text=True, timeout=PATIENCE_S).stdout

    def wait_until_ready(self) -> None:
        """Until every node is up. A crash of slurmctld can leave one drained ("Duplicate jobid"): it is resumed."""
        _wait_until(self._nodes_are_up, "the nodes")

    def clear(self) -> None:
        """Cancel every job and wait until both nodes are idle again."""
        self.run("scancel", "--full", "--signal=KILL", "--me")
        self.run("scancel", "--me")
        _wait_until(lambda: not self.run("squeue", "-h", "--me"), "the end of all jobs")
        self.wait_until_ready()

    def _nodes_are_up(self) -> bool:
        try:
            listing = self.run("sinfo", "-h", "-N", "-p", "normal", "-o", "%N %T")
            states = dict(line.split() for line in listing.splitlines())
            for node, state in states.items():
                if state.startswith(("drain", "down")):
                    self.run("scontrol", "update", f"NodeName={node}", "State=RESUME")
        except (subprocess.SubprocessError, ValueError):
            return False
        return len(states) == len(NODES) and set(states.values()) <= {"idle", "mixed", "allocated"}

    def _tell(self, line: str) -> None:
        assert self._keeper and self._keeper.stdin and self._keeper.stdout
        print(line, file=self._keeper.stdin, flush=True)
        answer = self._keeper.stdout.readline().strip()
        assert answer == "ok", f"{line}: {answer}"

    def _configure(self) -> None:
        (self.folder / "state").mkdir()
        for node in NODES:
            (self.folder / f"spool-{node}").mkdir()
        (self.folder / "munge.key").write_bytes(os.urandom(1024))
        (self.folder / "munge.key").chmod(0o400)
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
        (self.folder / "slurm.conf").write_text(CONFIG.format(
            host=socket.gethostname().partition(".")[0], ports=_free_ports(3), user=user, folder=self.folder, cpus=CPUS,
            gpus=GPUS))
        (self.folder / "gres.conf").write_text(
            f"NodeName=n[1-2] Name=gpu Type=h100 File={_fake_gpus(self.folder)}[0-{GPUS - 1}]\n")
        (self.folder / "cgroup.conf").write_text(
            "CgroupPlugin=cgroup/v1\nConstrainCores=no\nConstrainRAMSpace=no\nConstrainDevices=no\n")


def _fake_gpus(folder: Path) -> str:
    """The common beginning of GPUS character devices: Slurm takes nothing else for a GPU."""
    try:
        for index in range(GPUS):
            os.mknod(folder / f"gpu{index}", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        return str(folder / "gpu")
    except PermissionError:
        if all(Path(f"/dev/tty{index}").is_char_device() for index in range(GPUS)):
            return "/dev/tty"
        raise NoCluster("no right to make device files here, and no /dev/tty0 to 7: run as root") from None


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _wait_until(condition, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise NoCluster(f"Slurm did not come up within {PATIENCE_S:.0f} s: waited for {what}")
        time.sleep(0.05)
