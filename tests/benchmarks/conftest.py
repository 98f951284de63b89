"""The tiny base of the engine's tests, and a benchmark it has learnt by heart."""

import pytest

from lab.benchmarks.benchmark import Benchmark, benchmarks
from lab.core.types import Example
from tests.engine.conftest import tiny, tiny_registered  # noqa: F401  fixtures
from tests.engine.tiny import SUMS, answer, question


def sum_questions():
    return [
        Example(
            id=f"{a}+{b}",
            question=question(a, b),
            answer=answer(a, b),
            gold=str(a + b),
            verifier="numeric",
            subject=f"from {a}",
        )
        for a, b in SUMS
    ]


def make_benchmark(load=sum_questions, **values):
    given = {"name": "sums", "title": "Sums", "version": "1", "description": "", "source": "here", "license": "none"}
    return Benchmark(**(given | values), load=load)


@pytest.fixture
def sums(tiny_registered, monkeypatch):  # noqa: F811
    """(card, sources) of the tiny base, with the benchmark 'sums' registered."""
    monkeypatch.setitem(benchmarks(), "sums", make_benchmark())
    return tiny_registered
