"""Texts: raw material for synthesis, named as datasets are: a registered set, a folder, a table with a text column, or
a repository of the hub. Never an example: nothing here is asked or answered.

    demo-texts                        a registered name
    notes/ · texts.jsonl · pages.csv  files of one's own: .txt and .md are one text each, tables have a column `text`
    hub:org/name[:config][@revision]  any repository of the hub with a column `text`

Files are read as a stream; of a text no more is kept than a job can ask about.
"""

from __future__ import annotations

import codecs
import hashlib
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from lab.core.errors import Fault, LabError, UnknownName
from lab.core.registry import Registry, discover
from lab.core.types import Plain
from lab.data.files import columns_of, is_table, records
from lab.data.own import HUB, HUB_FORM, HUB_NAME, hub_rows

COLUMN = "text"
WRITTEN = (".txt", ".md")
MOST_CHARS = 400_001  # one more than a job can ask about, which so sees that the text goes on
EMPTY, NO_TEXT, AGAIN = "empty", "no text", "the same text again"
# Marks that say for sure how a file is written; UTF-32's begins with UTF-16's.
BYTE_ORDERS = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"),
               (codecs.BOM_UTF16_BE, "utf-16"))


class Text(Plain):
    """One text. Its id follows from its words, so the same text in two files is one."""

    id: str
    text: str
    source: str = ""


@dataclass(frozen=True)
class LoadedTexts:
    """The texts in order, and how many were left out for which reason."""

    rows: list[Text]
    skipped: dict[str, int] = field(default_factory=dict)

    def fingerprint(self) -> str:
        """sha256 over the ids in order: what a job records as its input."""
        return hashlib.sha256("\n".join(row.id for row in self.rows).encode()).hexdigest()


@dataclass(frozen=True)
class TextSet:
    """A card and its reader."""

    name: str
    title: str
    description: str
    source: str
    license: str
    read: Callable[[], LoadedTexts]
    n_rows: int | None = None


@cache
def text_sets() -> Registry[TextSet]:
    """Every registered set of texts by name."""
    return Registry("set of texts", {card.name: card for _, card in discover("lab.data.text_sets", "TEXTS")})


def resolve_texts(name: str) -> TextSet:
    """The texts a name means. Raises LabError: an unknown name with its near miss, or what is not there."""
    known = text_sets()
    if name in known:
        return known[name]
    if name.startswith(HUB):
        return _of_hub(name)
    path = _path(name)
    if "/" in name or path.suffix.lower() in WRITTEN or is_table(name) or _exists(path):
        return _of_path(path)
    raise UnknownName("set of texts", name, known)


def check_texts_name(field: str, name: str) -> list[Fault]:
    """One fault if a name means no texts. Nothing is fetched; files are looked at, not read to their end."""
    try:
        resolve_texts(name)
    except LabError as error:
        return [Fault(field, str(error), name)]
    return []


def own_texts(name: str) -> list[str]:
    """The name, where it is a file or a folder of one's own."""
    return [] if name in text_sets() or name.startswith(HUB) else [name]


def absolute_texts(name: str) -> str:
    """A path of one's own in full: the job runs from another folder."""
    path = _path(name)
    return str(path.resolve()) if own_texts(name) and _exists(path) else name


def made_texts(found: Iterable[tuple[Any, str]]) -> LoadedTexts:
    """Texts of (value, source): empty ones, repeated ones and what is no text are counted and left out."""
    rows: dict[str, Text] = {}
    skipped: Counter[str] = Counter()
    for value, source in found:
        text, fault = _sound(value)
        if fault:
            skipped[fault] += 1
            continue
        key = _key(text)
        if key in rows:
            skipped[AGAIN] += 1
        else:
            rows[key] = Text(id=f"text-{key}", text=text, source=source)
    return LoadedTexts(list(rows.values()), dict(skipped))


