"""A home lab that sends a round, and another lab whose raters read the texts: what they say follows from the texts
alone, so what comes home can be worked out beforehand."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab.rating.files.bundle import MANIFEST, Bundle, pack, unpack
from lab.rating.verdicts import Verdict
from storage.database import Store, open_store
from storage.queries.rater_sessions import Served, submit
from storage.queries.rating_imports import import_round
from storage.queries.rating_sending import to_send
from storage.tables import Round
from tests.rating.rounds import serve


def open_away(folder: Path) -> Store:
    """Another lab's store."""
    return open_store(f"sqlite:///{folder / 'away.db'}", folder / "away")


def sent_to(home: Store, away: Store, round_id: int) -> Round:
    return import_round(away, to_send(home, round_id))


def score(text: str) -> int:
    """What these raters say of a text."""
    return 1 + sum(text.encode()) % 5


def read(served: Served) -> Verdict:
    """The verdict on what stands left and right."""
    left, right = score(served.left), score(served.right)
    return Verdict(left, right, "left" if left > right else "right" if right > left else "tie", visible_ms=8000)


def rate_by_text(store: Store, rater: int, most: int = 1000) -> int:
    count = 0
    while count < most and (served := serve(store, rater)):
        submit(store, rater, served.submit_key, read(served))
        count += 1
    return count


def edited(data: bytes, name: str, change: Callable[[list[dict[str, Any]]], object]) -> bytes:
    """The bundle with the lines of a file changed in place, and its manifest made to match: a forger's work."""
    bundle = unpack(data)
    rows = [json.loads(line) for line in bundle.files[name].splitlines()]
    change(rows)
    text = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).replace("\\\\ud800", "\\ud800")
    return pack(Bundle(bundle.kind, bundle.round_uid, {**bundle.files, name: text}))


def edited_design(data: bytes, **changes: Any) -> bytes:
    bundle = unpack(data)
    design = json.loads(bundle.files["design.json"])
    design["design"] |= changes
    return pack(Bundle(bundle.kind, bundle.round_uid, {**bundle.files, "design.json": json.dumps(design)}))


def every_byte(data: bytes) -> str:
    """All the texts of a bundle, its manifest included."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return MANIFEST + "".join(archive.read(name).decode() for name in archive.namelist())
