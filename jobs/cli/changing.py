"""`cancel`, `retry` and `rerun`."""

from __future__ import annotations

import argparse
import sys

from jobs.cli.looking import study_number
from jobs.cli.waiting import outcome, wait_for_jobs
from jobs.queue import cancel_study, request_cancel, rerun, retry
from lab.core.settings import Settings
from storage.database import Store, open_store
from storage.tables import Job


def cancel(options: argparse.Namespace) -> int:
    store = open_store()
    if options.id.startswith("study:"):
        jobs = cancel_study(store, study_number(options.id))
        print(f"{len(jobs)} job(s) of {options.id} asked to end")
        return 0
    job = request_cancel(store, options.id)
    if job.state == "cancelled":
        print(f"job {job.id} ({job.name}) is cancelled")
    elif job.desired == "cancel":
        print(f"job {job.id} ({job.name}) is asked to end")
    else:
        print(f"job {job.id} ({job.name}) has already ended: {job.state}")
    return 0


def retry_job(options: argparse.Namespace) -> int:
    store = open_store()
    job = retry(store, options.id, from_start=options.from_start)
    whole = store.home.job(job.uid).checkpoints.last_whole()
    goes_on = f"; it goes on from step {whole.step}" if whole else ""
    print(f"job {job.id} ({job.name}) queued again{goes_on}")
    return _stay(store, job, options)


def rerun_job(options: argparse.Namespace) -> int:
    store = open_store()
    job, differences = rerun(store, options.id)
    print(f"job {job.id} ({job.name}) queued; it runs job {job.parent_id} once more")
    for line in differences or ["Nothing that was recorded is different now."]:
        print(f"  {line}")
    return _stay(store, job, options)


def _stay(store: Store, job: Job, options: argparse.Namespace) -> int:
    if not options.wait:
        return 0
    jobs = wait_for_jobs(store, Settings.from_env(), [job.id], stream=sys.stdout)
    return outcome(store, jobs, None, as_json=False)
