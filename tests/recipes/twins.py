"""Recipes and their demo twins: which belong together, and a twin's work cut down to five steps."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import lab
from jobs.catalog import specs
from lab.core.context import MemoryContext
from lab.core.errors import LabError
from lab.core.spec import Spec, load_spec, read_recipe
from lab.core.types import ModelSource
from lab.data.pairs import resolve_pairs
from lab.studies.curriculum import CurriculumSpec
from lab.studies.spec import StudySpec
from lab.training.kinds import training_tasks

FOLDER = Path(lab.__file__).parent / "recipes"
FULL = sorted(path for path in FOLDER.rglob("*.yaml") if "demo" not in path.relative_to(FOLDER).parts)
TWINS = sorted(path for path in FOLDER.glob("*/demo/*.yaml"))
STEPS = 5
# What makes five steps of each kind quick; nothing of what is taught or how it is rewarded changes.
SFT = {"max_steps": STEPS, "batch_size": 4, "micro_batch_size": 4, "health_probes": 0, "max_rows": 32}
RL = {"batch_size": 8, "micro_batch_size": 8, "n_episodes": STEPS * 8, "max_new_tokens": 16, "n_eval_prompts": 4,
      "eval_every_steps": 0, "health_probes": 0, "max_rows": 64}
QUICK: dict[str, dict[str, Any]] = {
    "sft": SFT, "dpo": SFT, "ppo": RL, "grpo": RL, "rloo": RL,
    "pairs": {"max_rows": 4, "max_new_tokens": 16, "n_samples": 2},
}


def load(path: Path) -> Spec:
    kind, values = read_recipe(path)
    return load_spec(specs()[kind], values, str(path))


def twin_of(path: Path) -> Path:
    return path.parent / "demo" / path.name


@dataclass
class Bench:
    """Where twins train: a folder, and what earlier jobs have left there under the names that specs use."""

    folder: Path
    models: dict[str, ModelSource] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)

    def train(self, kind: str, values: dict[str, Any], leaves: str) -> dict[str, Any]:
        """Run one job of five steps; what it leaves is found under `leaves` from then on."""
        spec = load_spec(training_tasks()[kind].spec, {**values, **QUICK[kind]})
        if kind == "pairs":
            return self._sample(spec, leaves)
        folder = self.folder / str(len(list(self.folder.iterdir())))
        folder.mkdir()
        context = MemoryContext(folder, models=dict(self.models), files=dict(self.files))
        result = training_tasks()[kind].load()(spec, context)
        self.models[leaves] = ModelSource(
            ref=leaves, label=leaves.partition(":")[2], base=spec.base, folder=str(folder), kind=result["weights"],
            arm=getattr(spec, "target", "trace"), thinking_style=result["thinking_style"],
            template_sha=result["template_sha"],
        )
        return result

    def _sample(self, spec: Spec, leaves: str) -> dict[str, Any]:
        """After five steps no answer is right and in form: the job says so, and the demo pairs take its place."""
        context = MemoryContext(self.folder / f"{spec.kind}-{len(self.files)}", models=dict(self.models))
        with pytest.raises(LabError, match="no question has both a right and a wrong answer"):
            training_tasks()[spec.kind].load()(spec, context)
        self.files[leaves] = self.folder / "pairs.jsonl"
        lines = [json.dumps(pair.model_dump()) for pair in resolve_pairs("demo-pairs").load()[:64]]
        self.files[leaves].write_text("\n".join(lines), encoding="utf-8")
        return {}


def training_jobs(spec: Spec) -> list[tuple[str, dict[str, Any], str]]:
    """(kind, values, name under which the outcome is found) of what a twin trains, in order.

    Of a study one variant a target: the others differ in base, dataset or seed alone.
    """
    if isinstance(spec, StudySpec):
        first = {variant.target: variant for variant in reversed(spec.variants())}
        return [("sft", variant.as_dict(), f"variant:{variant.variant_name()}") for variant in first.values()]
    if isinstance(spec, CurriculumSpec):
        names = {stage.name: f"job:{stage.name}" for stage in spec.stages}
        return [(stage.kind, spec.stage_spec(place, names).as_dict(), names[stage.name])
                for place, stage in enumerate(spec.stages)]
    if spec.kind in ("benchmark", "problems", "reasoning", "instructions", "map"):  # at test time alone, or nothing
        return []
    return [(spec.kind, spec.as_dict(), f"variant:{getattr(spec, 'name', '')}")]
