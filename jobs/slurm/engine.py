"""SlurmEngine: one profile's cluster as the worker uses it. It holds no truth: that is in Slurm, in the jobs' folders
and in the store.

Every call may meet a controller that is away. It then says so (`Unreachable`, or readings `unknown`), may have taken as
long as the commands' timeout, and has changed nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from jobs.slurm.batch import Batch, SlurmJob
from jobs.slurm.checking import Finding, check
from jobs.slurm.commands import Answer, Commands, Refused, Reply, Unreachable
from jobs.slurm.polling import Poll
from jobs.slurm.profile import SlurmProfile
from jobs.slurm.refs import Ref, Watch
from jobs.slurm.states import SETTLE_S, Reading
from jobs.slurm.submitting import Desk
from storage.files import Home, JobFolder


class SlurmEngine:
    """`home` is LAB_HOME. Kept while the worker lives: a poll remembers since when a job is quiet."""

    def __init__(self, profile: SlurmProfile, home: Home, commands: Commands | None = None, settle_s: float = SETTLE_S):
        self.profile, self.home, self.settle_s = profile, home, settle_s
        self.commands = commands or Commands(profile.ssh_words)
        self._desk = Desk(profile, home, self.commands, os.environ)
        self._hurried: set[Ref] = set()
        self._poll = Poll(self.commands, profile.time_limit_minutes, lambda watch: self.output(watch.ref, watch.folder),
                          settle_s)

    def check(self) -> list[Finding]:
        """What is right and wrong with the profile, on this very cluster."""
        return check(self.profile, self.home, self.commands)

    def batches(self, jobs: Iterable[SlurmJob]) -> list[Batch]:
        """The jobs as submissions: those with the same needs together, in their order."""
        return self._desk.batches(jobs)

    def render(self, batch: Batch) -> str:
        """The batch file as it would be sent: a dry run. Raises LabError for what the profile cannot give."""
        return self._desk.render(batch)

    def submit(self, batch: Batch) -> dict[str, Ref] | Unreachable:
        """uid → ref. Asking twice for the same attempts submits once: the tag is looked for first. Raises LabError with
        Slurm's own words when it refuses. After `Unreachable` nobody knows: ask again."""
        return self._desk.submit(batch)

    def find(self, jobs: Sequence[SlurmJob]) -> dict[str, Ref] | Unreachable:
        """uid → ref of those that Slurm knows in this very attempt: for rows whose submission's answer was lost."""
        return self._desk.find(jobs)

    def poll(self, watches: Sequence[Watch]) -> dict[Ref, Reading]:
        """How each job stands, with one call to Slurm for all."""
        readings = self._poll(watches)
        self._hurried &= {ref for ref, reading in readings.items() if reading.stage in ("waiting", "unknown")}
        return {ref: replace(reading, held_back=reading.held_back and ref not in self._hurried)
                for ref, reading in readings.items()}

    @property
    def answered(self) -> bool:
        """Whether Slurm did at the last poll."""
        return self._poll.answered

    def stop(self, *refs: Ref) -> Reply:
        """Ask them to save and end; the worker has written control.json before. Those that wait are cancelled."""
        return self._act(refs, self.commands.ask_to_end)

    def kill(self, *refs: Ref) -> Reply:
        """For those that did not end within their grace."""
        return self._act(refs, self.commands.cancel)

    def requeue(self, ref: Ref) -> Reply:
        """Start it again under its number. Its readings are `held_back` as soon as its processes have ended."""
        return self._act((ref,), self.commands.requeue)

    def hurry(self, ref: Ref) -> Reply:
        """For a reading that is `held_back`: skip the two minutes. Once a start: each call sets its time anew."""
        reply = self._act((ref,), self.commands.hurry)
        if isinstance(reply, Answer):
            self._hurried.add(ref)
        return reply

    def output(self, ref: Ref, folder: JobFolder) -> Path:
        """What the batch file printed, and Slurm's own remarks (a time limit, a lack of memory)."""
        return (self._desk.folder_of(ref.tag) if ref.is_element else folder.path) / f"slurm-{ref.job_id}.txt"

    def batch_file(self, ref: Ref) -> Path:
        """The file that was sent."""
        return self._desk.folder_of(ref.tag) / "job.sbatch"

    def _act(self, refs: Sequence[Ref], action: Callable[..., Reply]) -> Reply:
        """Act on numbers only while they are ours."""
        rows = self.commands.queue()
        if isinstance(rows, Unreachable):
            return rows
        known = {Ref(row.job_id, row.comment) for row in rows}
        ours = [ref.job_id for ref in refs if ref in known]
        return action(*ours) if ours else Refused("Slurm no longer knows any of these jobs as this lab's")
