"""Rows and cells that every file of a report is made of: one model, one comparison, a CSV, a Markdown table.

Numbers in rows are shares of 1 with full precision; cells show percent and points as the page does.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

from lab.data.writing import FORMULA_STARTS
from lab.reports.build import Level
from lab.reports.paired import Difference, Refused


def level_row(level: Level) -> dict[str, Any]:
    """One model on one benchmark as plain values."""
    run = level.run
    return {
        "model": run.model, "base": run.base, "arm": run.arm, "dataset": run.dataset, "seed": run.seed,
        "asked": run.asked_words, "benchmark": run.benchmark, "benchmark_version": run.benchmark_version, "n": level.n,
        "n_correct": level.n_correct, "accuracy": level.accuracy, "ci_low": level.low, "ci_high": level.high,
        "unparsed": level.unparsed, "truncated": level.truncated, "mean_tokens": level.mean_tokens,
        "seconds": level.seconds, "run": run.run_id, "scorer": run.scorer, "scorer_version": run.scorer_version,
        "n_answers": level.n_answers, "standard_error": level.se if isfinite(level.se) else None,
        "interval": level.method, "unclosed": level.unclosed, "detectable_10": level.reach.at_10,
        "detectable_20": level.reach.at_20, "detectable_30": level.reach.at_30, "n_clean": level.n_clean,
        **_clean_row(level.clean and (level.clean.estimate, level.clean.low, level.clean.high), "accuracy"),
    }


def _clean_row(figures: tuple[float, float, float] | None, name: str) -> dict[str, float | None]:
    return dict(zip((f"clean_{name}", "clean_low", "clean_high"), figures or (None, None, None), strict=True))


def difference_row(difference: Difference) -> dict[str, Any]:
    """One paired comparison as plain values."""
    clean = difference.clean
    return {
        "question": difference.question, "first": difference.first.model, "second": difference.second.model,
        "first_asked": difference.first.asked_words, "second_asked": difference.second.asked_words,
        "base": difference.first.base, "dataset": difference.first.dataset, "seed": difference.first.seed,
        "benchmark": difference.benchmark, "n": difference.n, "difference": difference.difference,
        "ci_low": difference.low, "ci_high": difference.high, "only_first_right": difference.first_only,
        "only_second_right": difference.second_only, "p": difference.p_value, "p_holm": difference.p_holm,
        "within_noise": difference.within_noise, "detectable": difference.detectable, "test": difference.test,
        "n_answers": difference.n_answers, "n_clusters": difference.n_clusters, "n_clean": difference.n_clean,
        **_clean_row(clean and (clean.difference, clean.low, clean.high), "difference"),
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


def refused_rows(refused: Iterable[Refused]) -> list[dict[str, str]]:
    return [vars(each) for each in refused]


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[object]], right: Iterable[str] = ()) -> str:
    """A pipe table; columns named in `right` are right-aligned. Pipes and line breaks in cells are made harmless."""
    numeric = set(right)
    lines = [_line(columns), _line("---:" if name in numeric else "---" for name in columns)]
    return "\n".join(lines + [_line(row) for row in rows])


def _line(cells: Iterable[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def clean_text(level: Level) -> str:
    """'61.2 (n 480)', '– (n 0)', or 'not looked at'."""
    if level.n_clean is None:
        return "not looked at"
    figure = "–" if level.clean is None else f"{level.clean.estimate * 100:.1f}"
    return f"{figure} (n {level.n_clean})"


def tests_text(differences: Iterable[Difference]) -> str:
    """'exact McNemar', 'sign flip', or both."""
    return " or ".join(sorted({difference.test for difference in differences}))
