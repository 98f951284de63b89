"""Questions to ask in Compare, of benchmarks and of datasets that are on this machine, with their gold answers.

A source is a benchmark's name, or 'dataset:<name>'. Nothing is fetched, and nothing is read before it is chosen.
"""

from __future__ import annotations

from functools import lru_cache

from lab.benchmarks.benchmark import benchmarks
from lab.benchmarks.resolving import is_here
from lab.core.errors import LabError
from lab.core.types import Example
from lab.data.chat import question_text
from lab.data.dataset import datasets
from lab.ui.components.folds import fold
from lab.ui.components.html import Column, Row, empty, failure, table
from lab.ui.components.markup import Html, tag

SHOWN = 12
DATASET = "dataset:"
MOST_ROWS = 5_000  # of a dataset, from its start
MOST_SOURCES = 6  # kept in memory


def sources() -> list[tuple[str, str]]:
    """(label, source) of everything questions can be picked from."""
    known = [(f"benchmark {name}", name) for name, card in benchmarks().items() if is_here(card)]
    return known + [(f"dataset {name}", DATASET + name) for name in local_datasets()]


def local_datasets() -> list[str]:
    """Names of the datasets whose rows are here: made by the lab, or in the hub's cache."""
    return [name for name, card in datasets().items() if card.hub is None or card.hub.is_here()]


def is_source(source: str) -> bool:
    if source.startswith(DATASET):
        return source.removeprefix(DATASET) in datasets()
    return source in benchmarks() and is_here(benchmarks()[source])


@lru_cache(maxsize=MOST_SOURCES)
def examples(source: str) -> dict[str, Example]:
    """Every question of a source by its id. LabError when its rows cannot be read."""
    if source.startswith(DATASET):
        rows = datasets()[source.removeprefix(DATASET)].read(MOST_ROWS).rows
    else:
        rows = benchmarks()[source].load()
    return {example.id: example for example in rows}


def find(source: str, search: str) -> tuple[list[Example], int]:
    """(the first questions that hold every word of `search`, how many do)."""
    words = search.lower().split()
    found = [
        example for example in examples(source).values()
        if all(word in f"{example.id} {example.subject} {example.question}".lower() for word in words)
    ]
    return found[:SHOWN], len(found)


def question_list(source: str, search: str, chosen: str = "") -> Html:
    """The found questions as rows to choose."""
    if not is_source(source):
        return empty("Nothing is chosen to pick from", "The questions of a benchmark or dataset would be listed here.")
    try:
        found, total = find(source, search)
    except LabError as problem:
        return failure(problem)
    if not found:
        return empty("No question holds these words", f"There are {len(examples(source))} questions; search for less.")
    rows = [
        Row((example.subject or example.id, example.question), f"?bench={source}&item={example.id}",
            selected=example.id == chosen)
        for example in found
    ]
    listed = table([Column("subject"), Column("question", wide=True)], rows, caption="questions to choose")
    more = f"{len(found)} of {total} questions; search to narrow them down." if total > len(found) else ""
    return tag("div", listed, tag("p", tag("small", more)) if more else None)


def picked(source: str, item: str) -> Example | None:
    """The question an address or a turn names, if it exists."""
    if not item or not is_source(source):
        return None
    try:
        return examples(source).get(item)
    except LabError:  # a dataset that was here and is gone
        return None


def is_own(source: str, item: str, question: str) -> bool:
    """Whether a text still is the question of that source."""
    example = picked(source, item)
    return example is not None and question_text(example).strip() == question.strip()


def gold_html(source: str, item: str, question: str, name: str = "gold") -> Html:
    """The gold answer behind a fold, as long as the question is that source's own."""
    if not is_own(source, item, question):
        return Html("")
    example = picked(source, item)
    body = tag("div", tag("p", "Gold: ", tag("b", example.gold)), tag("div", example.answer, cls="model-text"))
    about = tag("small", f"question {example.id} of {source.removeprefix(DATASET)}")
    return tag("div", fold(name, tag("span", "Show the gold answer ", about), body), cls="gold-answer")


def source_words(source: str, item: str) -> str:
    """'demo-medical, question m-12'; empty for a question that was typed."""
    return f"{source.removeprefix(DATASET)}, question {item}" if source and item else ""
