"""A report written out: CSV for a spreadsheet, Markdown for a log, JSON for a program. One column list serves all.

Numbers in CSV and JSON are shares of 1 with full precision; Markdown shows percent and points as the page does.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lab.reports.build import Level, StudyReport
from lab.reports.paired import Difference
from lab.reports.verdict import p_text, signed

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet runs a text that starts so


def level_row(level: Level) -> dict[str, Any]:
    """One model on one benchmark as plain values."""
    run = level.run
    return {
        "model": run.model, "base": run.base, "arm": run.arm, "dataset": run.dataset, "seed": run.seed,
        "asked": run.asked_words, "benchmark": run.benchmark, "benchmark_version": run.benchmark_version, "n": level.n,
        "n_correct": level.n_correct, "accuracy": level.accuracy, "ci_low": level.low, "ci_high": level.high,
        "unparsed": level.unparsed, "truncated": level.truncated, "mean_tokens": level.mean_tokens,
        "seconds": level.seconds, "run": run.run_id,
    }


def difference_row(difference: Difference) -> dict[str, Any]:
    """One paired comparison as plain values."""
    return {
        "question": difference.question, "first": difference.first.model, "second": difference.second.model,
        "first_asked": difference.first.asked_words, "second_asked": difference.second.asked_words,
        "base": difference.first.base, "dataset": difference.first.dataset, "seed": difference.first.seed,
        "benchmark": difference.benchmark, "n": difference.n, "difference": difference.difference,
        "ci_low": difference.low, "ci_high": difference.high, "only_first_right": difference.first_only,
        "only_second_right": difference.second_only, "p_mcnemar": difference.p_value, "p_holm": difference.p_holm,
        "within_noise": difference.within_noise, "detectable": difference.detectable,
    }


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """CSV with a header; texts that a spreadsheet would run as a formula get a leading apostrophe."""
    buffer = io.StringIO()
    if rows:
        writer = csv.DictWriter(buffer, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _safe(value) for name, value in row.items()} for row in rows)
    return buffer.getvalue()


def _safe(value: Any) -> Any:
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return "'" + value if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def report_csv(report: StudyReport) -> str:
    """The levels: one row a model and benchmark."""
    return csv_text([{**level_row(level), "health": "; ".join(report.health.get(level.run.model, ()))}
                     for level in report.levels])


def differences_csv(report: StudyReport) -> str:
    """The paired differences: one row a comparison."""
    return csv_text([difference_row(difference) for difference in report.differences])


def report_json(report: StudyReport) -> str:
    """Everything the page shows, for a program."""
    verdicts = [{name: getattr(v, name) for name in v.__dataclass_fields__} for v in report.verdicts]
    plain = {
        "title": report.title,
        "verdicts": verdicts,
        "models": [level_row(level) for level in report.levels],
        "differences": [difference_row(difference) for difference in report.differences],
        "not_compared": [vars(refused) for refused in report.refused],
        "health": {model: list(sentences) for model, sentences in report.health.items()},
        "pending": [vars(pending) for pending in report.pending],
        "fluency": [vars(fluency) for fluency in report.fluency],
        "preferences": [vars(preference) for preference in report.preferences],
        "without_samples": list(report.empty_runs),
    }
    return json.dumps(plain, ensure_ascii=False, indent=1, allow_nan=False)


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[object]], right: Iterable[str] = ()) -> str:
    """A pipe table; columns named in `right` are right-aligned. Pipes and line breaks in cells are made harmless."""
    numeric = set(right)
    lines = [_line(columns), _line("---:" if name in numeric else "---" for name in columns)]
    return "\n".join(lines + [_line(row) for row in rows])


def _line(cells: Iterable[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def levels_markdown(levels: Iterable[Level]) -> str:
    """The table of levels, as the page shows it."""
    columns = ["benchmark", "model", "arm", "n", "accuracy %", "95 % interval", "unparsed %", "cut %", "tokens", "s"]
    rows = [
        (
            level.run.benchmark, level.run.title, level.run.arm, level.n, f"{level.accuracy * 100:.1f}",
            f"{level.low * 100:.1f} to {level.high * 100:.1f}", f"{level.unparsed * 100:.1f}",
            f"{level.truncated * 100:.1f}", f"{level.mean_tokens:.0f}", f"{level.seconds:.0f}",
        )
        for level in levels
    ]
    return markdown_table(columns, rows, [name for name in columns if name not in ("benchmark", "model", "arm")])


def differences_markdown(differences: Iterable[Difference]) -> str:
    """The table of paired differences in points."""
    columns = ["benchmark", "first − second", "n", "points", "95 % interval", "b / c", "p", "Holm p", "reads as"]
    rows = [
        (
            d.benchmark, f"{d.first.title} − {d.second.title}", d.n, signed(d.difference),
            f"{signed(d.low)} to {signed(d.high)}", f"{d.first_only} / {d.second_only}", p_text(d.p_value),
            p_text(d.p_holm), "within noise" if d.within_noise else "better" if d.difference > 0 else "worse",
        )
        for d in differences
    ]
    return markdown_table(columns, rows, [n for n in columns if n not in ("benchmark", "first − second", "reads as")])


def report_markdown(report: StudyReport) -> str:
    """The whole report as a Markdown document; what `python -m jobs show` prints and the log keeps."""
    parts = [f"# {report.title}"]
    if report.verdicts:
        parts += ["## Does the trace help?", "\n".join(_verdict_lines(report))]
    if report.levels:
        parts += ["## Accuracy", levels_markdown(report.levels)]
    if report.differences:
        parts += ["## Paired differences", differences_markdown(report.differences), _legend(report)]
    if report.health:
        lines = [f"- {model}: {'; '.join(sentences)}" for model, sentences in report.health.items()]
        parts += ["## Models that failed their health check", "\n".join(lines)]
    if report.refused:
        lines = [f"- {r.first} and {r.second} on {r.benchmark}: {r.why}" for r in report.refused]
        parts += ["## Not compared", "\n".join(lines)]
    if report.fluency or report.preferences:
        parts += ["## Fluency, by human raters", *_ratings(report)]
    if report.pending or report.empty_runs:
        lines = [f"- {p.model} on {p.benchmark}: {p.state}" for p in report.pending]
        lines += [f"- {name}: the run left no samples" for name in report.empty_runs]
        parts += ["## Not in yet", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def _verdict_lines(report: StudyReport) -> list[str]:
    lines = []
    for verdict in report.verdicts:
        how = f", {verdict.asked}" if verdict.asked else ""
        lines.append(f"- **{verdict.base}, {verdict.dataset}, on {verdict.benchmark}{how}.** {verdict.sentence}")
        lines += [f"  - {caution}" for caution in verdict.cautions]
    return lines


def _legend(report: StudyReport) -> str:
    return (
        "Points of accuracy on the same questions; b: only the first is right, c: only the second. p: exact McNemar; "
        f"Holm p: corrected over the {len(report.differences)} comparisons of this table."
    )


def _ratings(report: StudyReport) -> list[str]:
    parts = []
    if report.fluency:
        rows = [(f.round, f.model, f.arm, f.n, f"{f.mean:.2f}", f"{f.low:.2f} to {f.high:.2f}") for f in report.fluency]
        columns = ["round", "model", "arm", "n", "mean 1–5", "95 % interval"]
        parts.append(markdown_table(columns, rows, columns[3:]))
    if report.preferences:
        rows = [
            (p.round, p.model_a, p.model_b, p.n, f"{p.share_b * 100:.0f}", f"{p.low * 100:.0f} to {p.high * 100:.0f}")
            for p in report.preferences
        ]
        columns = ["round", "model A", "model B", "n", "prefers B %", "95 % interval"]
        parts.append(markdown_table(columns, rows, columns[3:]))
    return parts
