"""`submit`: a recipe and its overrides into the queue."""

from __future__ import annotations

import argparse
import json
import sys

from jobs.cli.text import as_dict
from jobs.cli.waiting import outcome, wait_for_jobs
from jobs.queue import Submitted, Wish, submit
from lab.core.settings import Settings
from lab.core.spec import parse_overrides, read_recipe
from storage.database import open_store


def submit_recipe(options: argparse.Namespace) -> int:
    """Everything is validated before anything is stored."""
    overrides = parse_overrides(options.overrides)
    kind, values = read_recipe(options.recipe, overrides)
    store = open_store()
    submitted = submit(store, kind, values, Wish(options.priority, options.on))
    _say(submitted, options)
    if not options.wait:
        if options.json:
            print(json.dumps(_summary(submitted), indent=1))
        return 0
    ids = [job.id for job in submitted.jobs if job.id is not None]
    jobs = wait_for_jobs(store, Settings.from_env(), ids, stream=sys.stderr if options.json else sys.stdout)
    return outcome(store, jobs, submitted.study and submitted.study.id, as_json=options.json)


def _say(submitted: Submitted, options: argparse.Namespace) -> None:
    stream = sys.stderr if options.json else sys.stdout
    if submitted.study is not None:
        print(f"study {submitted.study.id} ({submitted.study.name}): {len(submitted.jobs)} jobs queued", file=stream)
    else:
        job = submitted.jobs[0]
        print(f"job {job.id} ({job.name}) queued", file=stream)


def _summary(submitted: Submitted) -> dict:
    return {
        "study": submitted.study and as_dict(submitted.study),
        "jobs": [as_dict(job) for job in submitted.jobs],
    }
