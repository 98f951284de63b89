"""What a job's result becomes in the store: a variant, a benchmark run with its samples, an answer bank, what a judge
or a measurement says of the texts of a round, and where the datasets lie that a synthesis has made.

One handler a kind. A kind without a handler keeps its result on the job's row and nothing else.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlmodel import Session, select

from jobs.judged import store_verdicts
from jobs.made_data import KINDS as MADE
from jobs.made_data import KeptData, keep_datasets, store_datasets
from jobs.references import TRAINING_KINDS
from jobs.round_votes import store_measures, store_votes
from lab.benchmarks.specs import PASTED
from storage.files import JobFolder
from storage.queries.jobs import find_job
from storage.tables import Answer, AnswerBank, BenchmarkRun, BenchmarkSample, Job, Variant

ROW_FILES = {"benchmark": "samples.jsonl", "suite": "samples.jsonl", "answers": "answers.jsonl",
             "judge": "verdicts.jsonl", "rounds-judge": "votes.jsonl", "measure": "measures.jsonl"}
RUN_COLUMNS = (
    "part", "benchmark", "run_key", "settings", "n", "n_correct", "accuracy", "ci_low", "ci_high", "n_unparsed",
    "n_truncated", "mean_tokens", "seconds", "mode", "scorer", "scorer_version", "figures",
)


@dataclass(frozen=True)
class Ended:
    """A finished job's files, read before the transaction begins."""

    result: dict[str, Any]
    rows: list[dict[str, Any]] = field(default_factory=list)
    data: KeptData | None = None  # the datasets of a synthesis, already in their place


def read_ended(folder: JobFolder, kind: str) -> Ended:
    """The result, and the rows of the kinds that leave some; datasets are copied to where they stay."""
    result = json.loads(folder.result.read_text(encoding="utf-8"))
    rows = _read_rows(folder.artifacts / ROW_FILES[kind]) if kind in ROW_FILES else []
    return Ended(result, rows, keep_datasets(folder, kind, result) if kind in MADE else None)


def _read_rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def store_result(session: Session, job: Job, ended: Ended) -> None:
    handler = HANDLERS.get(job.kind)
    if handler:
        handler(session, job, ended)


def _variant(session: Session, job: Job, ended: Ended) -> None:
    """What any training job leaves. Its arm is its own target, or that of the model it began from."""
    spec, result = job.spec, ended.result
    session.add(Variant(
        name=_unused_name(session, job.name), job_id=job.id, study_id=job.study_id, kind=job.kind,
        base=spec["base"], dataset=spec.get("dataset") or spec["pairs"], target=_arm(session, spec),
        start=_start_name(session, spec.get("start", "")), method=spec["method"], seed=spec["seed"],
        folder=f"{job.folder}/artifacts", **{name: result.get(name) for name in (
            "weights", "n_rows", "n_dropped", "n_tokens", "final_loss", "seconds", "health",
        )}, thinking_style=result.get("thinking_style", ""), template_sha=result.get("template_sha", ""),
    ))


def _arm(session: Session, spec: dict[str, Any]) -> str:
    """The colour of a variant: what its examples taught. Preferences and rewards go on from what was taught before."""
    if "target" in spec:
        return str(spec["target"])
    variant_id = _variant_id(session, spec.get("start", ""))
    return session.get_one(Variant, variant_id).target if variant_id else "trace"


def _start_name(session: Session, ref: str) -> str:
    """'variant:<name>' also where the spec named a job: jobs may be deleted, and names are what people read."""
    variant_id = _variant_id(session, ref)
    return f"variant:{session.get_one(Variant, variant_id).name}" if variant_id else ""


def _unused_name(session: Session, name: str) -> str:
    """The name itself, or with '-2', '-3'… when another variant has it."""
    taken = set(session.exec(select(Variant.name).where(Variant.name.startswith(name, autoescape=True))))
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{name}-{number}"
    return candidate


def _benchmark_runs(session: Session, job: Job, ended: Ended) -> None:
    """Every run that a benchmark or a suite leaves; one of an older program left its only run as the result itself."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in ended.rows:
        rows[row.get("part", "")].append(row)
    runs = ended.result.get("runs") or [ended.result]
    for found in runs:
        _benchmark_run(session, job, found, rows[found.get("part", "")])
    job.result = _in_short(ended.result, runs)


def _in_short(result: dict[str, Any], runs: list[dict[str, Any]]) -> dict[str, Any]:
    """What stays on the job's own row: its runs hold the rest, and prompts are long."""
    kept = {name: value for name, value in result.items() if name not in ("figures", "runs")}
    named = ("part", "benchmark", "n", "accuracy", "ci_low", "ci_high")
    short = [{name: run[name] for name in named if name in run} | {"model": run["model"]["label"]} for run in runs]
    return kept | ({"runs": short} if len(runs) > 1 else {})


def _benchmark_run(session: Session, job: Job, found: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    model = found["model"]
    figures = {name: found[name] for name in RUN_COLUMNS if name in found}
    run = BenchmarkRun(
        job_id=job.id, study_id=job.study_id, benchmark_version=found["version"], model_label=model["label"],
        base=model["base"], arm=model["arm"], variant_id=_variant_id(session, model["ref"]), **figures,
    )
    session.add(run)
    session.flush()
    session.add_all(BenchmarkSample(run_id=run.id, **_known(row)) for row in rows)


def _known(row: dict[str, Any]) -> dict[str, Any]:
    """What there is a column for. A row of an older job lacks some, one of a newer program may have more."""
    return {name: value for name, value in row.items() if name in BenchmarkSample.model_fields}


def _answer_bank(session: Session, job: Job, ended: Ended) -> None:
    spec = job.spec
    bank = AnswerBank(
        job_id=job.id, study_id=job.study_id, name=spec["name"], settings=ended.result["settings"],
        benchmark=spec["benchmark"] or spec.get("dataset") or PASTED,
    )
    session.add(bank)
    session.flush()
    for row in ended.rows:
        columns = {name: value for name, value in row.items() if name in Answer.model_fields}
        session.add(Answer(**columns, bank_id=bank.id, variant_id=_variant_id(session, row["model_ref"])))


def _variant_id(session: Session, ref: str) -> int | None:
    """The variant a reference means; None for a base."""
    if ref.startswith("variant:"):
        return session.exec(select(Variant.id).where(Variant.name == ref.removeprefix("variant:"))).first()
    if ref.startswith("job:"):
        job = find_job(session, ref)
        return session.exec(select(Variant.id).where(Variant.job_id == job.id)).first() if job else None
    return None


HANDLERS: dict[str, Callable[[Session, Job, Ended], None]] = {
    **dict.fromkeys(TRAINING_KINDS, _variant),
    "benchmark": _benchmark_runs,
    "suite": _benchmark_runs,
    "judge": store_verdicts,
    "answers": _answer_bank,
    "rounds-judge": store_votes,
    "measure": store_measures,
    **dict.fromkeys(MADE, store_datasets),
}
