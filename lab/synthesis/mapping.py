"""The map of a dataset: its questions as points, near to each other when they say like things.

FineMedLM-o1 draws its departments so (Qwen_med_cls/draw_med_dis.py: first token's vector of bge-large-en-v1.5, 1,000
instructions of each department, t-SNE with perplexity 25 and 1,000 steps). Here too; beside t-SNE stands PCA, which is
fast and whose axes mean something. What a map shows is told with it: how far neighbours on it are neighbours indeed.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lab.core.task import Needs, Task
from lab.core.types import Example
from lab.data.chat import question_text
from lab.data.noted import NotedRow
from lab.synthesis.specs import MapSpec

NONE = "none"  # the group of rows that name none
SETTLED = 500  # steps of t-SNE: after 250, with its attraction still exaggerated, a map is no better than chance
HEAD = 120  # characters of a question that the map keeps
ENCODER_MIB = 4096  # bge-large in float32 with a batch of 32 texts of 512 tokens


def _needs(spec: MapSpec) -> Needs:
    return Needs(memory_mib=0 if spec.embedder == "tfidf" else ENCODER_MIB)


TASK = Task(
    kind="map",
    spec=MapSpec,
    run="lab.synthesis._mapping:make_map",
    summary="Draw a dataset's questions as a map: PCA and t-SNE of their embeddings.",
    needs=_needs,
)


@dataclass(frozen=True)
class Group:
    """A department or a subject: how many of its rows were drawn, of how many."""

    name: str
    n: int
    n_all: int


@dataclass(frozen=True)
class Drawn:
    """The rows on the map, in the order of the data."""

    rows: tuple[NotedRow, ...]
    names: tuple[str, ...]  # the group of each
    groups: tuple[Group, ...]  # the largest first
    grouped_by: str

    @property
    def chance(self) -> float:
        """How often two drawn rows are of one group, if groups told nothing."""
        n = len(self.rows)
        return sum(group.n * (group.n - 1) for group in self.groups) / max(1, n * (n - 1))


def draw_rows(rows: Sequence[NotedRow], per_group: int, seed: int) -> Drawn:
    """At most `per_group` of each department, or of each subject where no row has a department.

    Which ones follows from the seed and the ids: the same rows in another order, or more rows of another group, change
    nothing.
    """
    by = "department" if any(row.notes.get("department") for row in rows) else "subject"
    groups: dict[str, list[NotedRow]] = {}
    for row in rows:
        groups.setdefault(group_of(row, by), []).append(row)
    taken = {name: sorted(own, key=lambda row: _lot(seed, row.id))[:per_group] for name, own in groups.items()}
    chosen = sorted(((row, name) for name, own in taken.items() for row in own), key=lambda one: one[0].position)
    told = sorted((Group(name, len(taken[name]), len(own)) for name, own in groups.items()),
                  key=lambda group: (-group.n_all, group.name))
    return Drawn(tuple(row for row, _ in chosen), tuple(name for _, name in chosen), tuple(told), by)


def group_of(row: NotedRow, by: str) -> str:
    found = row.notes.get("department") if by == "department" else row.row.subject
    return str(found) if found and found != "None" else NONE


def text_of(row: NotedRow) -> str:
    """What is embedded: the question as a model is asked it. The reply plays no part."""
    return question_text(row.row) if isinstance(row.row, Example) else row.row.question


def perplexity_for(asked: float, n: int) -> float:
    """As asked, or what so few points allow: three times the perplexity is as far as t-SNE looks for neighbours."""
    return min(asked, (n - 1) / 3)


def notes_of(spec: MapSpec, drawn: Drawn, why: str) -> list[str]:
    """What somebody who looks at the map has to know."""
    notes = []
    if why:
        notes.append(f"tfidf stands in for {spec.embedder}: {why}")
    cut = [group for group in drawn.groups if group.n < group.n_all]
    if cut:
        notes.append(f"{len(cut)} groups have more than {spec.per_group} rows: of each so many were drawn by the seed")
    missing = Counter({group.name: group.n_all for group in drawn.groups})[NONE]
    if missing:
        notes.append(f"{missing} rows name no {drawn.grouped_by}")
    n, perplexity = len(drawn.rows), perplexity_for(spec.perplexity, len(drawn.rows))
    if spec.method != "pca" and perplexity < spec.perplexity:
        notes.append(f"{n} points allow a perplexity of {perplexity:g}, not {spec.perplexity:g}")
    if spec.method != "pca" and spec.steps < SETTLED:
        notes.append(f"{spec.steps} steps are few: the first 250 of t-SNE only gather; {SETTLED} or more show groups")
    if spec.method != "pca":
        notes.append("t-SNE shows who is near to whom; distances between groups and their sizes mean nothing")
    return notes


def heads(drawn: Drawn) -> dict[str, str]:
    """Row → the beginning of its question."""
    return {row.id: " ".join(row.row.question.split())[:HEAD] for row in drawn.rows}


def points(drawn: Drawn, places: Sequence[Sequence[float]]) -> list[dict[str, Any]]:
    """One point a row; `places` (rows, 2)."""
    return [{"id": row.id, "group": name, "x": round(float(x), 5), "y": round(float(y), 5)}
            for row, name, (x, y) in zip(drawn.rows, drawn.names, places, strict=True)]


def _lot(seed: int, row_id: str) -> str:
    return hashlib.sha256(f"{seed}/{row_id}".encode()).hexdigest()
