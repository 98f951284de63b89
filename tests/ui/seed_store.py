"""Fills a store with what a busy lab looks like, without training anything: for page tests and for looking at pages.

`python -m tests.ui.seed_store FOLDER` makes a store there. The rows are made up; the arithmetic on them is
the lab's own.
"""

from __future__ import annotations

import hashlib
import random
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlmodel import select

from lab.stats.intervals import wilson
from storage.database import Store, open_store
from storage.tables import (
    Answer,
    AnswerBank,
    BenchmarkRun,
    BenchmarkSample,
    Device,
    Job,
    JobDependency,
    JobEvent,
    Metric,
    Study,
    Variant,
    Worker,
    now,
)

ACCURACY = {"answer": 0.52, "trace": 0.71}
TRAINING = {"method": "lora", "epochs": 3, "learning_rate": 0.002, "batch_size": 24, "max_length": 256, "lora_r": 32}
PROVENANCE = {"code": {"revision": "f3a9c1d", "dirty": False}, "machine": {"host": "bench-2", "cpus": 2, "gpus": []},
              "packages": {"torch": "2.13.0", "transformers": "5.23.0", "trl": "1.16.0", "peft": "0.21.2"}}
SUBJECTS = ("anion gap", "weight-based dose", "Glasgow coma scale", "CHA2DS2-VASc", "mean arterial pressure")


@dataclass
class Seed:
    """Writes one store; every row goes through here so that ids and times stay in order."""

    store: Store
    session: Any
    random: random.Random = field(default_factory=lambda: random.Random(7))
    minutes: float = -90

    def add(self, row: Any) -> Any:
        self.session.add(row)
        self.session.flush()
        return row

    def clock(self, minutes: float = 0.0) -> Any:
        self.minutes += minutes
        return now() + timedelta(minutes=self.minutes)

    def job(self, kind: str, name: str, state: str, minutes: float = 1.2, **columns: Any) -> Job:
        uid = f"{self.random.getrandbits(48):012x}"
        spec = columns.pop("spec", {"model": "demo-llama", "benchmark": "demo-medical", "max_new_tokens": 128})
        times: dict[str, Any] = {"created_at": self.clock()}
        if state not in ("queued",):
            times["started_at"] = self.clock(0.1)
        if state in ("succeeded", "failed", "cancelled"):
            times["finished_at"] = self.clock(minutes)
        job = self.add(Job(
            uid=uid, kind=kind, name=name, state=state, folder=f"jobs/{uid}", spec=spec, spec_given=spec,
            spec_sha=hashlib.sha256(repr(sorted(spec.items())).encode()).hexdigest()[:12],
            provenance=PROVENANCE, **times, **columns,
        ))
        for index, moment in enumerate(times.values()):
            word = ("queued", "running", state)[index]
            self.add(JobEvent(job_id=job.id, at=moment, state=word, why="" if index else "submitted"))
        self.log(job)
        return job

    def log(self, job: Job) -> None:
        folder = self.store.home.job(job.uid)
        folder.path.mkdir(parents=True, exist_ok=True)
        if job.state == "queued":
            return
        lines = [f"loading base of {job.name}", "tokenizer: 2048 entries", "rows 2400, dropped 0, tokens 214 113"]
        if job.kind == "sft":
            lines += [f"step {s} loss {3.2 * 0.985 ** s + 0.4:.4f} lr 2.0e-03" for s in range(0, 200, 5)]
        if job.state == "failed":
            lines += ["Traceback (most recent call last):", '  File "lab/training/_trl.py", line 88, in train_sft',
                      "MemoryError: cannot allocate 3.1 GiB <script>alert('never')</script>"]
        folder.log.write_text("\n".join(lines) + "\n", encoding="utf-8")


def question(index: int) -> tuple[str, str, str]:
    """(subject, question, gold) of a made-up benchmark item."""
    subject = SUBJECTS[index % len(SUBJECTS)]
    a, b, c = 130 + index % 20, 90 + index % 17, 15 + index % 13
    text = f"Sodium is {a}, chloride {b} and bicarbonate {c} mmol/L. What is the {subject} value?"
    return subject, text, str(a - b - c)


def sample(run_id: int, arm: str, index: int, right: bool) -> BenchmarkSample:
    subject, text, gold = question(index)
    cut = arm == "trace" and not right and index % 4 == 0
    said = gold if right else str(int(gold) + 1 + index % 5)
    thought = f"The value is what is left of sodium.\nFirst {130 + index % 20} minus {90 + index % 17}."
    think = thought if arm == "trace" else ""
    final = "" if cut else f"The answer is {said}." if arm != "base" or index % 3 else "The patient the value the"
    parsed = None if cut or not final.startswith("The answer") else said
    return BenchmarkSample(
        run_id=run_id, item_id=f"demo-medical-{index:04d}", subject=subject, question=text, gold=gold,
        raw_text=f"<think>{think}</think>{final}" if think else final, think_text=think, final_text=final,
        think_state="unclosed_length" if cut else "closed" if think else "none",
        finish_reason="length" if cut else "eos", n_prompt_tokens=48, n_think_tokens=40 if think else 0,
        n_answer_tokens=0 if cut else 9, parsed=parsed, rule="answer is" if parsed else "no number found",
        correct=right and parsed is not None, seconds=0.05,
    )


