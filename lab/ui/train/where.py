"""Where a study runs: the machines of this lab's workers, or a Slurm cluster; and what would be sent to Slurm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.clusters.cluster import PREFIX
from jobs.dry_run import NOT_SENT, batch_files
from jobs.queue import Wish
from jobs.slurm.stored import profile_names
from lab.core.errors import LabError
from lab.ui.components.html import failure, note
from lab.ui.components.markup import Html, join, tag

if TYPE_CHECKING:
    from lab.studies.spec import StudySpec
    from storage.database import Store
    from storage.files import Home


def places(home: Home) -> list[tuple[str, str]]:
    """(label, value of `run_on`): first the lab's own workers, then each Slurm profile."""
    return [("the lab's own workers", ""), *((f"Slurm: {name}", f"{PREFIX}{name}") for name in profile_names(home))]


def batch_preview(store: Store, spec: StudySpec, run_on: str) -> Html:
    """The batch files as they would be sent, a dry run: one for each kind of job with the same needs."""
    try:
        files = batch_files(store, spec, Wish(run_on=run_on))
    except LabError as problem:
        return failure(problem)
    if not files:
        return note(NOT_SENT)
    first = note("A dry run: nothing has been sent. The jobs' uids are given at the launch; a benchmark is sent when "
                 "its training has succeeded.")
    return join([first, *(join([tag("h3", what), tag("pre", text, cls="log", tabindex=0)]) for what, text in files)])
