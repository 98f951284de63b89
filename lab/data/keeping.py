"""Keeping a made dataset: its file under a name made of its content, and beside it what it was made of and by whom."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.core.errors import LabError
from lab.data.dataset import fingerprint
from lab.data.jsonl import read_jsonl
from lab.data.made import Made, made_of, made_path
from lab.data.pairs import resolve_pairs
from lab.data.writing import slug, write_whole

DIGITS = (8, 16, 64)  # of the sha256 in a name: more where another content has the first ones


def keep_made(folder: str | Path, source_file: str | Path, facts: Mapping[str, Any]) -> Path:
    """Copy a file of rows or pairs into `folder` and write its `Made` beside it; where it is now.

    `facts` are the fields of a `Made` but rows, sha256 and fingerprint: these are what the reader of a training finds
    in the copy. The same content under the same name is kept once. Raises LabError when a row of it cannot be read.
    """
    folder, source_file = Path(folder), Path(source_file)
    digest = _sha256(source_file)
    kept = _place(folder, slug(str(facts["name"])), digest)
    if kept.is_file() and made_of(kept):
        return kept
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Read under its final name: the ids of rows that have none are made of it.
        with tempfile.TemporaryDirectory(dir=folder, prefix=".keeping-") as aside:
            copy = Path(shutil.copyfile(source_file, Path(aside) / kept.name))
            rows = read_jsonl(copy) if facts["kind"] == "rows" else _pairs(copy)
            copy.replace(kept)
    except OSError as error:
        raise LabError(f"'{kept}' cannot be written: {error.strerror or error}. Make room, or free the place", "disk"
                       ) from None
    made = Made(**facts, rows=len(rows), sha256=digest, fingerprint=fingerprint(rows))
    write_whole(made_path(kept), made.model_dump_json(indent=2) + "\n")
    return kept


def _place(folder: Path, name: str, digest: str) -> Path:
    for digits in DIGITS:
        path = folder / f"{name}-{digest[:digits]}.jsonl"
        if not path.is_file() or _sha256(path) == digest:
            break
    return path


def _pairs(path: Path) -> list[Any]:
    loaded = resolve_pairs(str(path)).read()
    if loaded.skipped:
        why = ", ".join(f"{count} x {reason}" for reason, count in loaded.skipped.items())
        raise LabError(f"{path.name}: not every row is a pair: {why}", "data")
    return loaded.rows


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise LabError(f"file '{path}' cannot be read: {error.strerror}", "data") from None
