"""Near-duplicates: which examples are the asked question itself in other clothes, and so must not be learnt from.

An example is one when any of three rules says so:

same      the same content words and numbers, each as often, in any order: case, spacing, punctuation and the words that
          only ask ("what is", "calculate the") aside. The same normalised question is a case of it.
runs      13 words in a row in common (the rule of `lab.data.decontaminate`), such runs cover four fifths of the shorter
          of the two, and the numbers of the shorter are all in the longer. Where the shorter has fewer than 26 words
          they cover four fifths of the longer, too: one run is not a case.
similar   cosine of 0.97 or more, and the same numbers.

Numbers decide because questions made from a template, or drawn from one textbook, share sentences without sharing
problems: the anion gap of another patient is exactly the example wanted. A long vignette that ends in another question
goes, by `runs`: it would give the case away.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix

from lab.data.decontaminate import N_WORDS, WORD
from lab.data.overlap import NUMBER

COVERED = 0.8  # of the shorter text's words
SIMILAR = 0.97  # cosine
ASKING = frozenset(
    "a an the of is are was were be what which who how much many find calculate compute determine give work out tell "
    "me by in on for to and has have with per does do need needs please question answer".split()
)
Key = tuple[tuple[str, ...], tuple[str, ...]]  # content words and numbers, each sorted


class NearDuplicates:
    """The examples of one index, ready to be compared with any question."""

    def __init__(self, texts: Sequence[str]):
        self._words = [_words(text) for text in texts]
        self._numbers = [_numbers(text) for text in texts]
        self._by_key: dict[Key, list[int]] = defaultdict(list)
        for place, (words, numbers) in enumerate(zip(self._words, self._numbers, strict=True)):
            self._by_key[_key(words, numbers)].append(place)
        self._vocabulary: dict[str, int] = {}
        ends, columns = [0], []
        for words in self._words:
            columns += [self._vocabulary.setdefault(word, len(self._vocabulary)) for word in set(words)]
            ends.append(len(columns))
        shape = (len(ends) - 1, max(len(self._vocabulary), 1))
        self._has = csr_matrix((np.ones(len(columns), np.int32), columns, ends), shape=shape)
        self._n_different = np.diff(ends)

    def of(self, question: str, cosine: np.ndarray) -> np.ndarray:
        """Places of the examples that are the question itself, in order. `cosine` (examples,): how alike they are."""
        words, numbers = _words(question), _numbers(question)
        found = set(self._by_key.get(_key(words, numbers), ()))
        for place in np.flatnonzero(cosine >= SIMILAR).tolist():
            if self._numbers[place] == numbers:
                found.add(place)
        found.update(place for place in self._candidates(words) if self._shares_runs(place, words, numbers))
        return np.asarray(sorted(found), dtype=np.int64)

    def _candidates(self, words: list[str]) -> list[int]:
        """Examples that share half of the shorter one's different words; the others cannot share long runs."""
        different = set(words)
        asked = np.zeros(self._has.shape[1], np.int32)
        asked[[self._vocabulary[word] for word in different if word in self._vocabulary]] = 1
        shorter = np.minimum(self._n_different, len(different))
        return np.flatnonzero(2 * (self._has @ asked) >= np.maximum(shorter, 1)).tolist()

    def _shares_runs(self, place: int, words: list[str], numbers: Counter[str]) -> bool:
        mine, theirs = (words, numbers), (self._words[place], self._numbers[place])
        short, long = sorted((mine, theirs), key=lambda text: len(text[0]))
        if len(short[0]) < N_WORDS or not short[1] <= long[1]:
            return False
        runs = set(_runs(long[0]))
        covered = np.zeros(len(short[0]), bool)
        for start, run in enumerate(_runs(short[0])):
            if run in runs:
                covered[start : start + N_WORDS] = True
        whole = len(short[0]) if len(short[0]) >= 2 * N_WORDS else len(long[0])
        return bool(covered.sum() >= COVERED * whole)


def _words(text: str) -> list[str]:
    return WORD.findall(text.lower())


def _numbers(text: str) -> Counter[str]:
    return Counter(NUMBER.findall(text))


def _key(words: Sequence[str], numbers: Counter[str]) -> Key:
    content = [word for word in words if word not in ASKING] or words
    return tuple(sorted(content)), tuple(sorted(numbers.elements()))


def _runs(words: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + N_WORDS]) for at in range(len(words) - N_WORDS + 1)]
