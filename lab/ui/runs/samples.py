"""Questions and answers of a run, one line each that unfolds to the whole: nothing a model wrote is hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.ui.answers import FINISH_WORDS, answer, thought
from lab.ui.components.folds import fold
from lab.ui.components.html import chip, empty
from lab.ui.components.markup import Html, join, tag

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
    heads = ("", "", "question", "gold", f"{first.arm} reads", f"{second.arm} reads")
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
        "span", verdict_sign(sample), tag("span", sample.question, cls="one-line"), gold_cell(sample),
        read_as(sample), cls="sample-line",
    )
    body = tag("div", _question(sample), _said(sample, f"s{sample.id}"), cls="sample-body")
    return fold(f"sample-{sample.id}", line, body, cls="sample")


def _pair(pair: Pair, first: BenchmarkRun, second: BenchmarkRun) -> Html:
    line = tag(
        "span", verdict_sign(pair.a, first.arm), verdict_sign(pair.b, second.arm),
        tag("span", pair.a.question, cls="one-line"), gold_cell(pair.a),
        read_as(pair.a, f"{first.arm} reads"), read_as(pair.b, f"{second.arm} reads"), cls="sample-line",
    )
    sides = tag(
        "div", *(
            tag("div", tag("h3", chip(run.model_label, run.arm)), _said(sample, f"p{sample.id}"))
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
    """One run's thought, answer and how it was read."""
    cut = "cut" if sample.finish_reason == "length" else None
    parsed = join(["read as ", tag("b", sample.parsed)]) if sample.parsed is not None else Html("no answer was read")
    foot = tag(
        "p", verdict_sign(sample), " ", parsed, f" by rule “{sample.rule}” · ",
        tag("span", FINISH_WORDS.get(sample.finish_reason, sample.finish_reason), cls=cut),
        f" · {sample.n_think_tokens + sample.n_answer_tokens}\u202ftokens", cls="note",
    )
    return tag(
        "div", thought(f"think-{name}", sample.think_text, sample.n_think_tokens, state=sample.think_state),
        answer(sample.final_text, sample.think_state), foot,
    )
