"""What names one job in Slurm, and what the lab must know to look after it."""

from __future__ import annotations

from dataclasses import dataclass

from storage.files import JobFolder


@dataclass(frozen=True, order=True)
class Ref:
    """One job in Slurm. A number alone names nothing: after a crash of the controller it is given again."""

    job_id: str  # 12, or 12_3 for an element of an array
    tag: str  # the comment of its submission

    def __str__(self) -> str:
        return f"{self.job_id}@{self.tag}"

    @classmethod
    def parse(cls, text: str) -> Ref:
        job_id, _, tag = text.partition("@")
        return cls(job_id, tag)

    @classmethod
    def member(cls, number: str, index: int, count: int, tag: str) -> Ref:
        """The job at `index` of a submission of `count` jobs."""
        return cls(f"{number}_{index}" if count > 1 else number, tag)

    @property
    def is_element(self) -> bool:
        return "_" in self.job_id


@dataclass(frozen=True)
class Watch:
    """One job to look after. `began_at`: the checkpoint's step that this attempt began with, 0 for none."""

    ref: Ref
    folder: JobFolder
    attempt: int
    began_at: int = 0
