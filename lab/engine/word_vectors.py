"""Word vectors: questions as tf-idf of words and of pieces of words, for retrieval without a model or a download.

Words and word pairs tell what is asked, pieces of three to five letters forgive endings and spelling; both halves count
the same. Columns are hashes, so there is no vocabulary to keep. Written here rather than taken from scikit-learn: only
the map job loads that, and for one formula every process would carry it. The formula is its: sublinear counts,
smooth inverse document frequency, length one (tests/engine/test_neighbours.py works one out by hand).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy.sparse import csr_matrix, diags

WORD = re.compile(r"\w+")
HALF = 2**18  # columns of each half
PIECES = (3, 4, 5)


class WordVectors:
    """The embedder 'tfidf'."""

    identity = "tfidf-1"  # raise it when the same text would give another vector

    def vectors(self, texts: Sequence[str]) -> csr_matrix:
        """Sublinear counts (texts, 2 · HALF), not yet weighed: what an index keeps."""
        rows = [_counts(text) for text in texts]
        ends = np.cumsum([0, *(len(columns) for columns, _ in rows)])
        columns = np.concatenate([columns for columns, _ in rows] or [np.zeros(0, np.int32)])
        values = np.concatenate([values for _, values in rows] or [np.zeros(0, np.float32)])
        return csr_matrix((values, columns, ends), shape=(len(rows), 2 * HALF), dtype=np.float32)

    def space(self, counts: csr_matrix) -> WordSpace:
        return WordSpace(counts)


class WordSpace:
    """Examples as weighed vectors of length one; a question is weighed by the examples' frequencies."""

    def __init__(self, counts: csr_matrix):
        found = np.bincount(counts.indices, minlength=counts.shape[1])
        self._weights = (np.log((1 + counts.shape[0]) / (1 + found)) + 1).astype(np.float32)
        self.examples = self._weighed(counts)  # (texts, 2 · HALF), each of length one

    def closeness(self, question: str) -> tuple[np.ndarray, np.ndarray]:
        """(what the nearest has most of, cosine) of every example: here both are the cosine, from 0 to 1."""
        asked = self._weighed(WordVectors().vectors([question]))
        cosine = (self.examples @ asked.T).toarray()[:, 0]
        return cosine, cosine

    def _weighed(self, counts: csr_matrix) -> csr_matrix:
        weighed = counts.multiply(self._weights).tocsr()
        squares = weighed.multiply(weighed).tocsr()
        words, pieces = (np.asarray(squares[:, half].sum(1))[:, 0] for half in (slice(0, HALF), slice(HALF, None)))
        # Each half gets length sqrt(1/2): a word of ten letters has more pieces than it has words.
        scale = [1 / np.sqrt(np.maximum(2 * half, 1e-12)) for half in (words, pieces)]
        split = weighed.indices >= HALF
        owner = np.repeat(np.arange(counts.shape[0]), np.diff(weighed.indptr))
        weighed.data *= np.where(split, scale[1][owner], scale[0][owner]).astype(np.float32)
        length = np.sqrt(np.asarray(weighed.multiply(weighed).sum(1))[:, 0])  # below 1 where a half is empty
        return (diags(1 / np.maximum(length, 1e-12)) @ weighed).tocsr().astype(np.float32)


def _counts(text: str) -> tuple[np.ndarray, np.ndarray]:
    """(columns, 1 + ln of how often) of one text."""
    words = WORD.findall(text.lower())
    pairs = [f"{first} {second}" for first, second in zip(words, words[1:], strict=False)]
    hashed = [_column(one) for one in (*words, *pairs)]
    for word in words:
        hashed += _pieces(word)
    columns, times = np.unique(np.asarray(hashed, np.int32), return_counts=True)
    return columns, (1 + np.log(times)).astype(np.float32)


def _column(text: str) -> int:
    return zlib.crc32(text.encode()) % HALF


@lru_cache(maxsize=200_000)
def _pieces(word: str) -> tuple[int, ...]:
    """Columns of a word's pieces, its ends marked."""
    marked = f" {word} "
    pieces = (marked[at : at + n] for n in PIECES for at in range(len(marked) - n + 1))
    return tuple(HALF + _column(piece) for piece in pieces)
