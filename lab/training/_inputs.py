"""Fingerprints of what a training job read: the dataset's rows and the base's weights."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.core.types import Example
from lab.data.dataset import fingerprint
from lab.training.specs import SftSpec

if TYPE_CHECKING:
    from lab.training._start import Begun

CHUNK = 1 << 20


def inputs(spec: SftSpec, examples: Sequence[Example], begun: Begun, commit: str | None) -> dict[str, Any]:
    """What the result records. `commit` is the hub's revision that was loaded, if the base came from the hub."""
    card, source = begun.card, begun.source
    start = {}
    if source is not None and source.folder:
        start = {"start": source.ref, "start_sha256": weights_sha256(Path(source.folder))}
    return {
        "dataset": spec.dataset,
        "dataset_sha256": fingerprint(list(examples)),
        "dataset_rows": len(examples),
        "base": card.name,
        "base_revision": weights_sha256(Path(card.location())) if card.path else (commit or card.revision),
        **start,
    }


def weights_sha256(folder: Path) -> str:
    """One hash over a folder's safetensors files, by name and content."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.safetensors")):
        digest.update(file.name.encode())
        with file.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
    return digest.hexdigest()
