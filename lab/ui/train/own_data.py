"""A dataset of one's own: checked row by row when it is uploaded, kept in LAB_HOME under a name made of its content."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from lab.core.errors import LabError
from lab.data.jsonl import read_jsonl

if TYPE_CHECKING:
    from storage.files import Home


def keep_upload(home: Home, uploaded: Path) -> tuple[Path, int]:
    """(where the file is kept, rows). LabError names the broken line; then nothing is kept."""
    try:
        rows = read_jsonl(uploaded)
    except LabError as problem:
        raise LabError(str(problem).replace(str(uploaded), uploaded.name), problem.reason) from None
    digest = hashlib.sha256(uploaded.read_bytes()).hexdigest()[:8]
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", uploaded.stem).strip("-")[:40] or "rows"
    kept = home.path / "datasets" / f"{stem}-{digest}.jsonl"  # an older study's file is never overwritten
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(uploaded, kept)
    return kept, len(rows)


def kept_uploads(home: Home) -> list[Path]:
    """Every file kept so far, by name."""
    return sorted((home.path / "datasets").glob("*.jsonl"))
