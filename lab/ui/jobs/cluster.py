"""A job on a Slurm cluster: where it is, and what is shown when the controller is away."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from jobs.clusters.cluster import PREFIX
from lab.ui.components.html import ago, note
from lab.ui.components.markup import Html, tag

if TYPE_CHECKING:
    from storage.files import Home
    from storage.tables import Job

WORDS = {"PENDING": "pending in Slurm", "RUNNING": "in Slurm", "COMPLETING": "ending in Slurm",
         "CONFIGURING": "its nodes are being made ready", "SUSPENDED": "suspended in Slurm",
         "REQUEUED": "back in Slurm's queue"}


def profile_name(job: Job) -> str:
    """The Slurm profile a job runs with; empty for a job of a worker's own machine."""
    return job.run_on.removeprefix(PREFIX) if job.run_on.startswith(PREFIX) else ""


def situation(job: Job) -> str:
    """'pending in Slurm (Resources)'; empty before it was submitted."""
    state, reason = str(job.cluster.get("state") or ""), str(job.cluster.get("reason") or "")
    if not state:
        return ""
    words = WORDS.get(state, f"{state.lower().replace('_', ' ')} in Slurm")
    if state == "RUNNING" and job.cluster.get("node"):
        words = f"{words} on {job.cluster['node']}"
    return f"{words} ({reason})" if reason and reason != "None" else words


def sentence(job: Job) -> str:
    """What the lab says of it beyond Slurm's own word: what it waits for, and what to do where it will not start."""
    return str(job.cluster.get("text") or "") if profile_name(job) and job.finished_at is None else ""


def facts(job: Job) -> list[tuple[str, object]]:
    """Profile, Slurm's number, node."""
    if not profile_name(job):
        return []
    pairs: list[tuple[str, object]] = [("Slurm profile", profile_name(job))]
    pairs += [(name, job.cluster[key]) for key, name in (("id", "Slurm job"), ("node", "node")) if job.cluster.get(key)]
    return pairs


def away(job: Job) -> Html | None:
    """Said when the controller does not answer: what is shown may be old, and no state was changed for it."""
    since = _moment(job.cluster.get("unknown_since"))
    if since is None:
        return None
    return tag("p", f"The Slurm controller has not answered since {since:%H:%M} UTC (", ago(since),
               "); what is shown is the last that is known.", cls="lab-banner")


def _moment(text: object) -> datetime | None:
    if not text:
        return None
    moment = datetime.fromisoformat(str(text))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def batch_file(home: Home, job: Job) -> Html:
    """The file that was sent to Slurm; an array's is in the folder of each of its jobs."""
    path = home.absolute(job.folder) / "job.sbatch"
    if not path.is_file():
        return note("The batch file is here once the job has been submitted to Slurm.")
    return tag("pre", path.read_text(encoding="utf-8", errors="replace"), cls="log", tabindex=0)
