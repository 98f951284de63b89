"""`runs compare`, `runs leaderboard` and `runs curve`: what the reports make of stored runs, in every format."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from jobs.cli.columns import shortened
from jobs.cli.output import put
from jobs.cli.text import aligned
from lab.core.errors import LabError
from lab.reports.board_tables import (
    board_note,
    curves_csv,
    curves_json,
    curves_markdown,
    leaderboard_csv,
    leaderboard_json,
    leaderboard_markdown,
)
from lab.reports.build import Level
from lab.reports.curve import Curve, curve_differences
from lab.reports.latex import curves_latex, leaderboard_latex
from lab.reports.leaderboard import Board, Leaderboard, MacroBoard, leaderboard
from lab.reports.paired import Difference, compare, why_not_comparable
from lab.reports.rows import difference_row
from lab.reports.verdict import p_text, signed
from storage.database import open_store
from storage.queries.benchmarks import get_run, latest_runs
from storage.queries.reports import model_runs, read_curves

BOARD_COLUMNS = ("rank", "model", "arm", "accuracy", "clean", "unparsed", "cut", "tokens", "run")
CURVE_COLUMNS = ("budget", "at it the thought is", "accuracy", "cut", "not closed", "unparsed", "tokens", "run")
WAYS = {"cut": "cut", "forced": "closed by force", "ample": "left alone"}


def compare_two(options: argparse.Namespace) -> int:
    """The paired difference of two runs. LabError, with the reason, when it would mean nothing."""
    with open_store().read() as session:
        rows = [get_run(session, options.first), get_run(session, options.second)]
        first, second = model_runs(session, rows)
    if why := why_not_comparable(first, second):
        raise LabError(f"runs {options.first} and {options.second} cannot be compared: {why}.", "spec")
    found = compare(first, second)
    if options.json:
        told = difference_row(found) | {"first_run": options.first, "second_run": options.second, "note": found.note}
        print(json.dumps(told, ensure_ascii=False))
        return 0
    print("\n".join(_difference_lines(found)))
    return 0


def _difference_lines(found: Difference) -> list[str]:
    unit = "answers" if found.n_answers > found.n else "questions"
    lines = [
        f"{found.first.title}  −  {found.second.title}, on {found.benchmark}", "",
        f"difference       {signed(found.difference)} points [{signed(found.low)}, {signed(found.high)}] n={found.n}",
        f"only one right   {found.first_only} the first, {found.second_only} the second",
        f"p                {p_text(found.p_value)} ({found.test}; {found.n_answers} {unit})",
        f"reads as         {'within noise' if found.within_noise else 'better' if found.difference > 0 else 'worse'}",
    ]
    if found.detectable is not None:
        lines.append(f"could be shown   {100 * found.detectable:.1f} points or more, with 80 % power at this n")
    if found.clean is not None:
        clean = found.clean
        lines.append(f"clean questions  {signed(clean.difference)} points [{signed(clean.low)}, {signed(clean.high)}] "
                     f"n={clean.n}, p {p_text(clean.p_value)} ({clean.test})")
    elif found.n_clean is not None:
        lines.append(f"clean questions  {found.n_clean}: too few for a difference")
    return [*lines, *([f"note             {found.note}"] if found.note else [])]


def show_leaderboard(options: argparse.Namespace) -> int:
    with open_store().read() as session:
        found = leaderboard(model_runs(session, [
            run for name in dict.fromkeys(options.benchmark or [None])
            for run in latest_runs(session, options.study, name)]))
    made = {"text": leaderboard_text, "markdown": leaderboard_markdown, "latex": leaderboard_latex,
            "csv": leaderboard_csv, "json": leaderboard_json}
    put(made[options.format](found), options.output)
    return 0


def leaderboard_text(found: Leaderboard) -> str:
    parts = [_board_text(board) for board in found.boards]
    if found.macro is not None:
        parts.append(_macro_text(found.macro))
    if found.empty_runs:
        parts.append(f"without answers: {'; '.join(found.empty_runs)}")
    return "\n\n".join(parts) or "No benchmark run yet."


def _board_text(board: Board) -> str:
    asked = f", {board.asked}" if board.asked else ""
    head = f"{board.benchmark} {board.version}{asked}, read by {board.scorer} {board.scorer_version}".rstrip()
    rows = [[one.rank.text, one.level.run.title, one.level.run.arm, level_words(one.level), _clean_words(one.level),
             *_rates(one.level), str(one.level.run.run_id or "")] for one in board.standings]
    apart = f"\nnot ranked with the ones above: {board.apart}" if board.apart else ""
    lines = [f"{one.first} and {one.second} are not compared: {one.why}" for one in board.refused]
    return "\n".join((f"{head}{apart}\n\n{aligned(BOARD_COLUMNS, rows)}", *lines, "",
                      shortened(board_note(board))))


def _macro_text(macro: MacroBoard) -> str:
    rows = [[one.rank.text, one.title, one.arm,
             f"{100 * one.macro:.1f} % [{100 * one.low:.1f}, {100 * one.high:.1f}] n={'+'.join(map(str, one.n))}",
             *(f"{100 * each:.1f} %" for each in one.accuracies)] for one in macro.standings]
    table = aligned(("rank", "model", "arm", "mean", *macro.benchmarks), rows)
    left = [f"{one.title} has no run on {', '.join(one.benchmarks)}" for one in macro.missing]
    return "\n".join(("mean over the benchmarks", "", table, *left))


def level_words(level: Level) -> str:
    return f"{100 * level.accuracy:.1f} % [{100 * level.low:.1f}, {100 * level.high:.1f}] n={level.n}"


def _clean_words(level: Level) -> str:
    if level.clean is not None:
        return f"{100 * level.clean.estimate:.1f} % n={level.clean.n}"
    return "–" if level.n_clean is None else f"n={level.n_clean}"


def _rates(level: Level) -> list[str]:
    return [f"{100 * level.unparsed:.1f} %", f"{100 * level.truncated:.1f} %", f"{level.mean_tokens:.0f}"]


def show_curves(options: argparse.Namespace) -> int:
    if len(options.runs) > 2:
        raise LabError(f"two runs can stand side by side, not {len(options.runs)}.", "spec")
    with open_store().read() as session:
        for run in options.runs:
            get_run(session, run)
        curves = read_curves(session, options.runs)
    if not any(has_points(curve) for curve in curves):
        raise LabError("there is no budget curve here; `budgets=[256,512]` in a benchmark's recipe makes one.", "spec")
    made = {"text": curves_text, "markdown": curves_markdown, "latex": curves_latex, "csv": curves_csv,
            "json": curves_json}
    put(made[options.format](curves), options.output)
    return 0


def has_points(curve: Curve) -> bool:
    """Whether there is more than the run itself."""
    return len(curve.points) > 1


def curves_text(curves: Sequence[Curve]) -> str:
    parts = [f"{curve.title}\n\n{curve_text(curve)}" for curve in curves]
    if len(curves) == 2:
        parts.append(_differences_text(curves[0], curves[1]))
    return "\n\n".join(parts)


def curve_text(curve: Curve) -> str:
    """One row a budget and way."""
    rows = [[str(point.budget), WAYS[point.way], level_words(point.level), f"{100 * point.level.truncated:.1f} %",
             f"{100 * point.level.unclosed:.1f} %", f"{100 * point.level.unparsed:.1f} %",
             f"{point.level.mean_tokens:.0f}", str(point.run_id or "")] for point in curve.points]
    return aligned(CURVE_COLUMNS, rows)


def _differences_text(first: Curve, second: Curve) -> str:
    differences, refused = curve_differences(first, second)
    rows = [[str(one.budget), WAYS[one.way], signed(one.difference.difference),
             f"[{signed(one.difference.low)}, {signed(one.difference.high)}] n={one.difference.n}",
             p_text(one.difference.p_value)] for one in differences]
    lines = dict.fromkeys(f"{one.first} and {one.second}: {one.why}" for one in refused)  # each once
    table = aligned(("budget", "at it the thought is", "points", "95 % interval", "p"), rows) if rows else ""
    return "\n".join((f"{first.title}  −  {second.title}", "", table, *lines))
