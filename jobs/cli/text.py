"""Plain text for a terminal: aligned tables, times, percentages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from storage.tables import BenchmarkRun, Job, now

JOB_COLUMNS = ("id", "state", "kind", "name", "progress", "time", "reason")


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell; a column of numbers is right-aligned."""
    table = [list(header), *(list(row) for row in rows)]
    widths = [max(len(row[i]) for row in table) for i in range(len(header))]
    right = [all(row[i][:1].isdigit() or row[i] in ("", "–") for row in rows) for i in range(len(header))]
    lines = []
    for row in table:
        cells = [
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(row, widths, right, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def duration(seconds: float | None) -> str:
    """75 → '1:15'."""
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def run_time(job: Job) -> float | None:
    if job.started_at is None:
        return None
    return ((job.finished_at or now()) - job.started_at).total_seconds()


def percent(job: Job) -> str:
    return f"{100 * job.progress_done / job.progress_total:.0f} %" if job.progress_total else ""


def job_cells(job: Job) -> list[str]:
    """One row under JOB_COLUMNS."""
    return [str(job.id), job.state, job.kind, job.name, percent(job), duration(run_time(job)), job.reason or ""]


def accuracy(run: BenchmarkRun) -> str:
    """A number never stands alone: estimate, 95 % interval, n."""
    return f"{100 * run.accuracy:.1f} % [{100 * run.ci_low:.1f}, {100 * run.ci_high:.1f}] n={run.n}"


def as_dict(row: Any) -> dict[str, Any]:
    """A row as JSON-ready values."""
    values = row.model_dump()
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}
