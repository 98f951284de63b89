"""Lineage: what a dataset was made of, and that of what, as far as it is on this machine.

Parents are found by their names, and where these hold other rows or nothing, by the fingerprint of their rows among the
made files: one that was moved or renamed is found, and a file that was changed since is said to be another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

from lab.core.errors import LabError
from lab.data.dataset import Dataset
from lab.data.importing import Lineage, lineage_of
from lab.data.made import Made, Parent, find_made, made_files, made_of
from lab.data.mixture import parse
from lab.data.noted import read_noted, resolve_any
from lab.data.own import HUB
from lab.data.pairs import PairSet
from lab.data.texts import TextSet, resolve_texts

# Content names its parents by hash and cannot be its own parent; a file that somebody has written by hand can.
DEEPEST = 20


@dataclass(frozen=True)
class Link:
    """One dataset of the chain: depth 0 is the one asked for; what it was made of follows it, one deeper."""

    depth: int
    name: str
    kind: Literal["made", "import", "file", "registered", "hub", "mixture", "missing"]
    rows: int | None = None
    sha256: str = ""  # fingerprint of its rows, where it is known
    path: Path | None = None
    license: str = ""
    made: Made | None = None
    imported: Lineage | None = None
    remark: str = ""

    @property
    def by(self) -> str:
        """How it came to be: the kind of job, a review, an import."""
        return self.made.by if self.made else "import" if self.imported else ""

    @property
    def job(self) -> str:
        return self.made.job if self.made else ""


def lineage(name: str, home: str | Path) -> list[Link]:
    """The dataset, then what each was made of, depth first."""
    path = find_made(home, name)
    known = {file.made.fingerprint: file.path for file in made_files(home)}
    return list(_chain(str(path) if path else name, known, 0))


def _chain(name: str, known: dict[str, Path], depth: int) -> Iterator[Link]:
    try:
        parts = parse(name)
    except LabError as error:
        yield Link(depth, name, "missing", remark=str(error))
        return
    if len(parts) > 1:
        yield Link(depth, name, "mixture")
        for part in parts:
            yield from _chain(str(part), known, depth + 1)
        return
    link = replace(_link(parts[0].name, depth), name=name)
    yield link
    if link.made and depth < DEEPEST:
        # A version in which rows were only approved has its parent's fingerprint: nothing is its own parent.
        others = {sha: path for sha, path in known.items() if not link.path or path.resolve() != link.path.resolve()}
        for parent in link.made.parents:
            yield from _of_parent(parent, others, depth + 1)


def _of_parent(parent: Parent, known: dict[str, Path], depth: int) -> Iterator[Link]:
    """The chain of a parent, found by its name; by its rows where nothing of that name holds them."""
    first, *rest = _chain(parent.name, known, depth)
    place = known.get(parent.sha256)
    if place and (first.kind == "missing" or first.made and first.made.fingerprint != parent.sha256):
        first, *rest = _chain(str(place), known, depth)
    remark = first.remark
    if first.kind in ("made", "file") and _rows_in(first.path) not in ("", parent.sha256):
        remark = "the file of this name holds other rows than those that were read"
    yield replace(first, name=parent.name, rows=parent.rows, sha256=parent.sha256, remark=remark)
    yield from rest


def _rows_in(path: Path | None) -> str:
    """Fingerprint of what a file holds now; '' for none, and for one that holds no rows (any more)."""
    if path is None or not path.is_file():
        return ""
    found = path.stat()
    return _fingerprint(str(path), found.st_mtime_ns, found.st_size)


@lru_cache(64)
def _fingerprint(path: str, *_state: int) -> str:
    try:
        return read_noted(path).fingerprint
    except LabError:
        return ""


def _link(name: str, depth: int) -> Link:
    path = Path(name).expanduser()
    if path.is_file():
        made, imported = made_of(path), lineage_of(path)
        if made:
            return Link(depth, name, "made", made.rows, made.fingerprint, path, made.license, made=made)
        if imported:
            said = f"imported from {imported.source_file} (sha256 {imported.source_sha256[:12]})"
            return Link(depth, name, "import", imported.rows, "", path, imported=imported, remark=said)
        return Link(depth, name, "file", path=path)
    try:
        card = _card(name)
    except LabError:
        told = "a job of this lab" if name.startswith("job:") else "not on this machine, or under another name"
        return Link(depth, name, "missing", remark=told)
    hub = getattr(card, "hub", None) is not None or name.startswith(HUB)
    kind = "hub" if hub else "file" if path.exists() else "registered"
    return Link(depth, name, kind, getattr(card, "n_rows", None), license=card.license, remark=card.source)


def _card(name: str) -> Dataset | PairSet | TextSet:
    """A dataset, pair set or set of texts."""
    try:
        return resolve_any(name)
    except LabError:
        return resolve_texts(name)
