"""Build the embedded bases from nothing: `python -m lab.bases.demo.build [NAME] [--steps N]`.

Everything follows from the design's seed and the number of steps; a killed build resumes from its last checkpoint.
The result (weights, tokenizer, template) goes to lab/bases/demo/NAME/ and its record to lab/bases/demo/NAME.yaml.
"""

from __future__ import annotations

import argparse
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch
import yaml

from lab.bases.demo.designs import DESIGNS, HERE, Design
from lab.bases.demo.models import build_model
from lab.bases.demo.probes import probe
from lab.bases.demo.tokenizers import build_tokenizer
from lab.bases.demo.training import B, Progress, Stage, T, pretrain, stages
from lab.core.context import write_json
from lab.core.registry import Registry

STEPS = 7000
PROBE_EVERY = 1000
NOTES = (
    "A toy of a million parameters with the skills of a pocket calculator: not for clinical use. "
    "For LoRA at this size use r=64, alpha=128, all-linear, a learning rate of about 2e-3 and a cosine schedule."
)


@dataclass(frozen=True)
class Folders:
    """Where a build works and where it leaves its result."""

    work: Path
    out: Path


def build(design: Design, plan: tuple[Stage, ...], folders: Folders, n_probe: int = 300) -> Progress:
    """Train one base to the end (or on from its checkpoint) and write folder and card."""
    folders.work.mkdir(parents=True, exist_ok=True)
    tokenizer = build_tokenizer(design)
    model = build_model(design, tokenizer)
    steps = sum(stage.steps for stage in plan)
    for at in pretrain(design, model, tokenizer, plan, folders.work / f"{design.name}.pt"):
        print(f"{design.name} step {at.step}/{steps} loss {at.losses[-1][1]} {at.seconds:.0f} s", flush=True)
        if at.step % PROBE_EVERY == 0 and at.step < steps:
            print(f"{design.name} step {at.step} probes {probe(design, model, tokenizer, 100)}", flush=True)
            write(design, model, tokenizer, folders.work / "latest")
    write(design, model, tokenizer, folders.work / "done")
    record = training_record(at, plan, probe(design, model, tokenizer, n_probe))
    write_json(folders.work / "record.json", record)
    n_parameters = sum(parameter.numel() for parameter in model.parameters())
    publish(design, folders, card(design, n_parameters, record))
    return at


def write(design: Design, model: torch.nn.Module, tokenizer: object, folder: Path) -> None:
    """The folder as plain transformers reads it."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)  # type: ignore[operator]
    tokenizer.save_pretrained(folder)  # type: ignore[attr-defined]


def training_record(at: Progress, plan: tuple[Stage, ...], probes: dict[str, float]) -> dict[str, object]:
    """What the card keeps about the run."""
    return {
        "data": "lab.bases.demo.pretraining_text (procedural; primitive skills, reading, phrasing, chat format)",
        "steps": at.step,
        "tokens": at.step * B * T,
        "seconds": round(at.seconds),
        "threads": torch.get_num_threads(),
        "torch": str(torch.__version__),
        "stages": [{"steps": s.steps, "matrix_rate": s.matrix_rate, "other_rate": s.other_rate} for s in plan],
        "loss_start": at.losses[0][1] if at.losses else None,
        "loss_end": at.losses[-1][1] if at.losses else None,
        "probes": probes,
    }


def card(design: Design, n_parameters: int, record: dict[str, object]) -> dict[str, object]:
    """The YAML card's values."""
    return {
        "name": design.name,
        "title": design.title,
        "family": design.family,
        "path": f"demo/{design.name}",
        "license": "apache-2.0",
        "parameters": n_parameters,
        "context_tokens": design.context,
        "thinking_style": "tags",
        "lora_targets": "all-linear",
        "stands_in_for": design.stands_in_for,
        "notes": NOTES,
        "training": {"seed": design.seed, **record},
    }


def publish(design: Design, folders: Folders, values: dict[str, object]) -> None:
    """Move the finished folder into place, then write its card."""
    target = folders.out / design.name
    shutil.copytree(folders.work / "done", target, dirs_exist_ok=True)
    for file in target.iterdir():
        file.chmod(0o644)  # safetensors are written for their owner alone
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=110)
    (folders.out / f"{design.name}.yaml").write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m lab.bases.demo.build", description="Pre-train the embedded bases.")
    parser.add_argument("name", nargs="?", help="demo-llama or demo-qwen2; both when left out")
    parser.add_argument("--steps", type=int, default=STEPS, help="training steps (the budget is steps, not time)")
    parser.add_argument("--work", type=Path, default=Path(".work/bases"), help="checkpoints; a second run resumes here")
    parser.add_argument("--out", type=Path, default=HERE, help="where folder and card go")
    values = parser.parse_args()
    designs = Registry("embedded base", DESIGNS)
    for design in [designs[values.name]] if values.name else designs.values():
        build(design, stages(values.steps), Folders(values.work / design.name, values.out))


if __name__ == "__main__":
    main()
