"""The same SFT four ways, side by side: a raw PyTorch loop, the lab's job, plain TRL, LLaMA-Factory. Run by hand:

    python -m tests.perf.sft_speed [--turns 1] [--threads 2] [--steps 0] [--llamafactory PATH_TO_llamafactory-cli]

Demo base, LoRA r = 32 on all linear maps, 2,000 rows of demo-medical with traces, 2 epochs, batches of 24, float32.
The ways take turns, each in processes of its own, so that a load on the machine meets them all.

    raw            batches and order recorded from the lab's trainer; all else in plain PyTorch
    lab            submitted to a real worker with a warm start; no health probes, energy as the worker counts it
    trl            a script with SFTTrainer that reads the same prompts and completions as text
    llamafactory   its CLI on the same rows in alpaca form; its own template, so not quite the same tokens

Reported per way: seconds of training alone, by the clock and of the processor; seconds of the whole, from submit or
start of the process to the adapter on disk; mean loss. `raw` and `lab` are compared step by step. A busy machine
stretches seconds of the clock and, with several threads, those of the processor too: threads spin while they wait. Run
it on an idle one, or with --threads 1, where seconds of the processor hold.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SETTINGS: dict[str, Any] = {
    "base": "demo-llama", "dataset": "demo-medical", "target": "trace", "max_rows": 2000, "epochs": 2, "batch_size": 24,
    "micro_batch_size": 24, "lora_r": 32, "lora_alpha": 64, "learning_rate": 2e-3, "warmup_frac": 0.05, "seed": 0,
    "health_probes": 0, "checkpoint_every_s": 0,
}
PATIENCE_S = 3600.0
ROOT = Path(__file__).parents[2]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--turns", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=0, help="stop early; 0: two epochs")
    parser.add_argument("--llamafactory", default="", help="its CLI, in an environment of its own")
    asked = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": str(asked.threads), "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    settings = {**SETTINGS, "max_steps": asked.steps}
    with tempfile.TemporaryDirectory() as folder:
        found = compare(settings, Path(folder), asked.turns, asked.llamafactory)
    report(found, asked.threads)


def compare(settings: dict[str, Any], folder: Path, turns: int, llamafactory: str) -> dict[str, list[dict[str, Any]]]:
    """The figures of every way, a list of one dict a turn."""
    (folder / "settings.json").write_text(json.dumps(settings))
    child("record", folder)
    found: dict[str, list[dict[str, Any]]] = {}
    worker, store = start_worker(folder / "home")
    try:
        ways = {"raw": lambda: child("raw", folder), "lab": lambda: lab(store, settings),
                "trl": lambda: child("trl", folder)}
        if llamafactory:
            ways["llamafactory"] = lambda: factory(llamafactory, folder)
        for _ in range(turns):
            for way, run in ways.items():
                found.setdefault(way, []).append(run())
                said = {name: value for name, value in found[way][-1].items() if name != "losses"}
                print(way, json.dumps(said), flush=True)
    finally:
        worker.terminate()
        worker.wait()
    return found


def child(way: str, folder: Path) -> dict[str, Any]:
    """One way in a process of its own; what it printed last, with the seconds of the whole process."""
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-m", "tests.perf.sft_ways", way, str(folder)], cwd=ROOT,
                          capture_output=True, text=True, timeout=PATIENCE_S)
    if done.returncode:
        sys.exit(f"{way} failed:\n{done.stderr[-3000:]}")
    return {**json.loads(done.stdout.splitlines()[-1]), "whole_s": time.monotonic() - started}


def start_worker(home: Path) -> tuple[subprocess.Popen[bytes], Any]:
    """A real worker with a warm launcher that is ready, and its store."""
    from storage.database import open_store

    store = open_store(home=home)
    # A slot has its share of the cores: with more of them the job would have fewer threads than the other ways.
    slots = max(1, (os.cpu_count() or 1) // int(os.environ["OMP_NUM_THREADS"]))
    environment = {**os.environ, "LAB_HOME": str(home), "LAB_WARM": "on", "LAB_GPUS": "off", "LAB_SLOTS": str(slots)}
    worker = subprocess.Popen([sys.executable, "-m", "jobs", "worker"], stdout=subprocess.DEVNULL, env=environment)
    warmed = {**SETTINGS, "max_steps": 1, "max_rows": 24}
    lab(store, warmed)  # the first job waits for the warm launcher; it does not count
    return worker, store


def lab(store: Any, settings: dict[str, Any]) -> dict[str, Any]:
    """Submit to the worker and wait for the adapter: a job ends after it is on disk."""
    from jobs.queue import submit
    from storage.files import JobFolder
    from storage.queries.jobs import get_job
    from storage.tables import ENDED

    started = time.monotonic()
    queued = submit(store, "sft", settings).jobs[0]
    folder = JobFolder(store.home.absolute(queued.folder))
    while not (folder.artifacts / "adapter_model.safetensors").is_file():
        with store.read() as session:
            job = get_job(session, queued.id)
        if job.state in ENDED or time.monotonic() - started > PATIENCE_S:
            sys.exit(f"the lab's job {job.state}: {job.error}\n{folder.log.read_text()[-3000:]}")
        time.sleep(0.02)
    whole_s = time.monotonic() - started
    while True:
        with store.read() as session:
            job = get_job(session, queued.id)
        if job.state in ENDED:
            break
        time.sleep(0.1)
    result = json.loads(folder.result.read_text())
    curve = [json.loads(line)["loss"] for line in (folder.artifacts / "metrics.jsonl").read_text().splitlines()]
    return {"train_s": result["seconds"], "cpu_s": None, "whole_s": whole_s, "losses": curve,
            "mean_loss": statistics.fmean(curve)}


def factory(cli: str, folder: Path) -> dict[str, Any]:
    """LLaMA-Factory's CLI on the rows that `record` wrote in its form."""
    file = folder / "factory" / "run.yaml"
    started = time.monotonic()
    done = subprocess.run([cli, "train", str(file)], capture_output=True, text=True, timeout=PATIENCE_S,
                          cwd=file.parent, env={**os.environ, "DISABLE_VERSION_CHECK": "1", "PYTHONPATH": ""})
    if done.returncode:
        sys.exit(f"LLaMA-Factory failed:\n{done.stderr[-3000:]}")
    whole_s = time.monotonic() - started
    found = json.loads((file.parent / "out" / "train_results.json").read_text())
    return {"train_s": found["train_runtime"], "cpu_s": None, "whole_s": whole_s, "mean_loss": found["train_loss"]}


def report(found: dict[str, list[dict[str, Any]]], threads: int) -> None:
    def middle(way: str, figure: str) -> float | None:
        values = [run[figure] for run in found[way] if run.get(figure) is not None]
        return statistics.median(values) if values else None

    raw_s = middle("raw", "train_s") or 1.0
    lab_s = middle("lab", "whole_s") or 1.0
    print(f"\n{threads} threads, load at the end {os.getloadavg()[0]:.1f}, {len(os.sched_getaffinity(0))} cores")
    print("| way | training s | to raw | whole s | to the lab | mean loss |\n|---|---:|---:|---:|---:|---:|")
    for way in found:
        train_s, whole_s = middle(way, "train_s") or 0.0, middle(way, "whole_s") or 0.0
        print(f"| {way} | {train_s:.1f} | {train_s / raw_s:.2f} | {whole_s:.1f} | {whole_s / lab_s:.2f} | "
              f"{middle(way, 'mean_loss'):.4f} |")
    pairs = zip(found["raw"][0]["losses"], found["lab"][0]["losses"], strict=True)
    print(f"\nlargest difference of a step's loss between raw and lab: {max(abs(a - b) for a, b in pairs):.1e}")


if __name__ == "__main__":
    main()
