"""The check before training, as HTML: rows token by token with their loss, what was found, what it will cost. Pure.

What is learned is told by a tint in the arm's colour and by a line below it; thinking by a name before it and a wavy
line; so nothing hangs on colour alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from lab.studies.preflight_words import LEVEL_WORDS, assumptions, facts, grouped, runs, total
from lab.training.findings import ArmCheck, Finding, Part, Piece, Preflight, Sample
from lab.ui.arms import ARMS
from lab.ui.components.html import chip, fact_list
from lab.ui.components.markup import Html, escape, join, tag
from lab.ui.components.table import Column, table

LEVEL_SIGNS = {"refused": "✕", "warning": "!", "note": "i"}
VERDICT_SIGNS = {"ok": "✓", "warnings": "!", "refused": "✕"}
NAMES: dict[Part, str] = {"prompt": "prompt", "mark": "mark", "thinking": "thinking", "answer": "answer", "end": "end"}
MOST_TOKENS, HEAD, TAIL = 900, 650, 200  # a longer row is shown by its two ends
MOST_ARMS = 12  # jobs whose rows are shown; a grid's arms are alike


def check_view(report: Preflight) -> Html:
    """The whole: verdict, findings, costs, and the rows of each job."""
    head = tag("p", tag("i", VERDICT_SIGNS[report.verdict], aria_hidden="true"), tag("b", report.sentence),
               cls=f"check-verdict {report.verdict}", role="status")
    shown = [arm for arm in report.arms if arm.samples][:MOST_ARMS]
    rows = [tag("details", tag("summary", chip(arm.label, arm.arm), " ", tag("small", _what(arm))),
                join(sample_view(sample, arm.arm) for sample in arm.samples),
                open=place == 0, data_fold=f"rows-{arm.label}")
            for place, arm in enumerate(shown)]
    more = len([arm for arm in report.arms if arm.samples]) - len(shown)
    left_out = tag("p", f"The rows of {more} more jobs are not shown here.", cls="note") if more > 0 else None
    body = [tag("h3", "Rows as they are learned"), legend(), *rows, left_out] if rows else []
    return tag("section", head, findings_view(report), estimates_view(report), *body, cls="check")


def _what(arm: ArmCheck) -> str:
    n = len(arm.samples)
    return f"{arm.kind}, {arm.base} on {arm.dataset}: {n} row{'' if n == 1 else 's'}"


def findings_view(report: Preflight) -> Html:
    """Every finding once, worst first, with the jobs it is about."""
    found = grouped(report)
    if not found:
        return tag("p", "Nothing was found to say about it.", cls="note")
    arms = {arm.label: arm.arm for arm in report.arms}
    return tag("ul", *(_finding(finding, labels, arms) for finding, labels in found), cls="check-findings")


def _finding(finding: Finding, labels: Sequence[str], arms: dict[str, str]) -> Html:
    sign = tag("span", tag("i", LEVEL_SIGNS[finding.level], aria_hidden="true"), LEVEL_WORDS[finding.level],
               cls="check-level")
    about = join((chip(label, arms[label]) for label in labels[:4]), " ") if len(arms) > 1 else None
    more = tag("small", f" and {len(labels) - 4} more jobs") if about and len(labels) > 4 else None
    rows = tag("small", "rows ", join((tag("code", name) for name in finding.rows), ", ")) if finding.rows else None
    return tag("li", sign, tag("span", tag("b", finding.topic), ": ", finding.sentence, ". ", rows, " ", about, more),
               cls=f"level-{finding.level}")


def estimates_view(report: Preflight) -> Html:
    """Counts and costs of each job, their sums, and what they rest on."""
    known = {arm: dict(facts(arm)) for arm in report.arms if facts(arm)}
    if not known:
        return Html("")
    body = _costs(known) if len(known) > 1 else fact_list(next(iter(known.values())).items())
    sums = tag("p", "Together: ", "; ".join(f"{name} {words}" for name, words in found), ".") if (
        found := total(report)) else None
    rests = assumptions(report)
    why = tag("details", tag("summary", "What the estimates rest on"),
              tag("ul", *(tag("li", line) for line in rests)), data_fold="assumptions") if rests else None
    return tag("div", tag("h3", "What it will take"), body, sums, why, cls="check-costs")


def _costs(known: dict[ArmCheck, dict[str, str]]) -> Html:
    """A row a job; a figure that no job has gets no column."""
    names = list(dict.fromkeys(name for found in known.values() for name in found))
    rows = [(chip(arm.label, arm.arm), *(found.get(name, "–") for name in names)) for arm, found in known.items()]
    return table(["job", *(Column(name, number=True) for name in names)], rows, caption="What each job will take")


def legend() -> Html:
    """How the loss is told."""
    return tag("p", tag("span", "prompt", cls="run read"), " is read. ",
               tag("span", tag("b", "answer"), "learned", cls="run learned"), " is learned: the loss is on it. ",
               tag("span", tag("b", "thinking"), "thinking", cls="run learned thinking"),
               " is learned, too, and underlined with a wave. Thin lines part the tokens.", cls="check-legend loss")


def sample_view(sample: Sample, arm: str = "base") -> Html:
    """One row, token by token. `arm` gives the colour of what is learned."""
    kind = f"{sample.kind} · " if sample.kind else ""
    done = "made less likely" if sample.kind == "rejected" else "learned"
    head = tag("p", tag("code", sample.id), " ", tag("small", f"{kind}{sample.n_tokens:,} tokens, "
                                                     f"{sample.n_learned:,} {done}"), cls="loss-head")
    text = tag("p", *_shown(sample.pieces), cls="loss-text", tabindex=0, role="region",
               aria_label=f"row {sample.id}, token by token")
    tint = f" arm-{arm}" if arm in ARMS and arm != "base" else ""
    return tag("div", head, text, cls=f"loss{tint}{' rejected' if sample.kind == 'rejected' else ''}")


def _shown(pieces: Sequence[Piece]) -> list[Html]:
    if len(pieces) <= MOST_TOKENS:
        return [_run(*run) for run in runs(pieces)]
    cut = tag("span", f" … {len(pieces) - HEAD - TAIL:,} tokens in between are not shown … ", cls="loss-cut")
    return [*(_run(*run) for run in runs(pieces[:HEAD])), cut, *(_run(*run) for run in runs(pieces[-TAIL:]))]


def _run(part: Part, learned: bool, pieces: Sequence[Piece]) -> Html:
    n = sum(piece.n_tokens for piece in pieces)
    words = f"{NAMES[part]}, {'learned' if learned else 'read, not learned'}: {n} token{'' if n == 1 else 's'}"
    name = tag("b", NAMES[part]) if part != "mark" else None
    return tag("span", name, join(map(_token, pieces)), cls=f"run {part} {'learned' if learned else 'read'}",
               title=words)


def _token(piece: Piece) -> Html:
    """A token; its line breaks are shown as a sign and as what they are."""
    return tag("i", join((escape(line) for line in piece.text.split("\n")), '<u aria-hidden="true">↵</u>\n'))
