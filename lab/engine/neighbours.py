"""Neighbours: the examples of a dataset that are nearest to a question, without the question itself. No torch here.

The text of an example is its question with the options, as a model is asked; its reply plays no part. An index is kept
as one file per fingerprint: the dataset's rows, what made the vectors (an encoder's revision or weights, its pooling)
and these rules. Another fingerprint is another file, so a stale index cannot be read.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from scipy.sparse import csr_matrix, issparse

from lab.core.errors import LabError
from lab.core.types import Example
from lab.data.chat import question_text
from lab.data.dataset import fingerprint
from lab.data.resolving import resolve_dataset
from lab.engine.adapt import Adaptation
from lab.engine.near_duplicates import NearDuplicates
from lab.engine.word_vectors import WordVectors

TEXT_RULE = "question and options, rows with a trace if there are any; 1"


class Space(Protocol):
    """Examples in a space of vectors."""

    def closeness(self, question: str) -> tuple[np.ndarray, np.ndarray]:
        """(what the nearest has most of, cosine) of every example: minus the distance in L2, else the cosine."""
        ...


class Embedder(Protocol):
    """What turns texts into vectors. `identity` names everything that decides one."""

    identity: str

    def vectors(self, texts: Sequence[str]) -> Any: ...
    def space(self, vectors: Any) -> Space: ...


@dataclass(frozen=True)
class Retrieved:
    """Examples with how near they are (cosine, or minus the distance in L2), nearest first, and how many were barred
    for being the question itself."""

    rows: tuple[Example, ...]
    similarities: tuple[float, ...]
    n_excluded: int


class Neighbours:
    """The index of one dataset."""

    def __init__(self, rows: Sequence[Example], space: Space, mark: str):
        self.fingerprint = mark
        self._rows, self._space = rows, space
        self._duplicates = NearDuplicates([question_text(row) for row in rows])

    def nearest(self, question: str, k: int) -> Retrieved:
        """The k nearest; of two that are equally near the earlier row. LabError when so many are not left."""
        near, allowed, n_excluded = self._allowed(question, k)
        return self._retrieved(allowed[np.argsort(-near[allowed], kind="stable")[:k]], near, n_excluded)

    def random(self, question: str, k: int, seed: int) -> Retrieved:
        """k rows drawn evenly, by the seed and the question. LabError when so many are not left."""
        near, allowed, n_excluded = self._allowed(question, k)
        digest = hashlib.sha256(f"{seed}:{question}".encode()).digest()
        draw = np.random.default_rng(int.from_bytes(digest[:8], "big"))
        return self._retrieved(draw.choice(allowed, size=k, replace=False), near, n_excluded)

    def _allowed(self, question: str, k: int) -> tuple[np.ndarray, np.ndarray, int]:
        near, cosine = self._space.closeness(question)
        barred = self._duplicates.of(question, cosine)
        allowed = np.setdiff1d(np.arange(len(self._rows)), barred)
        if len(allowed) < k:
            raise LabError(
                f"{k} examples are wanted, but the dataset has {len(self._rows)}, {len(barred)} of which are the "
                "question itself: take a larger dataset or fewer neighbours", "data",
            )
        return near, allowed, len(barred)

    def _retrieved(self, places: np.ndarray, near: np.ndarray, n_excluded: int) -> Retrieved:
        rows = tuple(self._rows[place] for place in places)
        return Retrieved(rows, tuple(round(float(near[place]), 6) for place in places), n_excluded)


def open_neighbours(adapt: Adaptation, cache: Path) -> Neighbours:
    """The index of `adapt.dataset`, from `cache` if it holds this very one, else made and put there."""
    rows = _examples(adapt.dataset)
    embedder = _embedder(adapt)
    mark = _mark(rows, embedder)
    file = cache / f"{mark}.npz"
    vectors = _read(file, mark)
    if vectors is None:
        vectors = embedder.vectors([question_text(row) for row in rows])
        _write(file, mark, vectors)
    return Neighbours(rows, embedder.space(vectors), mark)


def index_fingerprint(adapt: Adaptation) -> str:
    """What an index of these settings would be called: nothing is embedded."""
    return _mark(_examples(adapt.dataset), _embedder(adapt))


def _examples(dataset: str) -> list[Example]:
    """The rows that reason, or all where none does."""
    rows = resolve_dataset(dataset).read().rows
    if not rows:
        raise LabError(f"dataset '{dataset}' has no rows, so there is nothing to adapt to", "data")
    return [row for row in rows if row.trace] or rows


def _embedder(adapt: Adaptation) -> Embedder:
    if adapt.embedder == "tfidf":
        return WordVectors()
    from lab.engine._embedding import Encoder

    return Encoder(adapt.embedder, adapt.pooling)


def _mark(rows: Sequence[Example], embedder: Embedder) -> str:
    parts = {"rows": fingerprint(rows), "embedder": embedder.identity, "text": TEXT_RULE}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _read(file: Path, mark: str) -> Any:
    """The vectors of this fingerprint; None where there are none, or the file is broken."""
    try:
        with np.load(file, allow_pickle=False) as kept:
            if str(kept["fingerprint"]) != mark:
                return None
            if "dense" in kept:
                return kept["dense"]
            return csr_matrix((kept["data"], kept["indices"], kept["indptr"]), shape=tuple(kept["shape"]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _write(file: Path, mark: str, vectors: Any) -> None:
    """To a temporary file, then renamed: a reader never sees half an index."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.stem[:16]}.{os.getpid()}.tmp.npz")
    kept = {"dense": vectors}
    if issparse(vectors):
        kept = {"data": vectors.data, "indices": vectors.indices, "indptr": vectors.indptr, "shape": vectors.shape}
    np.savez(temporary, fingerprint=mark, **kept)
    os.replace(temporary, file)
