"""`list`, `show` and `logs`: read the store and the job's files."""

from __future__ import annotations

import argparse
import json
import sys
import time

from jobs.cli.text import JOB_COLUMNS, aligned, as_dict, duration, job_cells, percent, run_time
from lab.core.errors import LabError, nearest
from lab.core.spec import to_yaml
from lab.energy.words import how, sentence
from lab.reports.tables import report_markdown
from storage.database import Store, open_store
from storage.files import JobFolder, log_tail, read_log
from storage.queries.benchmarks import latest_runs
from storage.queries.jobs import events, get_job, list_jobs, needs
from storage.queries.queue import Place, line
from storage.queries.reports import study_report
from storage.queries.studies import get_study, study_jobs, study_state
from storage.tables import ENDED, STATES, Job


def list_rows(options: argparse.Namespace) -> int:
    wrong = [state for state in options.state or [] if state not in STATES]
    if wrong:
        raise LabError(f"unknown state '{wrong[0]}'. {nearest(wrong[0], STATES)}", "spec")
    store = open_store()
    with store.read() as session:
        rows, total = list_jobs(session, options.state, options.study, options.search, limit=options.limit)
    if options.json:
        print(json.dumps({"total": total, "jobs": [as_dict(job) for job in rows]}))
    elif rows:
        print(aligned(JOB_COLUMNS, [job_cells(job) for job in rows]))
        if total > len(rows):
            print(f"{len(rows)} of {total}; --limit shows more")
    else:
        print("No jobs. `python -m jobs submit lab/recipes/demo/study.yaml` queues the demo study.")
    return 0


def show(options: argparse.Namespace) -> int:
    store = open_store()
    if options.id.startswith("study:"):
        return _show_study(store, study_number(options.id), options.json)
    with store.read() as session:
        job = get_job(session, options.id)
        changes, needed, place = events(session, job.id), needs(session, job.id), line(session).get(job.id)
    folder = store.home.absolute(job.folder)
    whole = JobFolder(folder).checkpoints.last_whole()
    if options.json:
        print(json.dumps({
            **as_dict(job), "path": str(folder), "needs": [other.id for other in needed],
            "queue_position": place and place.number, "starts_in_s": place and place.seconds,
            "checkpoint_step": whole and whole.step, "events": [as_dict(change) for change in changes],
        }))
        return 0
    _print_facts(job, [
        ("waits for", ", ".join(f"job {other.id} ({other.state})" for other in needed)),
        ("place in the queue", _place(place)), ("checkpoint", f"step {whole.step}" if whole else ""),
        ("folder", str(folder)),
    ])
    print("\n" + "\n".join(f"{change.at:%Y-%m-%d %H:%M:%S} {change.state:10} {change.why}" for change in changes))
    print("\n" + to_yaml(job.kind, job.spec).rstrip())
    if job.result:
        print("\nresult: " + json.dumps(job.result, ensure_ascii=False, indent=1))
    if job.state == "failed":
        print("\nlast lines of the log:\n" + log_tail(JobFolder(folder).log, 20))
    return 0


def _place(place: Place | None) -> str:
    if place is None:
        return ""
    return f"no. {place.number}" + ("" if place.seconds is None else f", starts in about {duration(place.seconds)}")


def _print_facts(job: Job, more: list[tuple[str, str]]) -> None:
    facts = [
        ("job", f"{job.id} ({job.uid})"), ("name", job.name), ("kind", job.kind), ("state", job.state),
        ("reason", job.reason or ""), ("message", job.message or ""), ("attempt", str(job.attempt or "")),
        ("re-runs job", str(job.parent_id or "")), ("study", str(job.study_id or "")),
        ("progress", f"{percent(job)} {job.progress_text}".strip()), ("time", duration(run_time(job))),
        ("time left", duration(job.eta_s)), ("runs on", job.run_on or job.host or ""),
        ("devices", f"{job.devices} for {job.device_seconds / 3600:.2f} device-hours" if job.device_seconds else ""),
        ("energy", sentence(job.energy) if job.energy else ""),
        *(("", line) for line in (how(job.energy) if job.energy else ())),
        ("announced", json.dumps(job.facts) if job.facts else ""), *more,
    ]
    print("\n".join(f"{name:20} {value}" for name, value in facts if value))


def _show_study(store: Store, study_id: int, as_json: bool) -> int:
    with store.read() as session:
        study, state = get_study(session, study_id), study_state(session, study_id)
        jobs, runs = study_jobs(session, study_id), latest_runs(session, study_id)
        report = study_report(session, study_id)
    if as_json:
        print(json.dumps({
            **as_dict(study), **state, "jobs": [as_dict(job) for job in jobs], "runs": [as_dict(run) for run in runs],
        }))
        return 0
    done = f"{100 * state['progress']:.0f} % of {state['n_jobs']} jobs"
    print(f"study {study.id} ({study.name}): {state['state']}, {done}")
    print("\n" + aligned(JOB_COLUMNS, [job_cells(job) for job in jobs]))
    print("\n" + report_markdown(report))
    return 0


def study_number(text: str) -> int:
    """'study:3' → 3."""
    number = text.removeprefix("study:")
    if not (number.isascii() and number.isdigit()):
        raise LabError(f"'{text}' is not a study; write study: and its number, for example study:1", "spec")
    return int(number)


def logs(options: argparse.Namespace) -> int:
    store = open_store()
    with store.read() as session:
        job = get_job(session, options.id)
    path = JobFolder(store.home.absolute(job.folder)).log
    offset = 0
    if options.lines is not None:
        print(log_tail(path, options.lines))
        offset = path.stat().st_size if path.exists() else 0
    while True:
        if options.follow:  # the state before the text, so that the last words are not missed
            with store.read() as session:
                job = get_job(session, job.id)
        text, offset = read_log(path, offset)
        sys.stdout.write(text)
        sys.stdout.flush()
        if not text and (not options.follow or job.state in ENDED):
            return 0
        if not text:
            time.sleep(0.3)


