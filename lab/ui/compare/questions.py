"""Benchmark questions to ask in Compare: found by text, with their gold answer at hand."""

from __future__ import annotations

from functools import cache

from lab.benchmarks.benchmark import benchmarks
from lab.core.types import Example
from lab.data.chat import question_text
from lab.ui.components.folds import fold
from lab.ui.components.html import Column, Row, empty, table
from lab.ui.components.markup import Html, tag

SHOWN = 12


@cache
def examples(benchmark: str) -> dict[str, Example]:
    """Every question of a benchmark by its id."""
    return {example.id: example for example in benchmarks()[benchmark].load()}


def find(benchmark: str, search: str) -> tuple[list[Example], int]:
    """(the first questions that hold every word of `search`, how many do)."""
    words = search.lower().split()
    found = [
        example for example in examples(benchmark).values()
        if all(word in f"{example.id} {example.subject} {example.question}".lower() for word in words)
    ]
    return found[:SHOWN], len(found)


def question_list(benchmark: str, search: str, chosen: str = "") -> Html:
    """The found questions as rows to choose."""
    if benchmark not in benchmarks():
        return empty("No benchmark is chosen", "Its questions would be listed here.")
    found, total = find(benchmark, search)
    if not found:
        return empty("No question holds these words", f"{benchmark} has {len(examples(benchmark))} questions.")
    rows = [
        Row((example.subject or example.id, example.question), f"?bench={benchmark}&item={example.id}",
            selected=example.id == chosen)
        for example in found
    ]
    listed = table([Column("subject"), Column("question", wide=True)], rows, caption="questions to choose")
    more = f"{len(found)} of {total} questions; search to narrow them down." if total > len(found) else ""
    return tag("div", listed, tag("p", tag("small", more)) if more else None)


def picked(benchmark: str, item: str) -> Example | None:
    """The question an address names, if it exists."""
    return examples(benchmark).get(item) if benchmark in benchmarks() else None


def gold_html(benchmark: str, item: str, question: str) -> Html:
    """The gold answer behind a fold, as long as the question box still holds that benchmark question."""
    example = picked(benchmark, item)
    if example is None or question_text(example).strip() != question.strip():
        return Html("")
    body = tag("div", tag("p", "Gold: ", tag("b", example.gold)), tag("div", example.answer, cls="model-text"))
    about = tag("small", f"question {example.id} of {benchmark}")
    return tag("div", fold("gold", tag("span", "Show the gold answer ", about), body), cls="gold-answer")
