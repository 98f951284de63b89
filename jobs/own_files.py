"""Datasets and benchmarks that are a user's own files: found from any folder, and read before a job is queued."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from lab.benchmarks.resolving import absolute_benchmark, own_benchmark_files, resolve_benchmark
from lab.core.errors import Fault, LabError
from lab.core.spec import Spec
from lab.data.dataset import datasets
from lab.data.noted import resolve_any
from lab.data.pairs import pair_sets, resolve_pairs
from lab.data.resolving import absolute_paths, own_parts, resolve_dataset
from lab.data.texts import absolute_texts, own_texts, resolve_texts
from lab.synthesis.specs import MapSpec


class _Kind(NamedTuple):
    """What a field names: its expression with full paths, the own files in it, and how the rows of one are read."""

    full: Callable[[str], str]
    own: Callable[[str], list[str]]
    read: Callable[[str], Any]


def _of_data(known: Callable[[], Mapping[str, Any]], read: Callable[[str], Any]) -> _Kind:
    """An expression of datasets or pair sets; `known` are the registered names it may hold."""
    return _Kind(lambda name: absolute_paths(name, known()), lambda name: own_parts(name, known()), read)


DATASET = _of_data(datasets, lambda name: resolve_dataset(name).load())
BENCHMARK = _Kind(absolute_benchmark, own_benchmark_files, lambda name: resolve_benchmark(name).load())
TEXTS = _Kind(absolute_texts, own_texts, lambda name: resolve_texts(name).read())
FIELDS = {
    "dataset": DATASET, "problems": DATASET, "texts": TEXTS, "datasets": DATASET,
    "adapt_dataset": DATASET,
    "pairs": _of_data(pair_sets, lambda name: resolve_pairs(name).load()),
    "benchmark": BENCHMARK, "benchmarks": BENCHMARK,
}


def with_full_paths(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with each path of own data made absolute: the job runs in another process, from another folder."""
    return {name: _full(value, FIELDS[name]) if name in FIELDS else value for name, value in values.items()}


def _full(value: Any, kind: _Kind) -> Any:
    if isinstance(value, list | tuple):
        return [_full(item, kind) for item in value]
    return kind.full(value) if isinstance(value, str) and value else value


def check_own_files(spec: Spec) -> list[Fault]:
    """A fault for each file that cannot be read to its end: the broken line is named before anything is queued."""
    faults = []
    map_reads: Callable[[str], Any] = lambda name: resolve_any(name).load()  # noqa: E731  a map is of pairs, too
    for field, kind in FIELDS.items():
        value = getattr(spec, field, ())
        for expression in (value,) if isinstance(value, str) else value:
            for name in kind.own(expression) if expression else ():
                try:
                    (map_reads if spec.kind == MapSpec.kind else kind.read)(name)
                except LabError as error:
                    faults.append(Fault(field, str(error), name))
    return faults
