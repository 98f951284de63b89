"""Questions and answers of a run, one line each that unfolds to the whole: nothing a model wrote is hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.ui.answers import FINISH_WORDS, THINK_MARKS, ThoughtCost, answer, thought
from lab.ui.components.folds import fold
from lab.ui.components.html import empty
from lab.ui.components.markup import Html, join, tag
from lab.ui.runs.adapted import adapted_fold
from lab.ui.runs.asked import run_name, side_names

if TYPE_CHECKING:
    from storage.queries.benchmarks import Pair
    from storage.tables import BenchmarkRun, BenchmarkSample

SHOWN_AT_ONCE = 10


def samples_html(samples: list[BenchmarkSample]) -> Html:
    """One run's samples of this page."""
    if not samples:
        return empty("No question matches", "Show all questions, or search for less.")
    return tag("div", tag("div", *map(tag_head, ("", "question", "gold", "read as")), cls="sample-head"),
               *(_sample(sample) for sample in samples), cls="samples")


def pairs_html(pairs: list[Pair], first: BenchmarkRun, second: BenchmarkRun) -> Html:
    """The same questions in two runs, side by side."""
    if not pairs:
        return empty("No question matches", "Show all questions, or search for less.")
    ours, theirs = side_names(first, second)
    heads = ("", "", "question", "gold", f"{ours} reads", f"{theirs} reads")
    return tag("div", tag("div", *map(tag_head, heads), cls="sample-head"),
               *(_pair(pair, first, second) for pair in pairs), cls="samples pairs")


def tag_head(text: str) -> Html:
    return tag("span", text)


def verdict_sign(sample: BenchmarkSample, arm: str = "") -> Html:
    """Right or wrong by sign and word, not by colour alone."""
    word = "right" if sample.correct else "wrong"
    return tag("span", "✓" if sample.correct else "✕", cls=f"verdict {word}", title=f"{arm} {word}".strip(),
               role="img", aria_label=f"{arm} {word}".strip())


def read_as(sample: BenchmarkSample, label: str = "read as") -> Html:
    """What the scorer read; the label shows where there is no room for column heads."""
    if sample.parsed is None:
        return tag("span", "unread", cls="missing", title=sample.rule, data_label=label)
    return tag("span", sample.parsed, data_label=label)


def gold_cell(sample: BenchmarkSample) -> Html:
    return tag("b", sample.gold, data_label="gold")


def _sample(sample: BenchmarkSample) -> Html:
    line = tag(
        "span", verdict_sign(sample), tag("span", thought_marks(sample), sample.question, cls="one-line"),
        gold_cell(sample), read_as(sample), cls="sample-line",
    )
    body = tag("div", _question(sample), _said(sample, f"s{sample.id}"), cls="sample-body")
    return fold(f"sample-{sample.id}", line, body, cls="sample")


def thought_marks(sample: BenchmarkSample) -> Html | None:
    """In the closed line: that the thought was closed by force, or that its end was turned away."""
    words = ["⚠ forced"] if sample.think_state == "forced" else []
    words += [f"↺ sent back {sample.n_waits}×"] if sample.n_waits else []
    return tag("small", " · ".join(words), " · ", cls="think-mark", title=_mark_title(sample)) if words else None


def _mark_title(sample: BenchmarkSample) -> str:
    forced = THINK_MARKS["forced"] if sample.think_state == "forced" else ""
    waits = f"an early end of the thought was turned into more thinking {sample.n_waits}×" if sample.n_waits else ""
    return "; ".join(filter(None, (forced, waits)))


def _pair(pair: Pair, first: BenchmarkRun, second: BenchmarkRun) -> Html:
    ours, theirs = side_names(first, second)
    line = tag(
        "span", verdict_sign(pair.a, ours), verdict_sign(pair.b, theirs),
        tag("span", pair.a.question, cls="one-line"), gold_cell(pair.a),
        read_as(pair.a, f"{ours} reads"), read_as(pair.b, f"{theirs} reads"), cls="sample-line",
    )
    sides = tag(
        "div", *(
            tag("div", tag("h3", run_name(run.model_label, run.arm, run.settings)), _said(sample, f"p{sample.id}"))
            for run, sample in ((first, pair.a), (second, pair.b))
        ), cls="sides",
    )
    return fold(f"pair-{pair.a.id}-{pair.b.id}", line, tag("div", _question(pair.a), sides, cls="sample-body"),
                cls="sample")


def _question(sample: BenchmarkSample) -> Html:
    about = " · ".join(word for word in (sample.item_id, sample.subject) if word)
    return tag(
        "div", tag("div", sample.question, cls="model-text"),
        tag("p", tag("small", about), " · gold ", tag("b", sample.gold)), cls="sample-question",
    )


def _said(sample: BenchmarkSample, name: str) -> Html:
    """What one run was adapted to, its thought, its answer and how it was read."""
    cut = "cut" if sample.finish_reason == "length" else None
    parsed = join(["read as ", tag("b", sample.parsed)]) if sample.parsed is not None else Html("no answer was read")
    foot = tag(
        "p", verdict_sign(sample), " ", parsed, f" by rule “{sample.rule}” · ",
        tag("span", FINISH_WORDS.get(sample.finish_reason, sample.finish_reason), cls=cut),
        f" · {sample.n_think_tokens + sample.n_answer_tokens}\u202ftokens", cls="note",
    )
    cost = ThoughtCost(sample.n_think_tokens, waits=sample.n_waits) if sample.n_waits else sample.n_think_tokens
    return tag(
        "div", adapted_fold(f"adapted-{name}", sample.adaptation),
        thought(f"think-{name}", sample.think_text, cost, state=sample.think_state),
        answer(sample.final_text, sample.think_state), foot,
    )
