"""Where a study runs: the machines of this lab's workers, or a Slurm cluster; and what would be sent to Slurm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jobs.catalog import specs, tasks
from jobs.slurm.batch import SlurmJob
from jobs.slurm.engine import SlurmEngine
from jobs.slurm.stored import profile_names, read_profile
from lab.core.errors import LabError
from lab.core.spec import load_spec
from lab.studies.plan import plan
from lab.ui.components.html import failure, note
from lab.ui.components.markup import Html, join, tag
from lab.ui.jobs.cluster import PREFIX

if TYPE_CHECKING:
    from lab.studies.spec import StudySpec
    from storage.files import Home

KIND_WORDS = {"sft": "Trainings", "benchmark": "Benchmarks", "answers": "Answer bank"}


def places(home: Home) -> list[tuple[str, str]]:
    """(label, value of `run_on`): first the lab's own workers, then each Slurm profile."""
    return [("the lab's own workers", ""), *((f"Slurm: {name}", f"{PREFIX}{name}") for name in profile_names(home))]


def batch_preview(home: Home, spec: StudySpec, run_on: str) -> Html:
    """The batch files as they would be sent, a dry run: one for each kind of job with the same needs."""
    if not run_on:
        return note("Nothing is sent to Slurm: the lab's own workers run it.")
    try:
        engine = SlurmEngine(read_profile(home, run_on.removeprefix(PREFIX)), home)
        parts = [part for kind, jobs in _by_kind(home, spec) for part in _files(engine, kind, jobs)]
    except LabError as problem:
        return failure(problem)
    first = note("A dry run: nothing has been sent. The jobs' uids are given at the launch; a benchmark is sent when "
                 "its training has succeeded.")
    return join([first, *parts])


def _files(engine: SlurmEngine, kind: str, jobs: list[SlurmJob]) -> Iterator[Html]:
    for batch in engine.batches(jobs):
        count = f"{len(batch.jobs)} job{'s' if len(batch.jobs) > 1 else ''}"
        yield tag("h3", f"{KIND_WORDS.get(kind, kind)}, {count}")
        yield tag("pre", engine.render(batch), cls="log", tabindex=0)


def _by_kind(home: Home, spec: StudySpec) -> list[tuple[str, list[SlurmJob]]]:
    """The study's jobs as Slurm would know them, with numbers in the places of their uids."""
    planned = plan(spec)
    uids = {item.key: f"{number:012d}" for number, item in enumerate(planned, 1)}
    found: dict[str, list[SlurmJob]] = {}
    for item in planned:
        own, uid = load_spec(specs()[item.kind], item.with_uids(uids), item.name), uids[item.key]
        devices = tasks()[item.kind].needs(own).devices
        found.setdefault(item.kind, []).append(SlurmJob(uid, 1, home.job(uid).path, item.name, devices))
    return list(found.items())
