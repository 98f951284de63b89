"""What takes time to read of a dataset, once for each state of it: its rows, its profile, its map."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.core.errors import LabError
from lab.ui.data.shelf import Listed, find_listed
from lab.ui.ratings.keeping import Kept
from storage.queries.row_reviews import reviews_of

if TYPE_CHECKING:
    from lab.data.browsing import Shelf
    from lab.data.histograms import Profile
    from lab.data.noted import NotedSet
    from lab.ui.app_state import LabApp
    from storage.queries.row_reviews import Reviewed

KEPT_SETS, KEPT_MAPS = 2, 4  # whole datasets in memory: the web process stays small
MOST_ROWS = 200_000  # larger ones are browsed on the command line, in a process of their own


@dataclass(frozen=True)
class Opened:
    """A dataset with its rows."""

    listed: Listed
    found: NotedSet
    shelf: Shelf
    facets: dict[str, dict[str, int]]  # of all its rows

    @property
    def data(self) -> str:
        """Under which name its rows are reviewed: a file that changes has no reviews."""
        return self.found.key


class Reading:
    """The page's one place for rows. LabError for what is not there or cannot be read."""

    def __init__(self, app: LabApp):
        self.store = app.store
        self._sets: Kept[Opened] = Kept(KEPT_SETS)
        self._profiles: Kept[Profile] = Kept(KEPT_SETS)
        self._maps: Kept[dict[str, Any]] = Kept(KEPT_MAPS)

    def of(self, key: str) -> Opened:
        """By its name in the address."""
        from lab.data.browsing import browse, shelve
        from lab.data.noted import read_noted

        listed = find_listed(self.store, key)

        def read() -> Opened:
            found = read_noted(listed.name, MOST_ROWS + 1)
            if len(found.rows) > MOST_ROWS:
                raise LabError(f"'{key}' has more than {MOST_ROWS:,} rows, which is too many for a page. Browse it "
                               f"with: python -m jobs data rows {listed.name}", "data")
            shelf = shelve(found.rows)
            return Opened(listed, found, shelf, browse(shelf).facets)

        return self._sets.of((listed.name, *_state(listed.path)), read)

    def profile(self, key: str) -> Profile:
        from lab.data.histograms import profile

        opened = self.of(key)
        return self._profiles.of(opened.data, lambda: profile(opened.found.rows))

    def said(self, opened: Opened) -> dict[str, Reviewed]:
        """The newest review of each row that has one."""
        with self.store.read() as session:
            return reviews_of(session, opened.data)

    def map(self, path: Path) -> dict[str, Any]:
        """A map job's file."""
        def read() -> dict[str, Any]:
            try:
                found = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                raise LabError("its map is not there any more: the job's folder was tidied away. Draw it again.",
                               "data") from None
            return found if isinstance(found, dict) else {}

        return self._maps.of((str(path), *_state(path)), read)


def _state(path: Path | None) -> tuple[int, ...]:
    """Of a file: another size or time is another file."""
    try:
        found = path.stat() if path else None
    except OSError:
        return ()
    return (found.st_mtime_ns, found.st_size) if found else ()
