"""Every dataset this lab knows: registered ones, tables that were imported, and what was made here; as one list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.core.errors import UnknownName
from lab.data.dataset import datasets
from lab.data.importing import lineage_of
from lab.data.made import Made, embedded_roles, made_of
from lab.data.pairs import pair_sets
from lab.ui.components.html import ago, empty, note, number
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.table import Column, Row, table
from lab.ui.train.own_data import kept_uploads
from storage.queries.jobs import find_job

if TYPE_CHECKING:
    from storage.database import Store

MOST_SHOWN = 200
WHICH = {"": "All", "made": "Made here", "import": "Imported", "registered": "Registered", "pairs": "Pairs"}
COLUMNS = [Column("Dataset"), Column("Rows", number=True), Column("From", wide=True),
           Column("Teacher"), Column("Job"), Column("Made")]
BY_WORDS = {"problems": "verifiable problems", "reasoning": "complex reasoning", "instructions": "graded instructions",
            "ratings": "a rating round", "review": "a review"}
NOTHING_MADE = empty(
    "Nothing was made here yet",
    "Exam questions become verifiable problems, problems become reasoning that was searched and checked, texts become "
    "graded instructions. The demo data and its embedded teacher need no download.",
    "/data?view=make&kind=reasoning", "Make data on the demo",
)
EMBEDDED_NOTE = "written by the embedded teacher: a scripted solver that makes real mistakes, no language model"


@dataclass(frozen=True)
class Listed:
    """One dataset. `key` is its name in the address, `name` what a recipe calls it."""

    key: str
    name: str
    title: str
    kind: str  # rows | pairs
    origin: str  # made | import | registered
    rows: int | None
    source: str  # where it comes from, in words
    is_here: bool = True
    license: str = ""
    made: Made | None = None
    path: Path | None = None

    @property
    def teachers(self) -> dict[str, str]:
        """Role → the model's label."""
        found = self.made.teachers if self.made else {}
        return {role: str(model.get("label") or model.get("ref") or "?") for role, model in found.items()}

    @property
    def is_embedded(self) -> bool:
        return self.made is not None and bool(embedded_roles(self.made))

    @property
    def created(self) -> datetime | None:
        try:
            moment = datetime.fromisoformat(self.made.created) if self.made else None
        except ValueError:
            return None
        return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment

    def matches(self, words: str, which: str) -> bool:
        if which and which not in (self.origin, self.kind):
            return False
        text = " ".join((self.key, self.name, self.title, self.source, *self.teachers.values())).lower()
        return all(word in text for word in words.lower().split())


def read_shelf(store: Store) -> list[Listed]:
    """What was made and imported first, newest first, then what is registered, by name."""
    own = sorted(_own(store), key=lambda one: (one.made.created if one.made else "", one.key), reverse=True)
    return [*own, *_registered()]


def find_listed(store: Store, key: str) -> Listed:
    """The dataset that an address names; nothing else on this machine can be named. UnknownName with a near miss."""
    found = {one.key: one for one in read_shelf(store)}
    if key not in found:
        raise UnknownName("dataset", key, found)
    return found[key]


def _own(store: Store) -> Iterator[Listed]:
    for path in kept_uploads(store.home):
        made, imported = made_of(path), lineage_of(path)
        if made:
            yield Listed(path.stem, str(path), made.title or made.name, made.kind, "made", made.rows, _parents(made),
                         license=made.license, made=made, path=path)
        else:
            source = f"imported from {imported.source_file}" if imported else "a file of your own"
            rows = imported.rows if imported else count_lines(path)
            yield Listed(path.stem, str(path), path.stem, "rows", "import", rows, source,
                         license="as given by its owner", path=path)


def _registered() -> Iterator[Listed]:
    for name, card in sorted(datasets().items()):
        yield Listed(name, name, card.title, "rows", "registered", card.n_rows, card.source, _is_here(card.hub),
                     card.license)
    for name, pairs in sorted(pair_sets().items()):
        yield Listed(name, name, pairs.title, "pairs", "registered", pairs.n_rows, pairs.source, _is_here(pairs.hub),
                     pairs.license)


def _is_here(hub: Any) -> bool:
    return hub is None or hub.is_here()


def count_lines(path: Path) -> int | None:
    """Rows of a file in the lab's own format, counted once for each state of it."""
    try:
        found = path.stat()
    except OSError:
        return None
    return _lines(str(path), found.st_mtime_ns, found.st_size)


@lru_cache(256)
def _lines(path: str, *state: int) -> int:
    with open(path, "rb") as file:
        return sum(1 for line in file if line.strip())


def _parents(made: Made) -> str:
    words = BY_WORDS.get(made.by, made.by)
    names = ", ".join(short(parent.name) for parent in made.parents)
    return f"{words} of {names}" if names else words


def short(name: str) -> str:
    """A dataset's name without the folders of its file."""
    return Path(name).stem if "/" in name else name


def shelf_html(store: Store, selected: str = "", words: str = "", which: str = "") -> Html:
    """The list. Without anything made it says how to make some, above what there is."""
    everything = read_shelf(store)
    found = [one for one in everything if one.matches(words or "", which or "")]
    jobs = _job_numbers(store, [one.made.job for one in found if one.made and one.made.job])
    rows = [_row(one, jobs, selected) for one in found[:MOST_SHOWN]]
    nothing = None if selected or any(one.made for one in everything) else NOTHING_MADE
    if not rows:
        return join([nothing, empty("No dataset matches", "Search for less, or choose All.")])
    more = len(found) - len(rows)
    return join([nothing, table(COLUMNS, rows, caption="Datasets"),
                 note(f"{more} more are not listed: search for them.") if more > 0 else None])


def _row(one: Listed, jobs: Mapping[str, int], selected: str) -> Row:
    title = tag("small", one.title) if one.title != one.key else None
    kind = tag("span", "pairs", cls="data-kind", title="chosen and rejected replies") if one.kind == "pairs" else None
    job = one.made.job if one.made else ""
    link = tag("a", f"job {jobs[job]}", href=f"/jobs?id={jobs[job]}") if job in jobs else None
    cells = [tag("span", one.key, " ", kind, title), number(one.rows), _source(one), teacher_words(one), link,
             ago(one.created) if one.created else None]
    return Row(cells, href=f"/data?data={one.key}", selected=one.key == selected)


def _source(one: Listed) -> Html:
    away = None if one.is_here else tag("small", "○ its rows are not on this machine")
    return tag("span", one.source, away)


def teacher_words(one: Listed) -> Html | None:
    """The teachers; an embedded one is called what it is."""
    names = ", ".join(dict.fromkeys(one.teachers.values()))
    if not names:
        return None
    label = tag("small", "embedded, scripted", title=EMBEDDED_NOTE, cls="embedded") if one.is_embedded else None
    return tag("span", names, label)


def _job_numbers(store: Store, uids: list[str]) -> dict[str, int]:
    with store.read() as session:
        found = {uid: find_job(session, uid) for uid in dict.fromkeys(uids)}
    return {uid: job.id for uid, job in found.items() if job is not None and job.id is not None}
