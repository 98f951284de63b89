"""Launching from the page: the same path as the command line, and what the reader is told afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jobs.catalog import specs
from jobs.queue import DEMO_STUDY, Wish, submit
from lab.core.errors import LabError
from lab.core.spec import load_spec, parse_recipe, read_recipe
from lab.studies.spec import StudySpec
from lab.ui.app_state import SPACE_SENTENCE, LabApp
from lab.ui.components.html import Html, failure, link, tag
from storage.queries.jobs import workers
from storage.queries.studies import get_study

if TYPE_CHECKING:
    from jobs.queue import Submitted


def starting_spec(app: LabApp, study: str = "") -> StudySpec:
    """What the form shows first: the spec of an earlier study if the address names one, else the demo study's."""
    if study:
        with app.store.read() as session:
            values: Mapping[str, Any] = get_study(session, int(study) if study.isdigit() else -1).spec
    else:
        _, values = read_recipe(DEMO_STUDY)
    return load_spec(StudySpec, values)


def launch(app: LabApp, kind: str, values: Mapping[str, Any], run_on: str = "") -> Html:
    """Submit; says what was queued, or lists every fault. `run_on`: "" or "slurm:<profile>"."""
    try:
        if not app.may_launch:
            raise LabError(SPACE_SENTENCE, "spec")
        return _launched(app, submit(app.store, kind, values, Wish(run_on=run_on)))
    except LabError as problem:
        return failure(problem)


def launch_recipe(app: LabApp, text: str, run_on: str = "") -> Html:
    """A pasted recipe of any kind."""
    try:
        kind, values = parse_recipe(text, "recipe")
        _ = specs()[kind]  # an unknown kind is told with its nearest name
    except LabError as problem:
        return failure(problem)
    return launch(app, kind, values, run_on)


def study_of_recipe(text: str) -> StudySpec:
    """The study a pasted recipe describes. LabError when it is of another kind or has faults."""
    kind, values = parse_recipe(text, "recipe")
    if kind != StudySpec.kind:
        raise LabError(f"the form is for studies, and this recipe is of kind '{kind}'. Launch it as it is.", "spec")
    return load_spec(StudySpec, values)


def _launched(app: LabApp, done: Submitted) -> Html:
    n_jobs = len(done.jobs)
    what = f"Study {done.study.id}, {done.study.name}," if done.study else f"Job {done.jobs[0].id}"
    count = f" with {n_jobs} jobs" if done.study else ""
    href = f"/jobs?study={done.study.id}" if done.study else f"/jobs?id={done.jobs[0].id}"
    with app.store.read() as session:
        idle = "" if workers(session) else " No worker is running yet: start one with python -m jobs worker."
    words = f"{what}{count} is queued.{idle}"
    return tag("div", tag("p", words), link(href, "Watch it run"), cls="good-news", role="status")
