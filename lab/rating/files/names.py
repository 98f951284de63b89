"""A list of raters as a spreadsheet has it, and the list of their links that goes back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from lab.core.errors import LabError
from lab.rating.files.tables import csv_text

HEADINGS = ("name", "code", "rater")  # what the column of names may be called
LARGEST = 1_000_000  # bytes
DELIMITERS = ",;\t"


def rater_names(data: bytes, source: str) -> list[str]:
    """The column called name, code or rater; without one of these, the first. LabError says what is wrong."""
    if len(data) > LARGEST:
        raise LabError(f"{source} is larger than 1 MB: a list of names is not. Choose another file.", "spec")
    text = _decoded(data)
    first = text.lstrip().partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=delimiter)]
    rows = [row for row in rows if any(row)]
    if not rows:
        raise LabError(f"{source} holds no name: put one in each line.", "spec")
    head = [cell.lower() for cell in rows[0]]
    place = next((head.index(name) for name in HEADINGS if name in head), None)
    names = [row[place or 0] for row in rows[place is not None:] if len(row) > (place or 0) and row[place or 0]]
    if not names:
        raise LabError(f"{source} has a heading and no name below it.", "spec")
    return names


def links_csv(links: Iterable[tuple[str, str]]) -> str:
    """(name, link) as a table for mail merge."""
    return csv_text(("name", "link"), links)


def _decoded(data: bytes) -> str:
    """Spreadsheets write UTF-8 with a mark, or the old Western code page."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")