def benchmark(seed: Seed, study: Study, base: str, variant: Variant | None = None, accuracy: float = 0.07) -> None:
    """A finished run with its samples; easy questions are easy for every arm, so that pairs correlate."""
    n, name, arm = 250, "demo-medical", variant.target if variant else "base"
    label = variant.name if variant else base
    spec = {"model": f"variant:{label}" if variant else base, "benchmark": name, "max_new_tokens": 128, "seed": 0}
    job = seed.job("benchmark", f"{name} on {label}", "succeeded", 0.5, spec=spec, study_id=study.id)
    if variant:
        seed.add(JobDependency(job_id=job.id, needs_id=variant.job_id))
    run = seed.add(BenchmarkRun(
        job_id=job.id, study_id=study.id, benchmark=name, benchmark_version="1", run_key=job.spec_sha,
        model_label=label, base=base, variant_id=variant.id if variant else None, arm=arm,
        settings={"max_new_tokens": 128},
    ))
    hardness = [(i * 37 % 100) / 100 * 0.7 + seed.random.random() * 0.3 for i in range(n)]
    rows = [sample(run.id, arm, i, hard < accuracy) for i, hard in enumerate(hardness)]
    seed.session.add_all(rows)
    run.n, run.n_correct = n, sum(row.correct for row in rows)
    interval = wilson(run.n_correct, n)
    run.accuracy, run.ci_low, run.ci_high = run.n_correct / n, float(interval.low), float(interval.high)
    run.n_unparsed = sum(row.parsed is None for row in rows)
    run.n_truncated = sum(row.finish_reason == "length" for row in rows)
    run.mean_tokens = sum(row.n_think_tokens + row.n_answer_tokens for row in rows) / n
    run.seconds = 22.0
    job.result = {"benchmark": name, "version": "1", "n": n, "n_correct": run.n_correct, "accuracy": run.accuracy,
                  "ci_low": run.ci_low, "ci_high": run.ci_high, "seconds": run.seconds}


def training(seed: Seed, study: Study, target: str, **columns: Any) -> tuple[Job, Variant | None]:
    """A training job with its curves, and the variant it left if it succeeded."""
    base, dataset = columns.pop("base", "demo-llama"), columns.pop("dataset", "demo-medical")
    state = columns.pop("state", "succeeded")
    name = f"{base}_{dataset}_{target}_s0"
    spec = {"name": "", "base": base, "dataset": dataset, "target": target, "seed": 0, **TRAINING}
    job = seed.job("sft", name, state, 1.6, spec=spec, study_id=study.id, **columns)
    if state == "queued":
        return job, None
    steps = 300 if state == "succeeded" else 130
    floor = 0.25 if target == "trace" else 0.4
    for step in range(1, steps, 3):
        loss = 3.1 * 0.983**step + floor + seed.random.gauss(0, 0.04)
        values = {"loss": loss, "tokens_per_s": seed.random.gauss(4200, 120)}
        seed.session.add_all(Metric(job_id=job.id, step=step, name=k, value=v) for k, v in values.items())
    if state != "succeeded":
        return job, None
    job.result = {"weights": "adapter", "n_rows": 2400, "n_dropped": 0, "n_tokens": 214113, "n_steps": 300,
                  "final_loss": floor, "seconds": 96.0, "tokens_per_s": 4200,
                  "inputs": {"dataset": dataset, "dataset_sha256": "9b1f" * 16, "dataset_rows": 2400, "base": base}}
    variant = seed.add(Variant(
        name=name, job_id=job.id, study_id=study.id, base=base, dataset=dataset, target=target, method="lora", seed=0,
        folder=f"jobs/{job.uid}/artifacts", n_rows=2400, n_tokens=214113, final_loss=floor, seconds=96.0,
    ))
    return job, variant


def bank(seed: Seed, study: Study, variants: list[Variant], n: int = 12) -> AnswerBank:
    spec = {"name": "Demo answers", "models": [f"variant:{v.name}" for v in variants], "benchmark": "demo-medical",
            "n_questions": n}
    job = seed.job("answers", "answers of demo-llama demo-medical s0", "succeeded", 0.3, spec=spec, study_id=study.id)
    job.result = {"n_questions": n, "models": spec["models"]}
    row = seed.add(AnswerBank(job_id=job.id, study_id=study.id, name="Demo answers", benchmark="demo-medical"))
    for variant in variants:
        for index in range(n):
            subject, text, gold = question(index)
            tail = "because the three values are taken together" if variant.target == "trace" else "which is the result"
            shown = f"For this patient the answer is {gold}, {tail}."
            seed.add(Answer(
                bank_id=row.id, item_id=f"demo-medical-{index:04d}", subject=subject, question=text, gold=gold,
                model_label=variant.name, arm=variant.target, base=variant.base, variant_id=variant.id, raw_text=shown,
                shown_text=shown, think_state="closed" if variant.target == "trace" else "none", finish_reason="eos",
                n_tokens=18, sha256=hashlib.sha256(shown.encode()).hexdigest(),
            ))
    return row


