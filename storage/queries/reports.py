"""From stored runs to the plain records a report is made of. Reads only; no answer texts are loaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from lab.reports.asked import titled
from lab.reports.build import StudyReport, build_report
from lab.reports.curve import Curve, curve_of
from lab.reports.leaderboard import Leaderboard, leaderboard
from lab.reports.records import Fluency, ModelRun, Pending, Preference, Sample
from storage.queries.benchmarks import get_run, latest_runs
from storage.queries.ratings import round_models
from storage.queries.round_results import round_levels
from storage.queries.studies import get_study, health_of, lineage, study_jobs
from storage.tables import AnswerBank, BenchmarkRun, BenchmarkSample, Round, Variant

ASKED_AT_ONCE = 500  # SQLite binds a limited number of values in one statement


def study_report(session: Session, study_id: int) -> StudyReport:
    """Everything a study has shown so far, ratings of its closed rounds included."""
    study = get_study(session, study_id)
    runs = model_runs(session, latest_runs(session, study_id))
    health = {name: found["failed"] for name, found in health_of(session, {run.model for run in runs}).items()}
    return build_report(study.name, runs, pending(session, study_id), rated(session, study_id), health)


def report_token(session: Session, study_id: int) -> str:
    """Differs whenever the study's report would: a cheap look before an expensive one."""
    runs = session.exec(
        select(func.count(), func.max(BenchmarkRun.id)).where(BenchmarkRun.study_id == study_id)
    ).one()
    closed = session.exec(
        select(func.count()).select_from(Round).join(AnswerBank)
        .where(AnswerBank.study_id == study_id, Round.state == "closed")
    ).one()
    states = "".join(item.state[0] for item in pending(session, study_id))
    return f"{runs[0]}-{runs[1]}-{closed}-{states}"


def study_leaderboard(
    session: Session, study_id: int | None = None, benchmark: str | None = None, base: str | None = None
) -> Leaderboard:
    """The newest runs, ranked as far as they can be told apart; of a study, a benchmark or a base, or all there are."""
    runs = [run for run in latest_runs(session, study_id, benchmark) if base is None or run.base == base]
    return leaderboard(model_runs(session, runs))


def read_curves(session: Session, run_ids: Sequence[int]) -> list[Curve]:
    """The budget curve that each of these runs is, or is a point of; in their order, each once. A run without a curve
    is a curve of one point."""
    asked = [get_run(session, run_id) for run_id in run_ids]
    named = dict.fromkeys((run.job_id, run.figures.get("curve", {}).get("of", run.part)) for run in asked)
    rows = list(session.exec(select(BenchmarkRun).where(
        col(BenchmarkRun.job_id).in_({job_id for job_id, _ in named})).order_by(col(BenchmarkRun.id))))
    found = []
    for job_id, of in named:
        own = [run for run in rows if run.job_id == job_id]
        main = [run for run in own if run.part == of and "curve" not in run.figures]
        parts = [run for run in own if run.figures.get("curve", {}).get("of") == of]
        if main:  # until the job's own run is in, there is nothing for the points to be beside
            first, *others = model_runs(session, [*main, *parts])
            found.append(curve_of(first, others))
    return found


def model_runs(session: Session, runs: Sequence[BenchmarkRun]) -> list[ModelRun]:
    """Each run with what its variant was trained on and its samples reduced to what is counted."""
    samples = _samples(session, [run.id for run in runs if run.id is not None])
    wanted = {run.variant_id for run in runs if run.variant_id is not None}
    variants = {v.id: v for v in session.exec(select(Variant).where(col(Variant.id).in_(wanted)))}
    stages = {v.id: len(lineage(session, v)) for v in variants.values() if v.start}
    return [_model_run(run, variants.get(run.variant_id), samples.get(run.id, []), stages) for run in runs]


def _model_run(
    run: BenchmarkRun, variant: Variant | None, samples: list[Sample], stages: dict[int | None, int]
) -> ModelRun:
    trained: dict[str, Any] = {} if variant is None else {
        "dataset": variant.dataset, "seed": variant.seed, "method": variant.kind,
        "start": variant.start.removeprefix("variant:"), "n_stages": stages.get(variant.id, 1),
    }
    return ModelRun(
        model=run.model_label, base=run.base, arm=run.arm, benchmark=run.benchmark,
        benchmark_version=run.benchmark_version, samples=tuple(samples), settings={**run.settings, "mode": run.mode},
        seconds=run.seconds, run_id=run.id, mode=run.mode, part=run.part, scorer=run.scorer,
        scorer_version=run.scorer_version, figures=run.figures, **trained,
    )


def _samples(session: Session, run_ids: Sequence[int]) -> dict[int, list[Sample]]:
    table = BenchmarkSample
    found: dict[int, list[Sample]] = {}
    for start in range(0, len(run_ids), ASKED_AT_ONCE):
        query = select(
            table.run_id, table.item_id, table.correct, table.parsed, table.finish_reason, table.n_think_tokens,
            table.n_answer_tokens, table.epoch, table.cluster, table.rotation, table.overlap, table.gold,
            table.think_state,
        ).where(col(table.run_id).in_(run_ids[start:start + ASKED_AT_ONCE])).order_by(col(table.id))
        for row in session.exec(query):  # type: ignore[call-overload]  # more columns than its overloads count
            found.setdefault(row.run_id, []).append(_sample(row))
    return found


def _sample(row: Any) -> Sample:
    return Sample(
        row.item_id, row.correct, row.parsed is not None, row.finish_reason == "length",
        row.n_think_tokens + row.n_answer_tokens, row.epoch, row.cluster, row.rotation, row.overlap, row.gold,
        row.parsed, row.think_state.startswith("unclosed"), row.think_state == "forced",
    )


def pending(session: Session, study_id: int) -> list[Pending]:
    """Benchmark runs of the study without a result: the newest attempt at each, and where it stands."""
    jobs = [job for job in study_jobs(session, study_id) if job.kind == "benchmark"]
    succeeded = {job.spec_sha for job in jobs if job.state == "succeeded"}
    newest = {job.spec_sha: job for job in jobs if job.spec_sha not in succeeded}
    found = []
    for job in newest.values():
        benchmark, _, model = job.name.partition(" on ")
        found.append(Pending(titled(model or str(job.spec.get("model", job.name)), job.spec), benchmark, job.state))
    return found


def rated(session: Session, study_id: int) -> tuple[list[Fluency], list[Preference]]:
    """Mean fluency of each model and the preference between two, from every closed round of the study's banks."""
    query = select(Round).join(AnswerBank).where(AnswerBank.study_id == study_id, Round.state == "closed")
    fluency, preferences = [], []
    for the_round in session.exec(query.order_by(col(Round.id))):
        levels, models = round_levels(session, the_round), round_models(session, the_round)
        for face, mean in levels.means.items():
            model = models[face]
            fluency.append(Fluency(the_round.name, face, model.base, model.arm, mean.estimate, mean.low, mean.high,
                                   mean.n))
        preferences += [Preference(the_round.name, a, b, rate.estimate, rate.low, rate.high, rate.n)
                        for (a, b), rate in levels.rates.items()]
    return fluency, preferences
