"""The newest study that has results, at a glance: the difference in words, then the levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.reports.build import StudyReport
from lab.ui.components.health import Healths
from lab.ui.components.html import card, empty, link
from lab.ui.components.interval_plot import Mark, interval_plot
from lab.ui.components.markup import Html, join, tag
from lab.ui.runs.asked import run_name
from storage.database import Session
from storage.queries.benchmarks import list_runs
from storage.queries.reports import study_report
from storage.queries.studies import get_study, health_of

if TYPE_CHECKING:

    from storage.tables import Study

MOST_MARKS = 8
MOST_STUDIES = 3


def newest_key(session: Session) -> str:
    """Changes when there is something new to show here; the report itself is costly to read every two seconds."""
    runs, total = list_runs(session, limit=1)
    return f"{runs[0].id}/{total}" if runs else ""


def newest_result(session: Session) -> Html:
    """Of the study that benchmarked last; one whose arms can be told apart goes before one that is just starting."""
    runs, _ = list_runs(session, limit=100)
    recent = list(dict.fromkeys(run.study_id for run in runs if run.study_id))[:MOST_STUDIES]
    reports = [(study_id, study_report(session, study_id)) for study_id in recent]
    if not reports:
        return card("Newest result", empty(
            "No result yet", "The first benchmark of a study shows here, with its interval.", "/results", "Results"))
    study_id, report = next(((i, r) for i, r in reports if r.verdicts), reports[0])
    study = get_study(session, study_id)
    healths = health_of(session, {level.run.model for level in report.levels})
    return card(join(["Newest result: ", study.name]), _glance(report, healths), _foot(study))


def _foot(study: Study) -> Html:
    return tag("span", link(f"/results?study={study.id}", "the whole report"), " · ",
               link(f"/jobs?study={study.id}", "its jobs"))


def _glance(report: StudyReport, healths: Healths) -> Html:
    words = [tag("p", verdict.sentence, cls="strong") for verdict in report.verdicts[:2]]
    if not words:
        missing = "Both arms of a pair need a result before their difference can be told."
        words = [tag("p", missing, cls="note")]
    plots = [_levels(report, benchmark, healths) for benchmark in report.benchmarks[:2]]
    return join([*words, *plots])


def _levels(report: StudyReport, benchmark: str, healths: Healths) -> Html:
    levels = [level for level in report.levels if level.run.benchmark == benchmark][:MOST_MARKS]
    marks = [
        Mark(run_name(level.run.model, level.run.arm, level.run.settings, healths), 100 * level.low,
             100 * level.accuracy, 100 * level.high, level.run.arm, f"n {level.n}")
        for level in levels
    ]
    title = f"Accuracy on {benchmark}, 95 % intervals"
    return join([tag("h3", title), interval_plot(marks, "%", title, reach=(0, 100))])
