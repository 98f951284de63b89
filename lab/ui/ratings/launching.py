"""Jobs beside the raters of a round: a model that judges the same texts, and how surprising one finds each of
them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jobs.queue import submit
from lab.core.errors import LabError
from lab.ui.components.html import failure
from lab.ui.components.markup import Html, tag
from lab.ui.ratings.permission import check_allowed, number_of
from lab.ui.runs.launch import reference
from storage.queries.ratings import get_round

if TYPE_CHECKING:
    from lab.ui.app_state import LabApp

JUDGE, MEASURE = "rounds-judge", "measure"


def judge(app: LabApp, selected: str, model: str) -> Html:
    """Queue a job in which a model judges every unit in both orders."""
    return _queued(app, selected, JUDGE, model, "Its verdicts stand beside the raters' when it is done.")


def measure(app: LabApp, selected: str, model: str) -> Html:
    """Queue a job that works out the perplexity of every text under a base or a variant."""
    return _queued(app, selected, MEASURE, model, "Its figures stand with the automatic measures when it is "
                   "done.")


def _queued(app: LabApp, selected: str, kind: str, name: str, words: str) -> Html:
    try:
        check_allowed(app)
        if not name:
            raise LabError("choose a model first.", "spec")
        with app.store.read() as session:
            uid = get_round(session, number_of(selected)).uid
        values: dict[str, Any] = {"units": f"round:{uid}", "model": reference(name)}
        job = submit(app.store, kind, values).jobs[0]
    except LabError as problem:
        return failure(problem)
    return tag("p", "Queued: ", tag("a", f"job {job.id}", href=f"/jobs?id={job.id}"), f". {words}", cls="good-news",
               role="status")
