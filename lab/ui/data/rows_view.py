"""The rows of a dataset, twenty at a time: what each asks, its grades, how it was found, what reviewers said of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from lab.core.types import Pair
from lab.ui.components.html import empty
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.table import Column, Row, table
from lab.ui.data.look import PROVENANCE_WORDS

if TYPE_CHECKING:
    from lab.data.browsing import Page
    from lab.data.noted import NotedRow
    from lab.ui.data.reading import Opened
    from storage.queries.row_reviews import Reviewed

LONGEST_LINE = 240  # characters of a question in the list
SIGNS = {"approved": ("✓", "good"), "rejected": ("✕", "bad"), "edited": ("✎", "changed"), "open": ("○", "open")}
NONE_MATCHES = empty("No row matches", "Take a filter away, or search for less.")


def rows_html(page: Page, opened: Opened, said: Mapping[str, Reviewed], selected: str = "") -> Html:
    """The table of one page; columns that no row of the dataset fills are left out."""
    if not page.rows:
        return NONE_MATCHES
    shown = columns_of(opened.facets, opened.found.kind)
    heads = [Column("No.", number=True), Column("Question", wide=True), *shown.values(), Column("Review")]
    rows = [_row(row, opened.listed.key, shown, said.get(row.id), selected) for row in page.rows]
    return table(heads, rows, caption="Rows")


def columns_of(facets: Mapping[str, Mapping[str, int]], kind: str) -> dict[str, Column]:
    """Which notes have a column, and its head."""
    def any_of(name: str) -> bool:
        return any(value != "none" for value in facets.get(name, {}))

    found: dict[str, Column] = {}
    if any_of("department") or any_of("subject"):
        found["department"] = Column("Department" if any_of("department") else "Subject")
    if any_of("quality"):
        found["quality"] = Column("Quality", number=True, hint="1 to 10, as the teacher graded")
    if any_of("complexity"):
        found["complexity"] = Column("Complexity", number=True, hint="1 to 10, as the teacher graded")
    if any_of("provenance"):
        found["found"] = Column("Found", hint="at which attempt, after how many rethinks")
    if kind == "rows":
        found["words"] = Column("Words", number=True, hint="of the thinking and of the answer")
    return found


def _row(row: NotedRow, key: str, shown: Mapping[str, Column], said: Reviewed | None, selected: str) -> Row:
    cells = {
        "department": row.notes.get("department") or row.row.subject or "–",
        "quality": _grade(row.notes.get("quality")), "complexity": _grade(row.notes.get("complexity")),
        "found": found_words(row.notes), "words": _words(row),
    }
    question = tag("span", cut(row.row.question), dir="auto", cls="data-line")
    address = f"/data?{urlencode({'data': key, 'row': row.id})}"
    return Row([row.position, tag("a", question, href=address, data_select=True, cls="row-link"),
                *(cells[name] for name in shown), review_sign(said)], selected=row.id == selected)


def _grade(value: Any) -> object:
    return "–" if value is None else value


def _words(row: NotedRow) -> object:
    if isinstance(row.row, Pair):
        return None
    thinking = len((row.row.trace or "").split())
    answer = len(row.row.answer.split())
    return f"{thinking} + {answer}" if thinking else answer


def found_words(notes: Mapping[str, Any]) -> Html | str:
    """'attempt 2, 1 rethink'; a shown label is said to be one."""
    provenance = notes.get("provenance")
    if not provenance:
        return "–"
    if provenance == "label_shown":
        return tag("span", "⚠ label shown", cls="label-shown", title="the true answer was shown: not found by search")
    depth, attempt = notes.get("depth"), notes.get("attempt")
    words = []
    if attempt and attempt != 1:
        words.append(f"attempt {attempt}")
    if depth is not None:
        words.append("at once" if not depth else f"{depth} rethink{'' if depth == 1 else 's'}")
    return ", ".join(words) or PROVENANCE_WORDS.get(str(provenance), str(provenance))


def review_sign(said: Reviewed | None) -> Html | None:
    """The newest verdict by sign and word; two people who differ are marked."""
    if said is None:
        return None
    verdict = said.review.verdict
    sign, look = SIGNS.get(verdict, ("○", "open"))
    words = "approved as edited" if verdict == "approved" and said.review.changes else verdict
    contested = tag("span", " ⚠ contested", cls="think-mark", title="two people differ") if said.contested else None
    return tag("span", tag("i", sign, aria_hidden="true"), f" {words}", contested, cls=f"row-review {look}")


def cut(text: str, longest: int = LONGEST_LINE) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[:longest]}…"


def position_html(page: Page) -> Html:
    if not page.total:
        return tag("span", "0 rows", cls="note")
    first = (page.page - 1) * page.per_page + 1
    of_all = f", of {page.n_all} in all" if page.total != page.n_all else ""
    return join([tag("span", f"{first}–{first + len(page.rows) - 1} of {page.total}{of_all}", cls="note")])