def _sound(value: Any) -> tuple[str, str]:
    """(the text, "") or ("", why it is none): accents composed, ends of lines alike, halves of characters replaced."""
    if value is None or value == "":
        return "", EMPTY
    if not isinstance(value, str) or "\x00" in value[:MOST_CHARS]:  # a file that is no text has a NUL early
        return "", NO_TEXT
    # A pair of escaped halves, as some JSON writers leave, is one character; a half alone is none.
    text = value[:MOST_CHARS].encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    return (text, "") if any(letter.isalnum() for letter in text) else ("", EMPTY)


def _key(text: str) -> str:
    """16 digits that two texts share when they differ in case, spaces, invisible signs or compatibility forms alone."""
    plain = unicodedata.normalize("NFKC", text)
    for letter in set(plain):
        if unicodedata.category(letter) == "Cf":
            plain = plain.replace(letter, "")
    return hashlib.sha256(" ".join(plain.casefold().split()).encode()).hexdigest()[:16]


def _path(name: str) -> Path:
    try:
        return Path(name).expanduser()
    except RuntimeError:  # ~somebody who has no home here
        return Path(name)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that no file can have
        return False


def _of_path(path: Path) -> TextSet:
    if not _exists(path):
        raise LabError(f"texts: '{path}' does not exist", "data")
    try:
        files = _files(path)
    except OSError as error:
        raise LabError(f"texts: '{path}' cannot be read: {error.strerror or error}", "data") from None
    if not files:
        raise LabError(f"texts: '{path}' holds no texts: .txt and .md files, or tables with a column '{COLUMN}'",
                       "data")
    for file in files:
        if is_table(file) and COLUMN not in (found := columns_of(file)):
            raise LabError(f"texts: {file.name} has no column '{COLUMN}'; it has {', '.join(found) or 'none'}", "data")
    root = path if path.is_dir() else path.parent
    return TextSet(str(path), path.name, "Texts of your own.", str(path), "as given by their owner",
                   lambda: made_texts((value, file.relative_to(root).as_posix())
                                      for file in files for value in _in_file(file)))


def _files(path: Path) -> list[Path]:
    """The file itself, or the files of a folder by name; nothing hidden, as .git or a notebook's checkpoints."""
    found = [path] if path.is_file() else sorted(
        file for file in path.rglob("*")
        if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts))
    return [file for file in found if file.suffix.lower() in WRITTEN or is_table(file)]


def _in_file(file: Path) -> Iterator[Any]:
    if file.suffix.lower() in WRITTEN:
        yield _written(file)
        return
    for placed in records(file):
        yield placed.record.get(COLUMN)


def _written(file: Path) -> str:
    """A file's text: UTF-8, or what its byte order mark says. Any other encoding would have to be guessed."""
    try:
        with file.open("rb") as raw:
            head = raw.read(4)
        encoding = next((name for mark, name in BYTE_ORDERS if head.startswith(mark)), "utf-8-sig")
        with file.open(encoding=encoding) as text:
            return text.read(MOST_CHARS)
    except UnicodeError:
        raise LabError(f"texts: {file} is not UTF-8 text: save it as UTF-8", "data") from None
    except OSError as error:
        raise LabError(f"texts: {file} cannot be read: {error.strerror or error}", "data") from None


def _of_hub(name: str) -> TextSet:
    found = HUB_NAME.match(name)
    if not found:
        raise LabError(f"'{name}': {HUB_FORM}", "spec")
    revision = found["revision"] or "main"
    return TextSet(
        name, found["id"], "A repository of the hub with a column of texts.", f"{found['id']} at {revision}",
        f"see https://huggingface.co/datasets/{found['id']}",
        lambda: made_texts(_hub_values(found["id"], found["config"], revision)),
    )


def _hub_values(repository: str, config: str | None, revision: str) -> Iterator[tuple[Any, str]]:
    for place, row in enumerate(hub_rows(repository, config, revision)):
        if not place and COLUMN not in row:
            raise LabError(f"texts: {repository} has no column '{COLUMN}'; it has {', '.join(row)}", "data")
        yield row.get(COLUMN), repository
