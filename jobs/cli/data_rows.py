"""`data rows` and `data grades`: browsing rows, and how they are spread."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from jobs.cli.columns import shortened
from jobs.cli.data_choice import excluded_of, filter_of, reviews_in_store
from jobs.cli.data_names import in_full
from jobs.cli.text import aligned
from lab.core.errors import LabError, nearest
from lab.data.browsing import FACETS, Look, Page, browse, matching, shelve
from lab.data.facets import NONE, as_text, n_words, number_of, texts_of, trace_of
from lab.data.histograms import Branch, Histogram, Profile, histogram_of, profile
from lab.data.noted import NotedRow, NotedSet, read_noted
from lab.data.noted_parts import GRADES
from lab.data.reviewing import Review

COLUMNS = ("nr", "id", "question", "quality", "complexity", "department", "provenance", "trace", "review")
QUESTION_WIDTH, BAR_WIDTH = 48, 40
COUNTED = ("provenance", "depth", "strategies", "style", "subject")


def browse_rows(options: argparse.Namespace) -> int:
    """One page of what the words and the filters leave."""
    found = read_noted(in_full(options.name))
    reviews = reviews_in_store(found.key)
    shelf = shelve(_without(found, options.excluded, reviews))
    words = " ".join(f'"{word}"' if " " in word else word for word in options.words)
    look = Look(filter_of(options.only, words), options.sort, options.page, options.per_page)
    page = browse(shelf, look, reviews)
    if options.json:
        rows = [_as_json(noted, reviews.get(noted.id)) for noted in page.rows]
        print(json.dumps({"dataset": found.name, "key": found.key, "total": page.total, "page": page.page,
                          "pages": page.pages, "rows": rows, "facets": page.facets}, ensure_ascii=False, indent=2))
    elif options.full:
        print("\n\n".join(_in_full(noted, reviews.get(noted.id)) for noted in page.rows) or "No row is left.")
    elif page.rows:
        print(aligned(COLUMNS, [_cells(noted, reviews.get(noted.id)) for noted in page.rows]))
    if not options.json:
        print(f"\n{_told(page, len(found.rows))}")
    return 0


def _without(found: NotedSet, entries: list[str], reviews: Mapping[str, Review]) -> list[NotedRow]:
    filters = excluded_of(entries)
    if not filters:
        return found.rows
    shelf = shelve(found.rows)
    gone = {place for one in filters for place in matching(shelf, one, reviews)}
    return [noted for place, noted in enumerate(found.rows) if place not in gone]


def _told(page: Page, n_all: int) -> str:
    lines = [f"{page.total:,} of {n_all:,} rows; page {page.page} of {page.pages}"]
    for facet in FACETS:
        counts = {value: n for value, n in page.facets[facet].items() if value != NONE}
        if counts and facet != "trace":
            lines.append(f"  {facet}: " + ", ".join(f"{value}: {n:,}" for value, n in list(counts.items())[:10]))
    return "\n".join(lines)


def _cells(noted: NotedRow, review: Review | None) -> list[str]:
    question = " ".join(noted.row.question.split())
    grades = [_number(number_of(noted, name)) for name in ("quality", "complexity")]
    groups = [", ".join(texts_of(noted, name)) for name in ("department", "provenance")]
    words = n_words(trace_of(noted))
    short = question if len(question) <= QUESTION_WIDTH else f"{question[:QUESTION_WIDTH - 1]}…"
    return [str(noted.position), noted.id, short, *grades, *groups, str(words) if words else "–",
            review.verdict if review else ""]


def _number(number: float | None) -> str:
    return "–" if number is None else as_text(number)


def _in_full(noted: NotedRow, review: Review | None) -> str:
    lines = [f"{noted.position}. {noted.id}" + (f"  [{review.verdict}]" if review else "")]
    for name, value in noted.row.model_dump(exclude={"id"}).items():
        if value not in (None, ""):
            lines += [f"  {name}:", shortened(_text(value), indent="    ")]
    if noted.notes:
        lines.append("  notes: " + ", ".join(f"{name} {_text(value)}" for name, value in noted.notes.items()))
    for name, value in (review.changes if review else {}).items():
        lines += [f"  {name}, as edited:", shortened(_text(value), indent="    ")]
    return "\n".join(lines)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{letter}) {option}" for letter, option in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _as_json(noted: NotedRow, review: Review | None) -> dict[str, Any]:
    return {"position": noted.position, "row": noted.row.model_dump(), "notes": noted.notes,
            "review": review.model_dump() if review else None}


def grades(options: argparse.Namespace) -> int:
    """Histograms of the grades, by a facet where one is named, and counts of the rest."""
    found = read_noted(in_full(options.name))
    if options.by and options.by not in FACETS:
        raise LabError(f"--by: there is no field '{options.by}'. {nearest(options.by, FACETS)}", "spec")
    counted = profile(found.rows)
    by = {grade: histogram_of(found.rows, grade, options.by) for grade in GRADES} if options.by else {}
    if options.json:
        split = {grade: {group: asdict(one) for group, one in groups.items()} for grade, groups in by.items()}
        print(json.dumps(asdict(counted) | ({"by": split} if by else {}), ensure_ascii=False, indent=2))
        return 0
    print(f"{found.title}: {counted.n:,} {'pairs' if found.kind == 'pairs' else 'rows'}")
    for grade in GRADES:
        for group, one in (by[grade] if by else {"": getattr(counted, grade)}).items():
            if one.n:
                print(f"\n{_drawn(one, group)}")
    for one in (counted.question_words, counted.trace_words, counted.answer_words):
        if one.n:
            print(f"\n{_drawn(one, '')}")
    _print_counts(counted)
    return 0


def _print_counts(counted: Profile) -> None:
    for name in COUNTED:
        counts: dict[str, int] = getattr(counted, name)
        if set(counts) - {NONE}:
            print(f"\n{name}\n" + "\n".join(f"  {value}: {n:,}" for value, n in counts.items()))
    if counted.departments:
        print("\ndepartments\n" + "\n".join(line for branch in counted.departments for line in _tree(branch)))


def _tree(branch: Branch) -> list[str]:
    return [f"  {branch.name}: {branch.n:,}", *(f"    {part.name}: {part.n:,}" for part in branch.children)]


def _drawn(one: Histogram, group: str) -> str:
    """A bar a line; the longest has BAR_WIDTH characters."""
    most = max((part.n for part in one.bins), default=0) or 1
    without = f", {one.n_without:,} without" if one.n_without else ""
    name = one.name.replace("_words", ", in words")
    name += f" ({group})" if group else ""
    lines = [f"{name}: n={one.n:,}{without}, mean {one.mean:.2f}, median {one.median:g}"]
    for part in one.bins:
        label = str(part.low) if part.low == part.high else f"{part.low}–{part.high}"
        lines.append(f"  {label:>11} {'█' * max(bool(part.n), round(BAR_WIDTH * part.n / most))} {part.n:,}")
    return "\n".join(lines)


