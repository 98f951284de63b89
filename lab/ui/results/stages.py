"""The stages of a curriculum in their order: what each is, what it went on from, how far it is, what it was measured
at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.studies.curriculum import BASE, CurriculumSpec
from lab.ui.components.health import health_flag
from lab.ui.components.html import chip, interval_bar, link, percent, state_badge
from lab.ui.components.markup import Html, join, tag
from lab.ui.components.table import Column, Row, table
from lab.ui.kinds import kind_words
from storage.queries.studies import get_study, list_variants, study_jobs

if TYPE_CHECKING:
    from lab.reports.build import Level, StudyReport
    from storage.database import Session
    from storage.tables import Job, Study, Variant

MOST_STAGES = 100


@dataclass(frozen=True)
class Stages:
    """What the store has of a curriculum: its spec, the newest job of each stage by name, the variants they left."""

    spec: CurriculumSpec
    jobs: Mapping[str, Job]
    variants: Mapping[int, Variant]


def read_stages(session: Session, study_id: int) -> Stages | None:
    """None for a study that is a grid."""
    study: Study = get_study(session, study_id)
    if study.kind != CurriculumSpec.kind:
        return None
    jobs = {job.name: job for job in study_jobs(session, study_id)}
    variants, _ = list_variants(session, study_id=study_id, limit=MOST_STAGES)
    return Stages(CurriculumSpec.model_validate(study.spec), jobs, {each.job_id: each for each in variants})


def stages_table(found: Stages, report: StudyReport) -> Html:
    """One row a stage, in the order of training; the base's own accuracy stands before the first."""
    columns = [Column("No.", number=True), Column("Stage", wide=True), Column("Went on from"), Column("State"),
               *(Column(f"Accuracy, {benchmark}") for benchmark in report.benchmarks)]
    levels = {(level.run.model, level.run.benchmark): level for level in report.levels if not level.run.asked_words}
    spec = found.spec
    rows = [_base(spec, levels, report.benchmarks)]
    rows += [_stage(found, index, levels, report.benchmarks) for index in range(len(spec.stages))]
    title = tag("h2", f"{spec.name}: {len(spec.stages)} stages on {spec.base}")
    return tag("section", title, table(columns, rows, caption="Stages"), cls="stages")


Levels = Mapping[tuple[str, str], "Level"]


def _base(spec: CurriculumSpec, levels: Levels, benchmarks: Sequence[str]) -> Row:
    name = spec.start.removeprefix("variant:") or spec.base
    cells = [_accuracy(levels.get((name, benchmark))) for benchmark in benchmarks]
    return Row(["", chip(name), "", tag("span", "where it begins", cls="missing"), *cells])


def _stage(found: Stages, index: int, levels: Levels, benchmarks: Sequence[str]) -> Row:
    spec, stage = found.spec, found.spec.stages[index]
    job = found.jobs.get(spec.variant_name(index))
    variant = found.variants.get(job.id) if job and job.id is not None else None
    about = tag("small", kind_words(stage.kind))
    if variant is not None:
        name = link(f"/models?variant={variant.name}", chip(variant.name, variant.target))
        title = join([tag("b", stage.name), " ", name, " ", health_flag(variant.health), about])
    else:
        title = join([tag("b", stage.name), about])
    state = link(f"/jobs?id={job.id}", state_badge(job.state)) if job else tag("span", "not planned", cls="missing")
    before = spec.started_from(index)
    label = variant.name if variant else spec.variant_name(index)
    cells = [_accuracy(levels.get((label, benchmark))) for benchmark in benchmarks]
    return Row([index + 1, title, "the base" if before == BASE else before, state, *cells])


def _accuracy(level: Level | None) -> Html:
    if level is None:
        return tag("span", "–", cls="missing", title="not measured")
    reach = f"{100 * level.low:.1f} to {100 * level.high:.1f} · n {level.n}"
    bar = interval_bar(level.low, level.accuracy, level.high, level.run.arm)
    return tag("span", tag("b", percent(level.accuracy)), " ", bar, tag("small", reach), cls="bench")
