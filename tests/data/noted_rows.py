"""Rows with notes, made for tests. None is real data."""

from __future__ import annotations

from typing import Any

from lab.core.types import Example, Pair
from lab.data.noted import NotedRow


def example(number: int, **changes: Any) -> Example:
    """A sum with its working: question 'What is 3+1?', answer 'Answer: 4'."""
    values: dict[str, Any] = {
        "id": f"row-{number}", "question": f"What is {number}+1?", "trace": f"{number}+1={number + 1}\nThat is all.",
        "answer": f"It is {number + 1}.\nAnswer: {number + 1}", "gold": str(number + 1), "verifier": "numeric",
        "subject": "sums", "source": "tests",
    }
    return Example(**values | changes)


def pair(number: int, **changes: Any) -> Pair:
    values: dict[str, Any] = {
        "id": f"pair-{number}", "question": f"What is {number}+1?", "chosen": f"Answer: {number + 1}",
        "chosen_trace": f"{number}+1={number + 1}", "rejected": f"Answer: {number}", "subject": "sums",
        "source": "tests",
    }
    return Pair(**values | changes)


def noted(rows: list[Any], notes: list[dict[str, Any]] | None = None) -> list[NotedRow]:
    told = notes or [{} for _ in rows]
    return [NotedRow(row, note, place) for place, (row, note) in enumerate(zip(rows, told, strict=True), 1)]


NOTES: list[dict[str, Any]] = [
    {"provenance": "found", "depth": 0, "quality": 8, "complexity": 9, "relevance": 6, "department": "Surgery",
     "subdepartment": "Urology", "style": "complex", "strategies": []},
    {"provenance": "found", "depth": 2, "quality": 6, "complexity": 3, "relevance": 5, "department": "Pediatrics",
     "subdepartment": "None", "style": "common", "strategies": ["new path", "correction"]},
    {"provenance": "label_shown", "depth": 3, "quality": 8, "complexity": 7, "department": "Surgery",
     "subdepartment": "Thoracic", "style": "complex", "strategies": ["correction"]},
    {},
]
