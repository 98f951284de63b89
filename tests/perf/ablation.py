"""The paper's ablation, small: complex, simple and direct targets of the same problems (HuatuoGPT-o1, Table 3). By
hand:

    python -m tests.perf.ablation [--problems 1200] [--epochs 8] [--seeds 0 1 2] [--questions 0] [--verifier rule]

The embedded teacher searches reasoning for demo-medical problems; demo-llama is then trained on what was found, once an
arm with the same settings, and asked the held-out demo-medical questions. Everything lies in a folder thrown away
afterwards. Printed: solved problems by attempt and depth, rows and tokens of each arm, accuracies with interval and n,
and each pair of arms on the same questions (McNemar's exact test; over several seeds the paired difference of the
questions' means).

complex is every solved problem; complex-matched, simple and direct are the problems of which all three were verified.
Easy problems are answered at once more often: what is matched is easier than what is solved.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from lab.benchmarks._run import run_benchmark
from lab.benchmarks.specs import BenchmarkSpec
from lab.core.context import MemoryContext
from lab.core.types import ModelSource
from lab.stats.clustered import score
from lab.stats.paired import paired_scores
from lab.synthesis._reasoning import make_reasoning
from lab.synthesis.specs import ReasoningSpec
from lab.training._trl import train_sft
from lab.training.specs import SftSpec

BASE = "demo-llama"
# Arm → its file, and what of each row is taught.
ARMS = {"complex": ("complex", "trace"), "complex-matched": ("complex-matched", "trace"), "simple": ("simple", "trace"),
        "direct": ("direct", "answer")}
MAX_LENGTH = 448  # of the base's 512: the longest searched thinking with its question
MOST_ANSWERED = 320


@dataclass
class Told(MemoryContext):
    """A context that says what goes on."""

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)

    def log(self, message: str) -> None:
        print(f"  {message}", flush=True)


def found(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Reasoning of demo problems, and where it lies."""
    spec = ReasoningSpec(problems="demo-medical", max_items=given.problems, max_new_tokens=1024, ablation=True,
                         verifier=given.verifier, use_cache=False)
    return make_reasoning(spec, Told(folder / "reasoning"))


def trained(given: argparse.Namespace, folder: Path, arm: str, seed: int) -> ModelSource:
    stem, target = ARMS[arm]
    name = f"{arm}-s{seed}"
    # Each question once with its arms' own thinking: same base, steps by rows, and seed.
    spec = SftSpec(
        base=BASE, dataset=str(folder / "reasoning" / f"{stem}.jsonl"), target=target, seed=seed, name=name,
        method="lora", lora_r=64, lora_alpha=128, learning_rate=given.learning_rate, epochs=given.epochs, batch_size=16,
        micro_batch_size=16, max_length=MAX_LENGTH, health_probes=0,
    )
    context = Told(folder / name)
    result = train_sft(spec, context)
    told = {key: result.get(key) for key in ("n_rows", "n_tokens", "n_dropped", "n_steps", "final_loss", "seconds")}
    print(f"  {name}: {json.dumps(told)}")
    return ModelSource(ref=f"variant:{name}", label=name, base=BASE, folder=str(context.folder), kind="adapter",
                       arm=target, thinking_style="tags")


def answered(given: argparse.Namespace, folder: Path, source: ModelSource) -> dict[str, bool]:
    """Question → whether it was answered rightly."""
    context = Told(folder / f"benchmark-{source.label}", {source.ref: source})
    spec = BenchmarkSpec(model=source.ref, benchmark="demo-medical", max_new_tokens=MOST_ANSWERED,
                         max_questions=given.questions, check_overlap=False)
    run_benchmark(spec, context)
    rows = map(json.loads, (context.folder / "samples.jsonl").read_text(encoding="utf-8").splitlines())
    return {row["item_id"]: row["correct"] for row in rows}


def print_search(result: dict[str, Any]) -> None:
    funnel = result["funnel"]
    total = funnel["stages"][0]["n"]
    print("\nstages:", ", ".join(f"{stage['name']} {stage['n']}" for stage in funnel["stages"]))
    print("| attempt | depth | solved | share | so far |\n|---|---|---|---|---|")
    so_far = 0
    for solved in funnel["solved"]:
        so_far += solved["n"]
        share, all_shares = solved["n"] / total, so_far / total
        print(f"| {solved['attempt']} | {solved['depth']} | {solved['n']} | {share:.1%} | {all_shares:.1%} |")
    dropped = [f"{each['stage']}: {each['outcome']} {each['n']}" for each in funnel["dropped"]]
    print("dropped:", "; ".join(dropped) or "none")
    print("counts:", json.dumps(result["counts"]))


def print_arms(right: dict[str, np.ndarray], n_seeds: int) -> None:
    """`right`: arm → (questions, seeds), 0 or 1."""
    print("\n| arm | accuracy | 95 % interval | n | seeds |\n|---|---|---|---|---|")
    for arm, values in right.items():
        questions = np.repeat(np.arange(len(values)), values.shape[1])
        mean = score(values.ravel(), questions)
        print(f"| {arm} | {mean.estimate:.1%} | {mean.low:.1%} to {mean.high:.1%} | {len(values)} | "
              f"{values.shape[1]} |")
    print("\n| arms | difference | 95 % interval | only first | only second | p | test "
          "|\n|---|---|---|---|---|---|---|")
    for first, second in combinations(right, 2):
        pair = paired_scores(right[first].mean(axis=1), right[second].mean(axis=1))
        print(f"| {first} - {second} | {pair.difference:+.1%} | {pair.low:+.1%} to {pair.high:+.1%} | {pair.a_only} | "
              f"{pair.b_only} | {pair.p_value:.2g} | {pair.test} |")
    if n_seeds > 1:
        print("intervals are over questions; with few seeds they speak of these checkpoints, not of training in "
              "general")


def ablation(given: argparse.Namespace, folder: Path) -> None:
    print_search(found(given, folder))
    right: dict[str, list[list[bool]]] = {}
    base = answered(given, folder, ModelSource(ref=BASE, label=BASE, base=BASE))
    questions = sorted(base)
    right["base"] = [[base[question] for question in questions]] * len(given.seeds)
    for arm in given.arms:
        for seed in given.seeds:
            marks = answered(given, folder, trained(given, folder, arm, seed))
            right.setdefault(arm, []).append([marks[question] for question in questions])
            print(f"  {arm} s{seed}: {sum(marks.values())} of {len(marks)}", flush=True)
    print_arms({arm: np.array(marks, dtype=float).T for arm, marks in right.items()}, len(given.seeds))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=1200)
    parser.add_argument("--questions", type=int, default=0, help="of the benchmark; 0: all 300")
    parser.add_argument("--epochs", type=float, default=8)
    parser.add_argument("--learning-rate", type=float, default=0.002)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument("--verifier", default="", help="empty: the embedded teacher, wrong now and then; or rule")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="ablation-") as folder:
        ablation(given, Path(folder))


if __name__ == "__main__":
    main()
