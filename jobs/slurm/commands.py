"""Slurm's own commands, run as processes: sbatch, squeue, sacct, scancel, scontrol. What they say, and nothing more.

A controller that does not answer is a value (`Unreachable`), not an exception: it must never change what the lab
believes about a job. Measured on Slurm 22.05: squeue gives up after 9 s without a controller; `--states=all` shows
ended jobs for MinJobAge (5 minutes). `-o` is the same in every version, `--json` is not.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

QUEUE_FORMAT = "%i|%T|%r|%N|%S|%k"  # the comment last: it may hold anything
QUEUE_HEADER = "JOBID|STATE|REASON|NODELIST|START_TIME|COMMENT"
ACCOUNT_FORMAT = "JobID,State,NodeList,Start,Comment"
# sbatch hands its whole environment on to the job, so passwords must not be in it; and each command reads options from
# variables with its name in front. These are what a shell, ssh, Kerberos and environment modules need.
KEPT = ("HOME", "USER", "LOGNAME", "SHELL", "PATH", "LANG", "LANGUAGE", "TZ", "LD_LIBRARY_PATH", "BASH_ENV",
        "SLURM_CONF", "SSH_AUTH_SOCK", "KRB5CCNAME")
KEPT_BEGINNINGS = ("LC_", "MODULE", "LMOD", "__LMOD", "_ModuleTable", "BASH_FUNC_m")
AWAY = ("unable to contact slurm controller", "unable to establish controller machine", "connect failure",
        "connection refused", "socket timed out", "communication connection failure", "zero bytes were transmitted",
        "unexpected message received", "standby mode", "protocol authentication error", "munge",
        "could not establish a configuration source", "unable to process configuration file", "address already in use",
        "slurmdbd", "transport endpoint", "slurm temporarily unable to accept job", "try again later",
        "maxsubmitjob")  # the last: a limit of jobs in the queue, which passes
SSH_FAILED, NOT_FOUND = 255, 127
# A node refuses a job that comes back within the second in which it was killed there ("already killed, do not launch").
SOON_S = 3


@dataclass(frozen=True)
class Answer:
    """The command did what it was asked."""

    text: str


@dataclass(frozen=True)
class Refused:
    """Slurm answered no; `why` are its own words."""

    why: str


@dataclass(frozen=True)
class Unreachable:
    """Nobody knows whether it was done: no answer, no controller, no command."""

    why: str


Reply = Answer | Refused | Unreachable


@dataclass(frozen=True)
class Row:
    """One job (or one element of an array) as Slurm sees it. `job_id` is 12 or 12_3; `start` is its clock's, or ''."""

    job_id: str
    state: str
    reason: str = ""
    node: str = ""
    start: str = ""
    comment: str = ""


