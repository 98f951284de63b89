"""From jobs to submissions, once each: grouped, rendered, sent, and found again when the answer was lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs.slurm.batch import TAG, Batch, SlurmJob, render, tag_of
from jobs.slurm.commands import Commands, Refused, Unreachable
from jobs.slurm.profile import SlurmProfile
from jobs.slurm.refs import Ref
from jobs.slurm.stored import FOLDER, template_path
from lab.core.context import write_json
from lab.core.errors import LabError
from storage.files import Home, read_json

ARRAY_MOST = 500  # Slurm's own default is 1,000 (MaxArraySize)


@dataclass(frozen=True)
class Desk:
    """Where submissions are made: one profile's cluster, and the lab's folder that both sides see."""

    profile: SlurmProfile
    home: Home
    commands: Commands
    environment: Mapping[str, str]

    def batches(self, jobs: Iterable[SlurmJob]) -> list[Batch]:
        """The jobs as submissions: those with the same needs together, in their order."""
        groups: dict[int, list[SlurmJob]] = {}
        for job in jobs:
            groups.setdefault(job.devices, []).append(job)
        return [self._batch(tuple(group[start:start + ARRAY_MOST]))
                for group in groups.values() for start in range(0, len(group), ARRAY_MOST)]

    def render(self, batch: Batch) -> str:
        self._check_folders(batch)
        own = template_path(self.home, self.profile.name)
        return render(batch, self.environment, own.read_text(encoding="utf-8") if own.is_file() else None)

    def submit(self, batch: Batch) -> dict[str, Ref] | Unreachable:
        script = self.render(batch)
        found = self._numbers_by_tag()
        if isinstance(found, Unreachable):
            return found
        if batch.tag in found:
            return _by_uid(batch, found[batch.tag])
        batch.folder.mkdir(parents=True, exist_ok=True)
        (batch.folder / "job.sbatch").write_text(script, encoding="utf-8")
        # Before sbatch: who comes back after a crash reads here which jobs a tag in Slurm's queue stands for.
        write_json(batch.folder / "jobs.json", {"jobs": [[job.uid, job.attempt] for job in batch.jobs]})
        reply = self.commands.submit(script)
        if isinstance(reply, Refused):
            raise LabError(f"Slurm refused the job: {reply.why}. Correct the profile '{self.profile.name}', then "
                           "retry.", "cluster")
        return reply if isinstance(reply, Unreachable) else _by_uid(batch, reply.text)

    def find(self, jobs: Sequence[SlurmJob]) -> dict[str, Ref] | Unreachable:
        found = self._numbers_by_tag()
        if isinstance(found, Unreachable):
            return found
        wanted, refs = {(job.uid, job.attempt) for job in jobs}, {}
        for tag, number in found.items():
            members = (read_json(self.folder_of(tag) / "jobs.json") or {}).get("jobs", [])
            for index, (uid, attempt) in enumerate(members):
                if (uid, attempt) in wanted:
                    refs[uid] = Ref.member(number, index, len(members), tag)
        return refs

    def folder_of(self, tag: str) -> Path:
        """Where a submission's batch file, its list of jobs, and an array's output lie."""
        return self.home.path / FOLDER / "batches" / tag.removeprefix(TAG)

    def _batch(self, jobs: tuple[SlurmJob, ...]) -> Batch:
        return Batch(self.profile, jobs, self.folder_of(tag_of(self.profile, jobs)))

    def _check_folders(self, batch: Batch) -> None:
        for path in (self.home.path, *(job.folder for job in batch.jobs)):
            if not Path(path).absolute().is_relative_to(self.profile.shared):
                raise LabError(f"{path} does not lie in {self.profile.shared}, the shared folder of profile "
                               f"'{self.profile.name}': the nodes would not see it. Set LAB_HOME to a folder in it.",
                               "cluster")

    def _numbers_by_tag(self) -> dict[str, str] | Unreachable:
        """The lab's tags in Slurm's queue, each with its job's (or array's) number; the newest where there are two."""
        rows = self.commands.queue()
        if isinstance(rows, Unreachable):
            return rows
        numbers = [(int(row.job_id.partition("_")[0]), row.comment) for row in rows if row.comment.startswith(TAG)]
        return {tag: str(number) for number, tag in sorted(numbers)}


def _by_uid(batch: Batch, number: str) -> dict[str, Ref]:
    count = len(batch.jobs)
    return {job.uid: Ref.member(number, index, count, batch.tag) for index, job in enumerate(batch.jobs)}
