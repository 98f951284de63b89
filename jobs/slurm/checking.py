"""Is a profile right for its cluster? Asked before the first job, and shown on the page and by the doctor."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass

from jobs.slurm.batch import Batch, SlurmJob
from jobs.slurm.commands import Answer, Commands, Reply, Unreachable
from jobs.slurm.profile import SlurmProfile
from jobs.slurm.submitting import Desk
from lab.core.errors import LabError, nearest
from storage.files import Home

NEEDED = ("sbatch", "squeue", "scancel", "scontrol", "sinfo")
LIMIT = re.compile(r"(?:(?P<days>\d+)-)?(?:(?P<hours>\d+):)?(?P<minutes>\d+):(?P<seconds>\d+)")


@dataclass(frozen=True)
class Finding:
    """One sentence on a profile. A fault stops jobs; the others are good to know."""

    text: str
    fault: bool = False

    def __str__(self) -> str:
        return self.text


def check(profile: SlurmProfile, home: Home, commands: Commands) -> list[Finding]:
    """Every finding, faults first. Without commands or a controller nothing else of the cluster can be asked."""
    findings = [*(_shared_folder(profile, home) or _batch_file(Desk(profile, home, commands, os.environ))),
                *_cluster(profile, commands)]
    return sorted(findings, key=lambda finding: not finding.fault)


def _cluster(profile: SlurmProfile, commands: Commands) -> list[Finding]:
    where = f"through '{profile.ssh}'" if profile.ssh else "on this machine"
    look = 'for name; do command -v "$name" >/dev/null || echo "$name"; done'
    reply = commands.run("sh", "-c", look, "sh", *NEEDED)
    if not isinstance(reply, Answer):
        return [Finding(f"No command can be run {where}: {reply.why}.", fault=True)]
    if missing := reply.text.split():
        return [Finding(f"Slurm's commands are not there {where}: {', '.join(missing)}. Install Slurm's client, or set "
                        "ssh to a login node.", fault=True)]
    ping = commands.run("scontrol", "ping")
    if not isinstance(ping, Answer) or " UP" not in ping.text:
        return [Finding(f"Slurm's controller does not answer: {_words(ping)}.", fault=True)]
    return [*_partition(profile, commands), *_on_the_cluster(profile, commands), *_accounting(commands)]


def _partition(profile: SlurmProfile, commands: Commands) -> list[Finding]:
    reply = commands.run("sinfo", "--noheader", "-o", "%P|%a|%l|%G")
    if not isinstance(reply, Answer):
        return [Finding(f"sinfo does not answer: {reply.why}.", fault=True)]
    rows = [line.split("|", 3) for line in reply.text.splitlines() if line.count("|") >= 3]
    default = next((name.rstrip("*") for name, *_ in rows if name.endswith("*")), "")
    findings = []
    for wanted in profile.partition.split(",") if profile.partition else [default]:
        mine = [row for row in rows if row[0].rstrip("*") == wanted]
        if not mine:
            names = {row[0].rstrip("*") for row in rows}
            findings.append(Finding(f"partition: Slurm has no '{wanted}'. {nearest(wanted, names)}", fault=True))
            continue
        if mine[0][1] != "up":
            findings.append(Finding(f"partition: '{wanted}' is {mine[0][1]}.", fault=True))
        findings += [*_time_limit(profile, wanted, mine[0][2]), *_gpus(profile, wanted, [row[3] for row in mine])]
    return findings


def _time_limit(profile: SlurmProfile, partition: str, limit: str) -> list[Finding]:
    minutes = minutes_of(limit)
    if minutes is None or profile.time_limit_minutes <= minutes:
        return []
    return [Finding(f"time_limit_minutes: partition '{partition}' allows {minutes} minutes, and the profile asks for "
                    f"{profile.time_limit_minutes}: its jobs would wait for ever.", fault=True)]


def _gpus(profile: SlurmProfile, partition: str, resources: list[str]) -> list[Finding]:
    """`resources` are sinfo's %G, one a kind of node: gpu:h100:8(S:0-1),… or (null)."""
    if profile.gpus_per_node == 0:
        return []
    found = re.findall(r"gpu:(?:([^:,()]+):)?(\d+)", ",".join(resources))
    fitting = [int(count) for kind, count in found if profile.gpu_type in ("", kind)]
    if fitting and max(fitting) >= profile.gpus_per_node:
        return []
    wanted = ":".join(filter(None, ("gpu", profile.gpu_type, str(profile.gpus_per_node))))
    there = ", ".join(sorted({":".join(filter(None, ("gpu", kind, count))) for kind, count in found})) or "no GPUs"
    return [Finding(f"gpus_per_node: no node of partition '{partition}' has {wanted}; there are: {there}.", fault=True)]


def _on_the_cluster(profile: SlurmProfile, commands: Commands) -> list[Finding]:
    """Asked where Slurm's commands run, which is most often a login node that sees what the nodes see."""
    python = profile.python or sys.executable
    findings = []
    for path, test, field in ((profile.shared, "-w", "shared"), (python, "-x", "python")):
        if not isinstance(commands.run("test", test, path), Answer):
            can = "be written to" if test == "-w" else "be run"
            findings.append(Finding(f"{field}: {path} cannot {can} where Slurm's commands run.", fault=True))
    return findings


def _accounting(commands: Commands) -> list[Finding]:
    there = commands.has_accounting()
    if isinstance(there, Unreachable):
        return [Finding(f"Whether there is accounting is not known: {there.why}.")]
    if there:
        return [Finding("Slurm keeps accounts: what became of a job can be asked for days after.")]
    return [Finding("Slurm keeps no accounts (sacct): after a few minutes only a job's own folder tells how it ended.")]


def _shared_folder(profile: SlurmProfile, home: Home) -> list[Finding]:
    if not home.path.absolute().is_relative_to(profile.shared):
        return [Finding(f"shared: LAB_HOME {home.path} does not lie in {profile.shared}, so the nodes would not see "
                        "the jobs' folders. Set LAB_HOME to a folder in it.", fault=True)]
    try:
        with tempfile.TemporaryFile(dir=home.path):
            return []
    except OSError as error:
        return [Finding(f"shared: {home.path} cannot be written to: {error.strerror}.", fault=True)]


def _batch_file(desk: Desk) -> list[Finding]:
    """Render a batch file, and let bash look for faults of its grammar: a setup line may hold any."""
    job = SlurmJob("check", 1, desk.home.jobs / "check", "check")
    try:
        text = desk.render(Batch(desk.profile, (job,), desk.home.path))
        done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, timeout=10)
    except LabError as error:
        return [Finding(str(error), fault=True)]
    except (OSError, subprocess.TimeoutExpired):
        return [Finding("There is no bash here to look for faults in the batch file.")]
    if done.returncode == 0:
        return []
    return [Finding(f"setup: bash finds a fault in the batch file: {done.stderr.strip()}", fault=True)]


def minutes_of(limit: str) -> int | None:
    """sinfo's time limit (1-00:00:00, 30:00) in minutes; None for infinite."""
    match = LIMIT.fullmatch(limit)
    if not match:
        return None
    days, hours, minutes = (int(match[name] or 0) for name in ("days", "hours", "minutes"))
    return (days * 24 + hours) * 60 + minutes


def _words(reply: Reply) -> str:
    return " ".join(reply.text.split()) if isinstance(reply, Answer) else reply.why
