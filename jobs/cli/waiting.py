"""`--wait`: stay with jobs until they end, say what changes, and print what came of them."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TextIO

from sqlmodel import col, select

from jobs.cli.text import JOB_COLUMNS, accuracy, aligned, as_dict, duration, job_cells, percent
from jobs.keeper import keep_worker
from jobs.references import TRAINING_KINDS
from lab.core.settings import Settings
from lab.reports.asked import titled
from lab.reports.tables import differences_markdown
from storage.database import Store
from storage.files import log_tail
from storage.queries.benchmarks import latest_runs
from storage.queries.reports import study_report
from storage.tables import ENDED, BenchmarkRun, Job, Variant

LOOK_EVERY_S = 0.5
SPEAK_EVERY_S = 10.0


@dataclass
class _Reporter:
    """Prints a line for each change of state, and for a running job every ten seconds."""

    stream: TextIO
    states: dict[int, str] = field(default_factory=dict)
    spoken_at: float = 0.0

    def look(self, jobs: list[Job]) -> None:
        for job in jobs:
            if self.states.get(job.id, "queued") != job.state:
                self.states[job.id] = job.state
                self._say(f"job {job.id} {job.name}: {job.state}" + (f" ({job.message})" if job.message else ""))
        if time.monotonic() - self.spoken_at > SPEAK_EVERY_S:
            for job in jobs:
                if job.state == "running" and job.progress_total:
                    known = job.eta_s is not None and "left" not in job.progress_text
                    left = f", {duration(job.eta_s)} left" if known else ""
                    self._say(f"job {job.id} {job.name}: {percent(job)} {job.progress_text}{left}")

    def _say(self, text: str) -> None:
        self.spoken_at = time.monotonic()
        print(f"{datetime.now():%H:%M:%S} {text}", file=self.stream, flush=True)


def wait_for_jobs(store: Store, settings: Settings, job_ids: list[int], stream: TextIO) -> list[Job]:
    """The jobs once all of them have ended. A worker is started when none serves the store."""
    keep_worker(settings)
    reporter = _Reporter(stream)
    try:
        while True:
            with store.read() as session:
                jobs = list(session.exec(select(Job).where(col(Job.id).in_(job_ids)).order_by(col(Job.id))))
            reporter.look(jobs)
            if all(job.state in ENDED for job in jobs):
                return jobs
            time.sleep(LOOK_EVERY_S)
    except KeyboardInterrupt:
        ids = " ".join(str(job.id) for job in jobs if job.state not in ENDED)
        print(f"\nNot waiting any more; the jobs go on: {ids}. `python -m jobs cancel ID` ends one.", file=stream)
        raise


def outcome(store: Store, jobs: list[Job], study_id: int | None, as_json: bool) -> int:
    """Print what came of it; exit code 0 when every job succeeded, else 1."""
    with store.read() as session:
        report = study_report(session, study_id) if study_id is not None else None
        if study_id is not None:
            runs = latest_runs(session, study_id)
        else:
            wanted = col(BenchmarkRun.job_id).in_([job.id for job in jobs])
            runs = list(session.exec(select(BenchmarkRun).where(wanted).order_by(col(BenchmarkRun.id))))
        left = select(Variant.job_id, Variant.name).where(col(Variant.job_id).in_([job.id for job in jobs]))
        variants = {job_id: name for job_id, name in session.exec(left)}
    if as_json:
        print(json.dumps({"study": study_id, "jobs": [as_dict(j) for j in jobs], "runs": [as_dict(r) for r in runs]}))
    else:
        print("\n" + aligned(JOB_COLUMNS, [job_cells(job) for job in jobs]))
        if runs:
            print("\n" + accuracy_table(jobs, runs, variants))
        if report is not None and report.differences:
            print("\n" + differences_markdown(report.differences))
        _explain_failures(store, jobs)
    return 0 if all(job.state == "succeeded" for job in jobs) else 1


def accuracy_table(jobs: list[Job], runs: list[BenchmarkRun], variants: dict[int, str]) -> str:
    """One row a model: its training job's state, and its accuracy on each benchmark. `variants`: job → name."""
    benchmarks = sorted({run.benchmark for run in runs})
    states = {variants.get(job.id, job.name): job.state for job in jobs if job.kind in TRAINING_KINDS}
    named = [(titled(run.model_label, run.settings), run) for run in runs]
    labels = list(dict.fromkeys([title for title, run in named if run.arm == "base"] + list(states)))
    labels += sorted({title for title, _ in named} - set(labels))
    cells = {(title, run.benchmark): accuracy(run) for title, run in named}
    rows = [
        [label, states.get(label, "–"), *(cells.get((label, name), "–") for name in benchmarks)] for label in labels
    ]
    return aligned(["model", "trained", *benchmarks], rows)


def _explain_failures(store: Store, jobs: list[Job]) -> None:
    for job in jobs:
        if job.state == "failed":
            print(f"\njob {job.id} ({job.name}) failed [{job.reason}]: {job.message}")
            print(log_tail(store.home.job(job.uid).log, 10))