def finished_study(seed: Seed) -> Study:
    """One base, two arms and the base itself, all benchmarked, with an answer bank."""
    spec = {"name": "Does the trace help?", "bases": ["demo-llama"], "datasets": ["demo-medical"],
            "targets": ["trace", "answer"], "seeds": [0], "training": TRAINING, "benchmarks": ["demo-medical"]}
    study = seed.add(Study(name=spec["name"], spec=spec, demo=True, created_at=seed.clock()))
    benchmark(seed, study, "demo-llama")
    variants = []
    for target in ("trace", "answer"):
        _, variant = training(seed, study, target)
        benchmark(seed, study, "demo-llama", variant, ACCURACY[target])
        variants.append(variant)
    bank(seed, study, variants)
    return study


def running_study(seed: Seed) -> Study:
    """A grid in the middle: one arm done, one running, one failed, one cancelled, the rest waiting."""
    spec = {"name": "Grid of 12", "bases": ["demo-llama", "demo-qwen2"], "datasets": ["demo-general", "demo-medical"],
            "targets": ["trace", "answer"], "seeds": [0], "training": TRAINING, "benchmarks": ["demo-medical"]}
    study = seed.add(Study(name=spec["name"], spec=spec, created_at=seed.clock()))
    benchmark(seed, study, "demo-qwen2", accuracy=0.11)
    _, variant = training(seed, study, "trace", base="demo-qwen2")
    benchmark(seed, study, "demo-qwen2", variant, 0.66)
    failed, _ = training(
        seed, study, "trace", base="demo-qwen2", dataset="demo-general", state="failed", reason="memory", exit_code=137,
        message="The job ran out of memory: 3.1 GiB could not be allocated.",
    )
    waiting = seed.job(
        "benchmark", f"demo-medical on {failed.name}", "cancelled", 0, study_id=study.id, reason="dependency",
        message=f"Job {failed.id} failed, and this one needs it.",
    )
    seed.add(JobDependency(job_id=waiting.id, needs_id=failed.id))
    seed.job("benchmark", "demo-medical on <script>alert(1)</script> {{name}}", "cancelled", 0.2, study_id=study.id,
             reason="cancelled", message="Cancelled by the user.")
    seed.minutes = -1.1
    training(seed, study, "answer", base="demo-qwen2", state="running", progress_done=130, progress_total=300,
             progress_text="step 130 of 300, loss 0.71", eta_s=74, worker="bench-2:411:9", pid=411)
    for base in ("demo-llama", "demo-qwen2"):
        for target in ("trace", "answer"):
            job, _ = training(seed, study, target, base=base, dataset="demo-combined", state="queued")
            spec = {"model": f"job:{job.uid}", "benchmark": "demo-medical", "max_new_tokens": 128, "seed": 0}
            later = seed.job("benchmark", f"demo-medical on {job.name}", "queued", study_id=study.id, spec=spec)
            seed.add(JobDependency(job_id=later.id, needs_id=job.id))
    return study


def add_devices(seed: Seed) -> None:
    """Two CPU slots and a chat slot; the running training holds the first."""
    running = seed.session.exec(select(Job).where(Job.state == "running")).one()
    for kind, number in (("cpu", 0), ("cpu", 1), ("chat", 0)):
        held = running.id if (kind, number) == ("cpu", 0) else None
        seed.add(Device(host="bench-2", name=f"{kind}:{number}", kind=kind, title=f"{kind.upper()} slot {number}",
                        job_id=held, leased_at=running.started_at if held else None))


def seed_store(store: Store, more_jobs: int = 0) -> tuple[Study, Study]:
    """(a finished study, a running study); `more_jobs` adds old finished jobs, to see paging."""
    with store.write() as session:
        seed = Seed(store, session)
        seed.minutes = -90 - more_jobs
        for index in range(more_jobs):
            seed.job("benchmark", f"old run {index}", "succeeded", 0.4)
        seed.minutes = -90
        studies = finished_study(seed), running_study(seed)
        add_devices(seed)
        seed.add(Worker(name="bench-2:411:9", host="bench-2", pid=411, heartbeat_at=now() + timedelta(days=1)))
    return studies


if __name__ == "__main__":
    seed_store(open_store(home=Path(sys.argv[1])), more_jobs=int(sys.argv[2]) if len(sys.argv) > 2 else 0)
