"""What the Models page asks: a page of variants, what each was measured at, what went on from it, what it cost. Reads
only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_
from sqlmodel import Session, col, select

from storage.queries.benchmarks import asked_plainly
from storage.queries.studies import get_variant
from storage.tables import BenchmarkRun, Job, Variant

SORTS = ("newest", "oldest", "name", "loss", "rows")


@dataclass(frozen=True)
class WantedVariants:
    """Which variants to list, and in which order."""

    search: str = ""
    base: str = ""
    kind: str = ""
    target: str = ""
    sort: str = "newest"


def page_of_variants(
    session: Session, wanted: WantedVariants, offset: int = 0, limit: int = 20
) -> tuple[list[Variant], int]:
    """(variants of this page, number in all)."""
    conditions = _conditions(wanted)
    total = session.exec(select(func.count(col(Variant.id))).where(*conditions)).one()
    query = select(Variant).where(*conditions).order_by(*_order(wanted.sort)).offset(offset).limit(limit)
    return list(session.exec(query)), total


def _conditions(wanted: WantedVariants) -> list[Any]:
    found: list[Any] = []
    for column, value in ((Variant.base, wanted.base), (Variant.kind, wanted.kind), (Variant.target, wanted.target)):
        if value:
            found.append(column == value)
    if text := wanted.search.strip():
        found.append(or_(*(col(c).icontains(text, autoescape=True)
                           for c in (Variant.name, Variant.dataset, Variant.base, Variant.start))))
    return found


def _order(sort: str) -> tuple[Any, ...]:
    newest = col(Variant.id).desc()
    return {
        "oldest": (col(Variant.id).asc(),), "name": (col(Variant.name).asc(),),
        "loss": (col(Variant.final_loss).asc().nulls_last(), newest),
        "rows": (col(Variant.n_rows).desc(), newest),
    }.get(sort, (newest,))


def variant_of(session: Session, ref: str) -> Variant:
    """By name, number, 'variant:NAME', or 'job:UID' of the training that left it. LabError with the nearest name."""
    if ref.startswith("job:"):
        query = select(Variant).join(Job, col(Variant.job_id) == col(Job.id))
        if (found := session.exec(query.where(Job.uid == ref.removeprefix("job:"))).first()) is not None:
            return found
    return get_variant(session, ref)


def variant_choices(session: Session) -> dict[str, list[str]]:
    """The bases, kinds and arms that variants have: what the page's filters offer."""
    columns = {"base": Variant.base, "kind": Variant.kind, "target": Variant.target}
    return {name: sorted(session.exec(select(column).distinct())) for name, column in columns.items()}


def results_of(session: Session, variants: Sequence[Variant]) -> dict[int, list[BenchmarkRun]]:
    """Variant → its newest run of each benchmark by the variant as it is, not adapted and without a budget."""
    ids = [variant.id for variant in variants if variant.id is not None]
    newest = select(func.max(BenchmarkRun.id)).where(col(BenchmarkRun.variant_id).in_(ids))
    newest = newest.where(asked_plainly()).group_by(BenchmarkRun.variant_id, BenchmarkRun.benchmark)
    runs = session.exec(select(BenchmarkRun).where(col(BenchmarkRun.id).in_(newest)).order_by(BenchmarkRun.benchmark))
    found: dict[int, list[BenchmarkRun]] = {}
    for run in runs:
        found.setdefault(int(run.variant_id or 0), []).append(run)
    return found


def gone_on_from(session: Session, name: str) -> list[Variant]:
    """The variants that began from this one, oldest first."""
    return list(session.exec(select(Variant).where(Variant.start == f"variant:{name}").order_by(col(Variant.id))))


def targets_of(session: Session, names: Collection[str]) -> dict[str, str]:
    """Name → arm, of the variants among these."""
    return dict(session.exec(select(Variant.name, Variant.target).where(col(Variant.name).in_(names))).all())


def energy_of(session: Session, variants: Sequence[Variant]) -> dict[int, dict[str, Any]]:
    """Variant → the energy of its training job, where that was accounted for."""
    query = select(Variant.id, Job.energy).join(Job, col(Variant.job_id) == col(Job.id))
    query = query.where(col(Variant.id).in_([variant.id for variant in variants]))
    return {int(variant): energy for variant, energy in session.exec(query) if variant is not None and energy}
