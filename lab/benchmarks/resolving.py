"""Resolving: from what a recipe writes under `benchmark:` to the benchmark.

    pubmedqa                            a registered name
    pubmedqa@/data/PubMedQA             its reader on the same files in a local folder
    exam.jsonl · /data/exam.csv         a file of questions of one's own
"""

from __future__ import annotations

from pathlib import Path

from lab.benchmarks.benchmark import Benchmark, benchmarks
from lab.benchmarks.own import KEPT_NAME, own_benchmark
from lab.core.errors import Fault, LabError, UnknownName
from lab.data.resolving import LONGEST_LABEL, looks_like_path


def resolve_benchmark(name: str) -> Benchmark:
    """The benchmark a name or a path means. LabError: an unknown name with its near miss, or what is not there.

    Nothing is fetched; a file of one's own is read, because its name holds a hash of its rows.
    """
    known = benchmarks()
    if name in known:
        return known[name]
    reader, at, folder = name.partition("@")
    if at and reader in known:
        return _at(known[reader], folder)
    if looks_like_path(name):
        return own_benchmark(Path(name).expanduser())
    raise UnknownName("benchmark", name, known)


def _at(card: Benchmark, folder: str) -> Benchmark:
    if card.hub is None:
        raise LabError(f"benchmark '{card.name}' is made by the lab, not read from files: leave out '@{folder}'",
                       "spec")
    if not Path(folder).expanduser().is_dir():
        raise LabError(f"{card.name}@{folder}: the folder '{folder}' does not exist", "data")
    return card.at(folder)


def check_benchmark_name(field: str, name: str) -> list[Fault]:
    """One fault if a name means no benchmark. Nothing is fetched; a file of one's own is read to its end."""
    try:
        resolve_benchmark(name)
    except LabError as error:
        return [Fault(field, str(error), name)]
    return []


def label(name: str) -> str:
    """A short name for a table or a part: 'pubmedqa', 'exam'. Reads nothing, never raises."""
    known = benchmarks()
    short = name.partition("@")[0]
    if short not in known:
        short = Path(name).stem if looks_like_path(name) else name
        kept = KEPT_NAME.fullmatch(short)
        short = kept["stem"] if kept else short
    return short if len(short) <= LONGEST_LABEL else f"{short[: LONGEST_LABEL - 1]}…"


def absolute_benchmark(name: str) -> str:
    """The expression with its path made absolute: a job runs in another process, from another folder."""
    known = benchmarks()
    if name in known:
        return name
    reader, at, folder = name.partition("@")
    if at and reader in known:
        return f"{reader}@{Path(folder).expanduser().absolute()}"
    return str(Path(name).expanduser().absolute()) if looks_like_path(name) else name


def own_benchmark_files(name: str) -> list[str]:
    """The expression, where it is a file of one's own; else nothing."""
    known = benchmarks()
    is_own = name not in known and name.partition("@")[0] not in known and looks_like_path(name)
    return [name] if is_own else []


def is_here(card: Benchmark) -> bool:
    """Whether its questions can be read on this machine as it is. Nothing is fetched."""
    return card.hub is None or card.hub.is_here()
