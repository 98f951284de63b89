"""How long a page of the Data page takes to compute: 50,000 rows with traces of 200 words, by kind of filter.

    python -m tests.perf.data_pages [ROWS]
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable

from lab.core.types import Example
from lab.data.browsing import Between, Filter, Look, browse, shelve
from lab.data.histograms import profile
from lab.data.noted import NotedRow
from lab.data.reviewing import Review

WORDS = [f"{first}{last}" for first in ("ba", "ce", "di", "fo", "gu", "ha", "li", "mo") for last in (
    "ra", "tin", "sol", "ver", "men", "lop", "cus", "ne", "dar", "pe")]
DEPARTMENTS = [("Internal Medicine", "Cardiology"), ("Surgery", "Urology"), ("Pediatrics", "None")]
REPEATS = 5


def made_rows(count: int) -> list[NotedRow]:
    """Rows of random words, about 1.5 KB each."""
    rng = random.Random(0)
    rows = []
    for number in range(count):
        department, part = rng.choice(DEPARTMENTS)
        notes = {"quality": rng.randint(1, 10), "complexity": rng.randint(1, 10), "relevance": rng.randint(1, 6),
                 "department": department, "subdepartment": part, "provenance": "found", "depth": rng.randint(0, 3),
                 "style": rng.choice(("common", "complex")), "strategies": rng.sample(("new path", "correction"), 1)}
        question, trace, answer = (" ".join(rng.choices(WORDS, k=k)) for k in (30, 200, 40))
        rows.append(NotedRow(Example(id=f"row-{number}", question=question, trace=trace, answer=answer, gold="x",
                                     subject=department), notes, number + 1))
    return rows


def main(count: int) -> None:
    rows = made_rows(count)
    reviews = {f"row-{number}": Review(verdict="approved") for number in range(0, count, 7)}
    shelf = _timed("load: shelve", lambda: shelve(rows), 1)
    _timed("histograms: profile", lambda: profile(rows), 1)
    looks = {
        "all, first page": Look(), "all, page 500, sorted by complexity": Look(Filter(), "-complexity", 500),
        "department and grade": Look(Filter(departments=("Surgery",), quality=Between(7, None))),
        "a word most rows have": Look(Filter(words="bara")), "two words": Look(Filter(words="bara gune")),
        "a phrase nobody says": Look(Filter(words='"bara quux"')), "reviewed": Look(Filter(reviews=("approved",))),
    }
    for name, look in looks.items():
        _timed(name, lambda look=look: browse(shelf, look, reviews), REPEATS)


def _timed(name: str, work: Callable[[], object], repeats: int) -> object:
    took, busy = [], []
    for _ in range(repeats):
        began, worked = time.perf_counter(), time.process_time()
        result = work()
        took.append(1000 * (time.perf_counter() - began))
        busy.append(1000 * (time.process_time() - worked))
    middle = len(took) // 2
    print(f"{name:40} {sorted(took)[middle]:8.1f} ms, processor {sorted(busy)[middle]:8.1f} (medians of {repeats})")
    return result


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
