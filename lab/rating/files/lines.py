"""events.jsonl and units.jsonl: one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from lab.rating.files.contents import Contents, UnitText


def jsonl(rows: Iterable[Mapping[str, Any]]) -> str:
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)


def events_jsonl(contents: Contents) -> str:
    """What happened, in order. Times of the browser are milliseconds since the unit was shown."""
    return jsonl({**asdict(one), "payload": dict(one.payload)} for one in contents.happenings)


def units_jsonl(units: Iterable[UnitText]) -> str:
    """What raters read, with the hash of question and texts."""
    return jsonl({**asdict(unit), "expected": dict(unit.expected)} for unit in units)
