"""`check`: what a recipe would train on and cost, before anything is queued. Needs no store, worker, GPU or network."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence

from jobs.catalog import specs
from lab.core.spec import load_spec, parse_overrides, read_recipe
from lab.studies.preflight import preflight
from lab.studies.preflight_words import LEVEL_WORDS, assumptions, facts, grouped, runs, total
from lab.training.findings import ArmCheck, Part, Piece, Preflight, Sample

REFUSED = 2
# Read: dim. Learned: a colour, underlined where it is thinking, so that it does not hang on the colour alone.
STYLES: dict[Part, str] = {"prompt": "2", "mark": "1;35", "thinking": "4;34", "answer": "1;32", "end": "7;32"}
LEVEL_STYLES = {"refused": "1;31", "warning": "33", "note": "2"}


def check_recipe(options: argparse.Namespace) -> int:
    """0: ready, perhaps with warnings. 2: refused."""
    kind, values = read_recipe(options.recipe, parse_overrides(options.overrides))
    report = preflight(load_spec(specs()[kind], values), n_samples=options.rows)
    if options.json:
        print(json.dumps(report.as_dict(), indent=1, ensure_ascii=False))
    else:
        coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        print("\n".join(lines(report, coloured, options.tokens)))
    return REFUSED if report.verdict == "refused" else 0


def lines(report: Preflight, coloured: bool, tokens: bool = False) -> list[str]:
    """The whole report for a terminal; `tokens` shows where each token ends."""
    out = [f"{report.name} ({report.kind}). {report.sentence}.", ""]
    for finding, arms in grouped(report):
        level = _styled(f"[{LEVEL_WORDS[finding.level]}]", LEVEL_STYLES[finding.level], coloured)
        where = f" ({_listed(arms)})" if arms and len(report.arms) > 1 else ""
        rows = f" Rows: {', '.join(finding.rows)}." if finding.rows else ""
        out.append(f"{level} {finding.topic}{where}: {finding.sentence}.{rows}")
    if not report.arms:
        out.append(f"A job of kind {report.kind} reads no rows: its spec is all there is to check.")
    for arm in report.arms:
        out += _arm_lines(arm, coloured, tokens)
    if sums := total(report):
        out += ["", "Together: " + "; ".join(f"{name} {words}" for name, words in sums)]
    out += ["", *(f"- {line}" for line in assumptions(report))]
    return out


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")


def _arm_lines(arm: ArmCheck, coloured: bool, tokens: bool) -> list[str]:
    out = ["", f"{arm.label} ({arm.kind}): {arm.base} on {arm.dataset}"]
    out += [f"  {name}: {words}" for name, words in facts(arm)]
    for sample in arm.samples:
        out += _sample_lines(sample, coloured, tokens)
    return out


def _sample_lines(sample: Sample, coloured: bool, tokens: bool) -> list[str]:
    kind = f", {sample.kind}" if sample.kind else ""
    done = "made less likely" if sample.kind == "rejected" else "learned"
    head = f"  row {sample.id}{kind}: {sample.n_tokens} tokens, {sample.n_learned} {done}"
    if coloured:
        text = "".join(_styled(_text(pieces, tokens), STYLES[part], True) for part, _, pieces in runs(sample.pieces))
        return [head, *(f"    {line}" for line in text.split("\n"))]
    out = [f"{head}. [part] is read, [part*] is learned"]
    for part, learned, pieces in runs(sample.pieces):
        shown = _text(pieces, tokens).replace("\n", "\n      ")
        out.append(f"    [{part}{'*' if learned else ''}] {shown}")
    return out


def _text(pieces: Sequence[Piece], tokens: bool) -> str:
    return ("|" if tokens else "").join(piece.text for piece in pieces)


def _styled(text: str, style: str, coloured: bool) -> str:
    """ANSI around each line by itself: a pager or an indent between them keeps the style."""
    if not coloured:
        return text
    return "\n".join(f"\x1b[{style}m{line}\x1b[0m" if line else "" for line in text.split("\n"))
