"""Resolving: from what a recipe writes under `dataset:` to the dataset.

    s1k-1.1                                   a registered name
    s1k-1.1@/data/s1K-1.1                     its reader on the same files in a local folder
    mine.jsonl · mine.csv · /data/folder      files of one's own
    hub:org/name[:config][@revision]          any repository of the hub whose columns are recognised
    s1k-1.1 + m1k · demo-general[:1200]       mixtures and caps of all of these
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container
from pathlib import Path

from lab.core.errors import Fault, LabError, UnknownName
from lab.data.dataset import Dataset, Loaded, datasets
from lab.data.mixture import Part, interleave, parse, repeated_questions
from lab.data.own import HUB, of_hub, of_path

LONGEST_LABEL = 48


def resolve_dataset(expression: str) -> Dataset:
    """The dataset an expression names. Raises LabError: an unknown name with its near miss, or what is not there."""
    parts = parse(expression)
    found = [_resolve(part.name) for part in parts]
    if len(parts) == 1 and not parts[0].is_cut:
        return found[0]
    return Dataset(
        name=" + ".join(str(part) for part in parts),
        title=" + ".join(card.title for card in found),
        description=" ".join(dict.fromkeys(card.description for card in found)),
        source="; ".join(dict.fromkeys(card.source for card in found)),
        license=" + ".join(dict.fromkeys(card.license for card in found)),
        loaded=lambda: _mixed(parts, found),
        has_traces=all(card.has_traces for card in found),
        gated=any(card.gated for card in found),
    )


def _mixed(parts: list[Part], found: list[Dataset]) -> Loaded:
    loaded = [card.read(part.head) for part, card in zip(parts, found, strict=True)]
    cut = [part.cut(whole.rows) for part, whole in zip(parts, loaded, strict=True)]
    skipped: Counter[str] = Counter()
    for whole in loaded:
        skipped.update(whole.skipped)
    notes = tuple(note for whole in loaded for note in whole.notes)
    repeated = repeated_questions(cut)
    if repeated:
        notes = (*notes, f"{repeated} question{'' if repeated == 1 else 's'} in more than one part of the mixture")
    return Loaded(interleave(cut), dict(skipped), notes)


def _resolve(name: str) -> Dataset:
    known = datasets()
    if name in known:
        return known[name]
    if name.startswith(HUB):
        return of_hub(name)
    reader, at, folder = name.partition("@")
    if at and reader in known:
        return _at(known[reader], folder)
    if looks_like_path(name):
        return of_path(Path(name).expanduser())
    raise UnknownName("dataset", name, known)


def _at(card: Dataset, folder: str) -> Dataset:
    if card.hub is None:
        raise LabError(f"dataset '{card.name}' is made by the lab, not read from files: leave out '@{folder}'", "spec")
    if not Path(folder).expanduser().is_dir():
        raise LabError(f"{card.name}@{folder}: the folder '{folder}' does not exist", "data")
    return card.at(folder)


def looks_like_path(name: str) -> bool:
    """Whether a name means a file or folder: it has a separator or a known ending, or is there."""
    return "/" in name or "\\" in name or name.endswith((".jsonl", ".json", ".csv", ".tsv", ".parquet")) or (
        Path(name).expanduser().exists())


def check_dataset_name(field: str, name: str) -> list[Fault]:
    """One fault if an expression names no dataset. Nothing is fetched; files are looked at, not read to their end."""
    try:
        resolve_dataset(name)
    except LabError as error:
        return [Fault(field, str(error), name)]
    return []


def label(expression: str) -> str:
    """A short name for a variant or a table: 's1k-1.1+m1k', 'demo-general-1200', 'notes-1a2b3c4d'. Never raises."""
    try:
        parts = parse(expression)
    except LabError:
        return expression[:LONGEST_LABEL]
    text = "+".join(_short(part) for part in parts)
    return text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 1]}…"


def _short(part: Part) -> str:
    name = part.name
    if name.startswith(HUB):
        name = name.removeprefix(HUB).partition("@")[0].split("/")[-1].replace(":", "-")
    elif name not in datasets() and name.partition("@")[0] in datasets():
        name = name.partition("@")[0]
    elif looks_like_path(name):
        name = Path(name).stem
    bounds = "..".join(bound.replace("%", "pc") for bound in (part.start, part.stop) if bound)
    return f"{name}-{bounds}" if bounds else name


def absolute_paths(expression: str, known: Container[str]) -> str:
    """The expression with every local path made absolute: a job runs in another process, from another folder.

    `known` are the registered names of its kind (datasets, or pair sets).
    """
    try:
        parts = parse(expression)
    except LabError:
        return expression
    return " + ".join(str(Part(_absolute(part.name, known), part.start, part.stop)) for part in parts)


def _absolute(name: str, known: Container[str]) -> str:
    if name in known or name.startswith(HUB):
        return name
    reader, at, folder = name.partition("@")
    if at and reader in known:
        return f"{reader}@{Path(folder).expanduser().absolute()}"
    return str(Path(name).expanduser().absolute()) if looks_like_path(name) else name


def own_parts(expression: str, known: Container[str]) -> list[str]:
    """The parts that are files or folders of one's own."""
    try:
        parts = parse(expression)
    except LabError:
        return []
    names = [part.name for part in parts if part.name not in known and not part.name.startswith(HUB)]
    return [name for name in names if name.partition("@")[0] not in known and looks_like_path(name)]
