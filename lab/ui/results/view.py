"""A study's report as the page shows it: the verdict in words, two plots, two tables, what raters said."""

from __future__ import annotations

from itertools import groupby

from lab.reports.build import Level, StudyReport
from lab.reports.verdict import Verdict
from lab.ui.components.folds import fold
from lab.ui.components.health import Healths, health_flag
from lab.ui.components.html import chip, empty, interval_bar, link, note, number, percent, state_badge, table
from lab.ui.components.interval_plot import Mark, interval_plot
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.sorting import sortable
from lab.ui.components.table import Row
from lab.ui.results.differences import difference_plot, differences_table
from lab.ui.runs.asked import NOBODY, run_name

OUTCOMES = {
    "better": ("▲", "The trace helps"), "worse": ("▼", "The trace hurts"), "noise": ("≈", "No difference can be seen"),
}
STAGE_OUTCOMES = {
    "better": ("▲", "This stage helps"), "worse": ("▼", "This stage hurts"),
    "noise": ("≈", "This stage changes nothing that can be seen"),
}
LEVELS = [
    sortable("Model", wide=True), sortable("Benchmark"), sortable("n", True), sortable("Accuracy", True),
    sortable("95 % interval", hint="Wilson; the bar runs from 0 to 100 %"),
    sortable("Unparsed", True, hint="no answer could be read; counted as wrong"),
    sortable("Cut", True, hint="ended at the token budget"),
    sortable("Tokens", True, hint="mean per answer, thinking included"), sortable("Time", True),
]


def verdicts_html(report: StudyReport, healths: Healths = NOBODY) -> Html:
    """One card for each base, dataset and benchmark, or for each stage; before them, which models are not well."""
    if report.verdicts:
        return join([_unwell(report, healths), tag("div", *map(_verdict, report.verdicts), cls="verdicts")])
    if report.levels:
        return note("There is no verdict yet: it needs a trace and an answer arm of the same base, dataset and seed.")
    return Html("")


def _unwell(report: StudyReport, healths: Healths) -> Html | None:
    """A model that does not end or close its thinking loses points for that, whatever else it has learned."""
    models = dict.fromkeys((level.run.model, level.run.arm) for level in report.levels)
    flagged = [(model, arm) for model, arm in models if health_flag(healths.get(model))]
    if not flagged:
        return None
    rows = (tag("li", link(f"/models?variant={model}", chip(model, arm)), " ", "; ".join(healths[model]["failed"]))
            for model, arm in flagged)
    words = "A difference from a model that is not well may come from that, and not from what it was taught."
    return tag("div", tag("b", f"⚠ {len(flagged)} of the models failed their health check. "), words, tag("ul", *rows),
               cls="caution unwell")


def _verdict(verdict: Verdict) -> Html:
    is_stage = verdict.question == "stage − start"
    sign, words = (STAGE_OUTCOMES if is_stage else OUTCOMES)[verdict.outcome]
    words = words if verdict.firm else words.replace("helps", "may help").replace("hurts", "may hurt")
    where = f"{verdict.base}, trained on {verdict.dataset}, asked {verdict.benchmark}"
    if is_stage:
        where = f"{verdict.models[0]} against {verdict.models[1]}, which it went on from, asked {verdict.benchmark}"
    where += f", {verdict.asked}" if verdict.asked else ""
    return tag(
        "section", tag("h2", tag("span", sign, cls="sign", aria_hidden="true"), f" {words}", tag("small", where)),
        tag("p", verdict.sentence, cls="verdict-sentence"),
        tag("ul", *(tag("li", caution) for caution in verdict.cautions), cls="cautions") if verdict.cautions else None,
        cls=f"lab-card verdict-card outcome-{verdict.outcome}",
    )


def plots_html(report: StudyReport) -> Html:
    """The levels at the left, the differences at the right; one below the other in a narrow window."""
    if not report.levels:
        return Html("")
    levels = (_accuracy_plot(b, list(group)) for b, group in groupby(report.levels, lambda x: x.run.benchmark))
    return tag("div", tag("div", *levels), tag("div", difference_plot(report.differences)), cls="lab-cards plots")