def clean_environment(env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """`env` for Slurm's commands and so for the job: neither the worker's settings and passwords nor options from
    outside. What else a job needs stands in its batch file."""
    return {key: value for key, value in env.items() if key in KEPT or key.startswith(KEPT_BEGINNINGS)}


@dataclass(frozen=True)
class Commands:
    """How to reach one cluster. Through `prefix` (ssh login1) every command goes as one quoted line."""

    prefix: tuple[str, ...] = ()
    timeout_s: float = 30.0
    environment: Mapping[str, str] = field(default_factory=clean_environment)

    def run(self, *words: str, stdin: str = "") -> Reply:
        """Run one command; whatever happens becomes a Reply."""
        argv = [*self.prefix, shlex.join(words)] if self.prefix else list(words)
        try:
            done = subprocess.run(argv, input=stdin, capture_output=True, text=True, errors="replace",
                                  timeout=self.timeout_s, env=dict(self.environment), start_new_session=True)
        except subprocess.TimeoutExpired:
            return Unreachable(f"{words[0]} gave no answer within {self.timeout_s:.0f} s")
        except OSError as error:
            return Unreachable(f"{argv[0]} cannot be run: {error.strerror}")
        if done.returncode == 0:
            return Answer(done.stdout)
        why = _one_line(done.stderr or done.stdout) or f"{words[0]} ended with status {done.returncode}"
        if self.prefix and done.returncode == SSH_FAILED or done.returncode == NOT_FOUND:
            return Unreachable(why)
        return Unreachable(why) if any(phrase in why.lower() for phrase in AWAY) else Refused(why)

    def are_here(self) -> bool:
        """Whether this machine has Slurm's commands, or what leads to them. Nothing is asked of the cluster."""
        return shutil.which(self.prefix[0] if self.prefix else "squeue", path=self.environment.get("PATH")) is not None

    def submit(self, script: str) -> Reply:
        """Hand a batch file to sbatch; the Answer's text is the job's number."""
        reply = self.run("sbatch", "--parsable", stdin=script)
        if not isinstance(reply, Answer):
            return reply
        job_id = reply.text.strip().splitlines()[-1:] or [""]
        number = job_id[0].partition(";")[0]
        return Answer(number) if number.isdigit() else Unreachable(f"sbatch answered {_one_line(reply.text)!r}")

    def queue(self) -> list[Row] | Unreachable:
        """Every job of this user that Slurm remembers, elements of arrays one by one: the one call of a poll."""
        reply = self.run("squeue", "--me", "--array", "--states=all", "-o", QUEUE_FORMAT)
        if not isinstance(reply, Answer):
            return Unreachable(reply.why)
        before, header, listing = reply.text.partition(QUEUE_HEADER)
        if not header:  # a login banner alone must not read as an empty queue
            return Unreachable(f"squeue answered {_one_line(before)!r}")
        lines = (line.split("|", 5) for line in listing.splitlines())
        return [Row(*fields) for fields in lines if len(fields) == 6]

    def accounts(self, job_ids: Iterable[str]) -> dict[str, Row] | Unreachable:
        """What the accounting holds of jobs that squeue has forgotten."""
        wanted = ",".join(job_ids)
        reply = self.run("sacct", "--noheader", "--parsable2", "--allocations", f"--jobs={wanted}",
                         f"--format={ACCOUNT_FORMAT}")
        if not isinstance(reply, Answer):
            return Unreachable(reply.why)
        rows = {}
        for line in reply.text.splitlines():
            job_id, state, node, start, comment = [*line.split("|", 4), "", "", "", ""][:5]
            # 'CANCELLED by 1000': who it was stays in the reason
            word, _, who = state.partition(" ")
            rows[job_id] = Row(job_id, word, who, node, start, comment)
        return rows

    def has_accounting(self) -> bool | Unreachable:
        reply = self.run("scontrol", "show", "config")
        if not isinstance(reply, Answer):
            return Unreachable(reply.why)
        kinds = [line.partition("=")[2].strip() for line in reply.text.splitlines()
                 if line.startswith("AccountingStorageType")]
        return kinds not in ([], ["accounting_storage/none"], ["(null)"])

    def ask_to_end(self, *job_ids: str) -> Reply:
        """A job that waits is cancelled; one that runs gets SIGTERM in its batch process alone, and may save."""
        waiting = self.run("scancel", "--state=PENDING", *job_ids)
        if isinstance(waiting, Unreachable):
            return waiting
        return self.run("scancel", "--state=RUNNING", "--signal=TERM", "--batch", *job_ids)

    def cancel(self, *job_ids: str) -> Reply:
        """SIGTERM to every process of the job, SIGKILL after Slurm's KillWait."""
        return self.run("scancel", *job_ids)

    def requeue(self, job_id: str) -> Reply:
        """Start it again under its number. Slurm lets it wait for two minutes; `hurry` skips that."""
        return self.run("scontrol", "requeue", job_id)

    def hurry(self, job_id: str) -> Reply:
        return self.run("scontrol", "update", f"JobId={job_id}", f"StartTime=now+{SOON_S}")


def _one_line(text: str) -> str:
    """Slurm's words without its program names' prefixes, on one line and not too long."""
    lines = [line.partition("error: ")[2] or line for line in text.splitlines()]
    joined = " ".join(line.strip() for line in lines if line.strip())
    return joined if len(joined) <= 300 else joined[:299] + "…"
