"""A preflight in words: the same sentences and figures on the page and on the command line. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from lab.training.findings import LEVELS, ArmCheck, Estimate, Finding, Lengths, Part, Piece, Preflight, Range

LEVEL_WORDS = {"refused": "fault", "warning": "warning", "note": "note"}
UNITS = {"kwh": ("kWh", "Wh", "mWh"), "kg_co2": ("kg", "g", "mg")}


def grouped(report: Preflight) -> list[tuple[Finding, list[str]]]:
    """Each finding once, worst first, with the arms it was made on; none where it is about the whole."""
    found: dict[Finding, list[str]] = {finding: [] for finding in report.findings}
    for arm in report.arms:
        for finding in arm.findings:
            found.setdefault(finding, []).append(arm.label)
    return sorted(found.items(), key=lambda item: LEVELS.index(item[0].level))


def facts(arm: ArmCheck) -> list[tuple[str, str]]:
    """(what, figure) of one job, as far as they are known."""
    lengths = [("row length", lengths_words(arm.lengths))] if arm.lengths is not None else []
    if arm.estimate is None:
        rows = [("rows", f"{arm.counts.n_rows:,}")] if arm.counts.n_rows else []
        return [*rows, *lengths]
    return [*_counts(arm.estimate), *_costs(arm.estimate), *lengths]


def _counts(estimate: Estimate) -> list[tuple[str, str]]:
    dropped = f", {estimate.n_dropped:,} left out" if estimate.n_dropped else ""
    learned = f", {100 * estimate.n_learned / estimate.n_tokens:.0f} % of them learned" if estimate.n_learned else ""
    seen = [] if estimate.n_tokens_seen is None else [("tokens in all", f"{estimate.n_tokens_seen:,}")]
    return [("rows", f"{estimate.n_rows:,}{dropped}"), ("steps", f"{estimate.n_steps:,}"),
            ("tokens a pass", f"{estimate.n_tokens:,}{learned}"), *seen]


def _costs(estimate: Estimate) -> list[tuple[str, str]]:
    found = []
    if estimate.memory_mib is not None:
        found.append(("memory a device", f"about {estimate.memory_mib / 1024:.1f} GiB"))
    found.append(("time", "not known" if estimate.minutes is None else minutes_words(estimate.minutes)))
    if estimate.kwh is not None:
        found.append(("energy", amount(estimate.kwh, UNITS["kwh"])))
    if estimate.kg_co2 is not None:
        found.append(("CO2", amount(estimate.kg_co2, UNITS["kg_co2"])))
    return found


def lengths_words(lengths: Lengths) -> str:
    return (f"{lengths.shortest:,} to {lengths.longest:,} tokens, median {lengths.median:,.0f}, 95 % up to "
            f"{lengths.p95:,}; {lengths.field} {lengths.limit:,}")


def minutes_words(minutes: Range) -> str:
    """'2.1 to 8.6 minutes', '3 to 7 hours'."""
    if minutes[1] < 120:
        return f"{_figure(minutes[0])} to {_figure(minutes[1])} minutes"
    return f"{_figure(minutes[0] / 60)} to {_figure(minutes[1] / 60)} hours"


def amount(bounds: Range, units: tuple[str, str, str]) -> str:
    """A range in the unit that its upper end reads best in."""
    step = 0 if bounds[1] >= 0.1 else 1 if bounds[1] >= 1e-4 else 2
    low, high = (bound * 1000**step for bound in bounds)
    return f"{_figure(low)} to {_figure(high)} {units[step]}"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def runs(pieces: Sequence[Piece]) -> list[tuple[Part, bool, list[Piece]]]:
    """Neighbouring pieces of one part together: (part, learned, its pieces)."""
    together = groupby(pieces, key=lambda piece: (piece.part, piece.learned))
    return [(part, learned, list(group)) for (part, learned), group in together]


def total(report: Preflight) -> list[tuple[str, str]]:
    """The sums over all jobs of a recipe that has several; jobs without a figure are named by their number."""
    estimates = [arm.estimate for arm in report.arms if arm.estimate is not None]
    if len(report.arms) < 2 or not estimates:
        return []
    found = [("jobs", f"{len(report.arms):,}"), ("steps", f"{sum(each.n_steps for each in estimates):,}")]
    timed = [each for each in estimates if each.minutes is not None]
    missing = len(report.arms) - len(timed)
    more = f", and {missing} job{'' if missing == 1 else 's'} of unknown length" if missing else ""
    if timed:
        found.append(("time, one after another", minutes_words(_sum([each.minutes for each in timed])) + more))
    if (kwh := [each.kwh for each in timed if each.kwh]) and (kg := [each.kg_co2 for each in timed if each.kg_co2]):
        found += [("energy", amount(_sum(kwh), UNITS["kwh"])), ("CO2", amount(_sum(kg), UNITS["kg_co2"]))]
    return found


def _sum(bounds: Sequence[Range | None]) -> Range:
    return sum(each[0] for each in bounds if each), sum(each[1] for each in bounds if each)


def assumptions(report: Preflight) -> list[str]:
    """What the estimates rest on, each said once."""
    said = [line for arm in report.arms if arm.estimate for line in arm.estimate.assumptions]
    return list(dict.fromkeys(said))