def _accuracy_plot(benchmark: str, levels: list[Level]) -> Html:
    marks = [
        Mark(run_name(x.run.model, x.run.arm, x.run.settings), 100 * x.low, 100 * x.accuracy, 100 * x.high, x.run.arm,
             f"n {x.n}")
        for x in levels
    ]
    plot = interval_plot(marks, "%", f"accuracy on {benchmark}", (0, 100))
    return tag("section", tag("h2", f"Accuracy on {benchmark}"), plot, cls="lab-card")


def tables_html(report: StudyReport, healths: Healths = NOBODY) -> Html:
    """Levels, differences, and what could not be compared."""
    if not report.levels:
        return Html("")
    rows = [_level_row(level, healths) for level in report.levels]
    parts = [tag("h2", "Every model"), table(LEVELS, rows, caption="Accuracy of every model")]
    if report.differences:
        parts += [tag("h2", "Every paired difference"), differences_table(report.differences, healths)]
    if report.refused:
        lines = [tag("li", f"{r.first} and {r.second} on {r.benchmark}: {r.why}") for r in report.refused]
        parts += [tag("h2", "Not compared"), tag("ul", *lines)]
    return tag("div", *parts, cls="result-tables")


def _level_row(level: Level, healths: Healths) -> Row:
    run = level.run
    cells = [
        run_name(run.model, run.arm, run.settings, healths), tag("span", run.benchmark, cls="figure"), number(level.n),
        tag("b", percent(level.accuracy)), _reach(level.low, level.accuracy, level.high, run.arm),
        percent(level.unparsed), percent(level.truncated), number(level.mean_tokens, 0), number(level.seconds, 0, "s"),
    ]
    return Row(cells, href=f"/benchmarks?run={run.run_id}" if run.run_id else "")


def _reach(low: float, estimate: float, high: float, arm: str) -> Html:
    reach = f"{100 * low:.1f} to {100 * high:.1f}"
    return tag("span", reach, " ", interval_bar(low, estimate, high, arm), cls="interval-cell")


def pending_html(report: StudyReport) -> Html:
    """What the study still waits for, and what did not come."""
    if not report.pending and not report.empty_runs:
        return Html("")
    rows = [tag("li", state_badge(p.state), f" {p.model} on {p.benchmark}") for p in report.pending]
    rows += [tag("li", f"{name}: the run left no samples") for name in report.empty_runs]
    title = f"{len(rows)} benchmark run{'' if len(rows) == 1 else 's'} not in"
    return tag("div", fold("pending", title, tag("ul", *rows, cls="pending-list")), cls="lab-card pending")


def fluency_html(report: StudyReport) -> Html:
    """Mean fluency of each arm and the preference, from closed rounds."""
    title = tag("h2", "Fluency, by human raters")
    if not report.fluency:
        text = "When a rating round over this study's answers is closed, mean fluency and preference stand here."
        return tag("section", title, empty("No closed rating round", text, "/ratings", "Open Ratings"), cls="fluency")
    marks = [
        Mark(join([chip(f.model, f.arm), " ", tag("small", f.round)]), f.low, f.mean, f.high, f.arm, f"{f.n} ratings")
        for f in report.fluency
    ]
    shares = [
        Mark(join([p.model_b, tag("small", f" over {p.model_a} · {p.round}")]), 100 * p.low, 100 * p.share_b,
             100 * p.high, "base", f"{p.n} ratings")
        for p in report.preferences
    ]
    parts = [title, interval_plot(marks, "of 5", "mean fluency", (1, 5))]
    if shares:
        parts += [tag("h3", "Preferred (a tie counts half; 50 % is no preference)"),
                  interval_plot(shares, "%", "preference", (0, 100))]
    return tag("section", *parts, cls="lab-card fluency")
