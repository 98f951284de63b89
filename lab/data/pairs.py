"""Preference pairs: which sets there are, how one is found by name, file or folder. One file per set in `pair_sets/`.

A pair is two replies to one question, the first preferred. `resolve_pairs` takes a set's name, `name@folder`, a file of
pairs, an export of a closed rating round (`preferences.jsonl`), `hub:org/name`, and mixtures with caps
(`demo-pairs[:200] + finemed-dpo[:10%]`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from lab.core.errors import Fault, LabError, UnknownName
from lab.core.registry import Registry, discover
from lab.core.types import Pair
from lab.data.dataset import with_own_ids
from lab.data.files import columns_of, is_table, records
from lab.data.hub import HubSource
from lab.data.mixture import Part, interleave, parse, repeated_questions
from lab.data.own import HUB, HUB_FORM, HUB_NAME, hub_rows, table_files
from lab.data.pair_rows import COLUMNS, pair_of

ReadPair = Callable[[Mapping[str, Any]], "Pair | str"]


@dataclass(frozen=True)
class LoadedPairs:
    """The pairs that were read, and how many rows were left out for which reason."""

    rows: list[Pair]
    skipped: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def n_skipped(self) -> int:
        return sum(self.skipped.values())


@dataclass(frozen=True)
class PairSet:
    """A card and its reader: either `loaded` (made here, or a file) or `hub` and `row`."""

    name: str
    title: str
    description: str
    source: str
    license: str
    loaded: Callable[[], LoadedPairs] | None = None
    hub: HubSource | None = None
    row: ReadPair | None = None
    n_rows: int | None = None
    language: str = "en"
    citation: str = ""
    revision_note: str = ""
    gated: bool = False
    clinical_use: str = "not for clinical use"

    def read(self, limit: int | None = None) -> LoadedPairs:
        """Pairs and what was skipped, the first `limit` of them. Raises LabError (reason data)."""
        if self.hub is not None and self.row is not None:
            return read_pairs(self.hub.rows(), self.row, limit)
        if self.loaded is None:
            raise ValueError(f"pair set '{self.name}' has no reader")
        whole = self.loaded()
        return replace(whole, rows=whole.rows[:limit])

    def load(self) -> list[Pair]:
        return self.read().rows

    def at(self, folder: str | Path) -> PairSet:
        """The same reader on the same files in a local folder."""
        if self.hub is None:
            raise ValueError(f"pair set '{self.name}' is not read from files")
        return replace(self, hub=self.hub.at(folder), name=f"{self.name}@{folder}", source=str(folder))


def read_pairs(records: Iterable[Mapping[str, Any]], row: ReadPair, limit: int | None = None) -> LoadedPairs:
    """Pairs of `records` in order, ids made unique, reasons counted."""
    skipped: Counter[str] = Counter()
    rows = with_own_ids(islice(_pairs(records, row, skipped), limit))
    return LoadedPairs(rows, dict(skipped))


def _pairs(records: Iterable[Mapping[str, Any]], row: ReadPair, skipped: Counter[str]) -> Iterator[Pair]:
    for record in records:
        pair = row(record)
        if isinstance(pair, str):
            skipped[pair] += 1
        else:
            yield pair


@cache
def pair_sets() -> Registry[PairSet]:
    """Every set of pairs by name. A module under `lab/data/pair_sets/` registers by having a `PAIRS`."""
    return Registry("pair set", {card.name: card for _, card in discover("lab.data.pair_sets", "PAIRS")})


def resolve_pairs(expression: str) -> PairSet:
    """The pairs an expression names. Raises LabError: an unknown name with its near miss, or what is not there."""
    parts = parse(expression)
    found = [_resolve(part.name) for part in parts]
    if len(parts) == 1 and not parts[0].is_cut:
        return found[0]
    return PairSet(
        name=" + ".join(str(part) for part in parts),
        title=" + ".join(card.title for card in found),
        description=" ".join(dict.fromkeys(card.description for card in found)),
        source="; ".join(dict.fromkeys(card.source for card in found)),
        license=" + ".join(dict.fromkeys(card.license for card in found)),
        loaded=lambda: _mixed(parts, found),
    )


def _mixed(parts: list[Part], found: list[PairSet]) -> LoadedPairs:
    loaded = [card.read(part.head) for part, card in zip(parts, found, strict=True)]
    cut = [part.cut(whole.rows) for part, whole in zip(parts, loaded, strict=True)]
    skipped: Counter[str] = Counter()
    for whole in loaded:
        skipped.update(whole.skipped)
    repeated = repeated_questions(cut)
    notes = (f"{repeated} question{'' if repeated == 1 else 's'} in more than one part",) if repeated else ()
    return LoadedPairs(interleave(cut), dict(skipped), notes)


def _resolve(name: str) -> PairSet:
    known = pair_sets()
    if name in known:
        return known[name]
    if name.startswith(HUB):
        return _of_hub(name)
    reader, at, folder = name.partition("@")
    if at and reader in known:
        if known[reader].hub is None:
            raise LabError(f"pair set '{reader}' is not read from files: leave out '@{folder}'", "spec")
        if not Path(folder).expanduser().is_dir():
            raise LabError(f"{name}: the folder '{folder}' does not exist", "data")
        return known[reader].at(folder)
    if is_table(name) or "/" in name or Path(name).expanduser().exists():
        return _of_path(Path(name).expanduser())
    raise UnknownName("pair set", name, known)


def _of_path(path: Path) -> PairSet:
    files = table_files(path)
    for file in files:
        _check_columns(columns_of(file), file.name)
    return PairSet(
        name=str(path), title=path.name, description="Pairs of your own.", source=str(path),
        license="as given by its owner", loaded=lambda: _read((placed.record for file in files
                                                               for placed in records(file)), path.name),
    )


def _of_hub(name: str) -> PairSet:
    found = HUB_NAME.match(name)
    if not found:
        raise LabError(f"'{name}': {HUB_FORM}", "spec")
    revision = found["revision"] or "main"
    return PairSet(
        name=name, title=found["id"], description="A repository of the hub with chosen and rejected replies.",
        source=f"{found['id']} at {revision}", license=f"see https://huggingface.co/datasets/{found['id']}",
        loaded=lambda: _read(hub_rows(found["id"], found["config"], revision), found["id"]),
    )


def _read(found: Iterable[Mapping[str, Any]], source: str) -> LoadedPairs:
    whole = read_pairs(found, lambda record: pair_of(record, source))
    if not whole.rows:
        why = ", ".join(f"{count} x {reason}" for reason, count in whole.skipped.items()) or "it is empty"
        raise LabError(f"{source}: no pair could be made: {why}", "data")
    return whole


def _check_columns(found: list[str], name: str) -> None:
    missing = [column for column in COLUMNS if column not in found]
    if missing:
        raise LabError(f"{name}: a file of pairs has the columns {', '.join(COLUMNS)} and a question (prompt); it has "
                       f"{', '.join(found) or 'none'}", "data")


def check_pairs_name(field: str, name: str) -> list[Fault]:
    """One fault if an expression names no pairs. Nothing is fetched or read to its end."""
    try:
        resolve_pairs(name)
    except LabError as error:
        return [Fault(field, str(error), name)]
    return []
