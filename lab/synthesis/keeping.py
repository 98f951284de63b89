"""Kept states: how far each item of a drive has come, on the disk, so that a job that is killed goes on from there.

One file of lines per drive, in the folder of checkpoints, which outlives an attempt. The first line of an item holds
its state; those after it hold what has changed, so that a long trace is written once and not at every step. A kill may
cut the last line, which is then not read; the next attempt writes the file anew, with one line an item.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lab.core.checkpoints import Checkpoints
from lab.synthesis.machine import ItemState
from lab.synthesis.spending import Spent

SEAL_EVERY_S = 5.0
Row = dict[str, Any]


def origin(state: ItemState) -> str:
    """12 hex digits of an item as its machine sees it: another text under the same id is another item."""
    return hashlib.sha256(state.model_dump_json().encode()).hexdigest()[:12]


class KeptStates:
    """States of one drive's items. `mark` names the machine and its settings: what another has left is not read."""

    def __init__(self, checkpoints: Checkpoints, name: str, mark: str):
        self._checkpoints, self._path = checkpoints, checkpoints.folder / f"states-{name}.jsonl"
        self._mark = mark
        self._rows: dict[str, Row] = {}  # by id: what an earlier attempt has left
        self.spent = Spent()
        self._read()
        self._known: set[str] = set()  # items whose first line is in the file
        last = checkpoints.last_whole()
        self._n_steps = self._sealed = last.step if last else 0
        self._sealed_at, self._noted_at = time.monotonic(), 0.0
        self._lines: list[str] = []

    def found(self, first: ItemState) -> ItemState | None:
        """The state kept for an item that begins as `first`; None where there is none that fits."""
        row = self._rows.get(first.id)
        if row is None or row["of"] != origin(first):
            return None
        try:
            state = type(first).model_validate_json(json.dumps(row["is"]))
        except ValidationError:  # of an older form of the state
            return None
        self._known.add(first.id)
        return state

    def begin(self) -> None:
        """Write the file anew, a line an item, and go on at its end. Call it once all items were looked for."""
        self._checkpoints.folder.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_name(f".{self._path.name}.tmp")
        with temporary.open("w", encoding="utf-8") as file:
            file.write(_line({"mark": self._mark}))
            file.writelines(_line({"id": id, **row}) for id, row in self._rows.items() if id in self._known)
            file.write(_line({"spent": self.spent.model_dump()}))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self._path)
        self._rows = {}
        self._file = self._path.open("a", encoding="utf-8")

    def add(self, first: ItemState, before: ItemState, after: ItemState) -> None:
        """One step of an item; on the disk after the next `flush`."""
        self._n_steps += 1
        if after.id in self._known:
            self._lines.append(_line({"id": after.id, **_changes(before, after)}))
        else:
            self._known.add(after.id)
            self._lines.append(_line({"id": after.id, "of": origin(first), "is": after.model_dump(mode="json")}))

    def note(self, spent: Spent) -> None:
        self.spent = spent
        self._lines.append(_line({"spent": spent.model_dump()}))

    def flush(self) -> None:
        """What was added is on the disk before this returns."""
        if self._lines:
            lines, self._lines = self._lines, []
            self._file.write("".join(lines))
            self._file.flush()
            os.fsync(self._file.fileno())
        if time.monotonic() - self._sealed_at > SEAL_EVERY_S:
            self.seal()

    def seal(self) -> None:
        """A checkpoint whose step is the number of steps taken: by it the queue sees that a lost job got further."""
        self._sealed_at = time.monotonic()
        if self._n_steps == self._sealed:
            return
        folder = self._checkpoints.path(self._n_steps)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "states.json").write_text(json.dumps({"steps": self._n_steps}), encoding="utf-8")
        self._checkpoints.seal(self._n_steps)
        self._checkpoints.prune()
        self._sealed = self._n_steps

    def close(self) -> None:
        self.flush()
        self.seal()
        self._file.close()

    def _read(self) -> None:
        rows = _rows_of(self._path)
        if next(rows, {}).get("mark") != self._mark:
            return
        for row in rows:
            if "spent" in row:
                self.spent = Spent.model_validate(row["spent"])
            elif "is" in row:
                self._rows[row["id"]] = {"of": row["of"], "is": row["is"]}
            elif row.get("id") in self._rows:
                _apply(self._rows[row["id"]]["is"], row)


def _rows_of(path: Path) -> Iterator[Row]:
    """Whole lines only: the first that was cut, or cannot be read, ends it."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            try:
                row = json.loads(line) if line.endswith(b"\n") else None
            except ValueError:
                row = None
            if not isinstance(row, dict):
                return
            yield row


def _line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"


def _changes(before: ItemState, after: ItemState) -> Row:
    """`set`: fields with another value. `add`: what was put at the end of a list."""
    changed = {name for name in type(after).model_fields
               if (new := getattr(after, name)) is not (old := getattr(before, name)) and new != old}
    values = after.model_dump(mode="json", include=changed)
    grown = {name: len(getattr(before, name)) for name in changed
             if _longer(getattr(before, name), getattr(after, name))}
    kept: Row = {"set": {name: value for name, value in values.items() if name not in grown}}
    return kept | ({"add": {name: values[name][length:] for name, length in grown.items()}} if grown else {})


def _longer(old: Any, new: Any) -> bool:
    is_list = isinstance(new, tuple | list) and isinstance(old, tuple | list)
    return is_list and 0 < len(old) < len(new) and _same(old, new[: len(old)])


def _same(old: Sequence[Any], new: Sequence[Any]) -> bool:
    return all(one is other or one == other for one, other in zip(old, new, strict=True))


def _apply(state: Row, change: Row) -> None:
    state.update(change["set"])
    for name, more in change.get("add", {}).items():
        state[name] = [*state[name], *more]
