"""Which rows are looked at: the filters as the page and its address hold them, and what they mean to the data room."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from lab.core.errors import Fault, SpecError

if TYPE_CHECKING:
    from lab.data.browsing import Between, Look

PER_PAGE = 20
RANGES = {"quality": "quality", "complexity": "complexity", "depth": "depth", "length": "trace_words"}
ONE_OF = {"provenance": "provenance", "style": "styles", "review": "reviews"}
PARTS = {"department": "departments", "subdepartment": "subdepartments", "subject": "subjects"}  # one filter for all
ORDERS = {"in the file's order": "position", "best quality first": "-quality", "worst quality first": "quality",
          "most complex first": "-complexity", "longest thinking first": "-trace_words",
          "shortest thinking first": "trace_words", "found late first": "-depth"}
REVIEW_WORDS = {"none": "not reviewed", "approved": "approved", "rejected": "rejected", "edited": "edited"}
PROVENANCE_WORDS = {"found": "found by search", "label_shown": "label shown", "none": "–"}
RANGE = re.compile(r"^\s*(\d{1,7})?\s*(-|–|to|\.\.)?\s*(\d{1,7})?\s*$")


@dataclass(frozen=True)
class Asked:
    """As the widgets and the address hold it, in the order of the widgets."""

    words: str = ""
    review: str = ""
    department: str = ""  # 'department:…', 'subdepartment:…' or 'subject:…'
    quality: str = ""
    complexity: str = ""
    length: str = ""
    provenance: str = ""
    depth: str = ""
    style: str = ""
    order: str = "position"
    page: int = 1

    @classmethod
    def of(cls, values: Any) -> Asked:
        """From the widgets' values; one that is empty is as if it were not there."""
        given = dict(zip((field.name for field in fields(cls)), values, strict=True))
        plain = {name: value for name, value in given.items() if value not in (None, "", [])}
        order = plain.get("order") if plain.get("order") in ORDERS.values() else "position"
        return cls(**{**plain, "order": order, "page": max(1, int(plain.get("page") or 1))})

    @property
    def values(self) -> tuple[Any, ...]:
        return astuple(self)

    @property
    def is_narrow(self) -> bool:
        return replace(self, order="position", page=1) != Asked()

    def look(self, per_page: int = PER_PAGE) -> Look:
        """What the data room is asked for. SpecError with every range that is none."""
        from lab.data.browsing import Filter, Look

        faults: list[Fault] = []
        wanted: dict[str, Any] = {"words": self.words}
        for name, facet in RANGES.items():
            wanted[facet] = _between(name, getattr(self, name), faults)
        for name, facet in ONE_OF.items():
            if value := getattr(self, name):
                wanted[facet] = (value,)
        part, _, name = self.department.partition(":")
        if part in PARTS and name:
            wanted[PARTS[part]] = (name,)
        if faults:
            raise SpecError(faults, "filters")
        return Look(Filter(**wanted), self.order, self.page, per_page)


def _between(name: str, text: str, faults: list[Fault]) -> Between:
    """'7', '7-10', '7-' (at least), '-3' (at most)."""
    from lab.data.browsing import ANY, Between

    text = str(text).strip()
    if not text:
        return ANY
    found = RANGE.match(text)
    if not found or not (found[1] or found[3]):
        faults.append(Fault(name, "is a number or a range, such as 7, 7-10, 7- or -3", text))
        return ANY
    low, high = (int(value) if value else None for value in (found[1], found[3]))
    if found[2] is None:
        high = low
    if low is not None and high is not None and low > high:
        faults.append(Fault(name, f"ends below its start: write {high}-{low}", text))
        return ANY
    return Between(low, high)


def facet_choices(facet: Mapping[str, int], words: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
    """(value with its count, value) of a facet, as a filter offers them."""
    names = words or {}
    return [("Any", ""), *((f"{names.get(value, value)} ({count})", value) for value, count in facet.items())]


def department_choices(facets: Mapping[str, Mapping[str, int]]) -> list[tuple[str, str]]:
    """Departments, those within them, and subjects where rows have no department: 'department:Surgery'."""
    parts = ("department", "subdepartment") if tells(facets.get("department", {})) else ("subject",)
    found = [("Any", "")]
    for part in parts:
        mark = "· " if part == "subdepartment" else ""
        found += [(f"{mark}{value} ({n})", f"{part}:{value}") for value, n in facets.get(part, {}).items()]
    return found if len(found) > 2 else found[:1]


def tells(facet: Mapping[str, int]) -> bool:
    """Whether a filter by it says anything: some row has a value."""
    return any(value != "none" for value in facet)
