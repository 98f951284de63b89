"""Every recipe of a paper has a twin that does the same on the embedded bases, and the twin trains."""

from __future__ import annotations

from math import isfinite
from pathlib import Path

import pytest

from lab.bases.cards import bases
from lab.core.spec import Spec
from lab.studies.curriculum import CurriculumSpec
from lab.studies.spec import StudySpec
from lab.training.sft import TASK as SFT
from lab.training.specs import SftSpec
from tests.recipes.twins import FOLDER, FULL, QUICK, STEPS, TWINS, Bench, load, training_jobs, twin_of

FAMILIES = {"meditron", "huatuogpt-o1", "finemedlm-o1", "s1"}
# What a twin must share with its recipe: how it learns. Sizes, rates and lengths are those of a toy.
SHARED = ("method", "quantisation", "target", "thinking_style", "loss_type", "scale_rewards", "kl_coefficient", "beta",
          "ppo_epochs", "n_minibatches", "gamma", "lam", "clip", "value_clip", "value_coefficient", "reward_correct",
          "reward_wrong", "reward_malformed", "thinking", "samples_per_prompt", "n_samples", "precompute_ref",
          "scheduler", "warmup_frac", "weight_decay", "adam_beta2", "activation_checkpointing")


def ids(path: Path) -> str:
    return str(path.relative_to(FOLDER))


def parts(spec: Spec) -> list[Spec]:
    """The jobs it trains, in order, as specs of their own."""
    if isinstance(spec, StudySpec):
        return list(spec.variants())
    if isinstance(spec, CurriculumSpec):
        names = {stage.name: f"job:{stage.name}" for stage in spec.stages}
        return [spec.stage_spec(place, names) for place in range(len(spec.stages))]
    return [spec]


def test_every_family_has_recipes_and_each_a_twin():
    assert {path.parent.name for path in FULL} == FAMILIES
    assert [twin_of(path) for path in FULL] == TWINS


@pytest.mark.parametrize("path", FULL, ids=ids)
def test_a_twin_is_the_same_work_on_an_embedded_base(path: Path):
    full, twin = load(path), load(twin_of(path))
    assert full.kind == twin.kind and len(parts(full)) == len(parts(twin))
    for there, here in zip(parts(full), parts(twin), strict=True):
        assert there.kind == here.kind and getattr(there, "start", "") in (getattr(here, "start", ""),
                                                                           "variant:huatuogpt-o1-sft")
        base = getattr(here, "base", "demo-llama")
        assert bases()[base].path, f"{base} is not embedded"
        for name in SHARED:
            assert getattr(there, name, None) == getattr(here, name, None), f"{there.kind}.{name}"


@pytest.mark.parametrize("path", FULL, ids=ids)
def test_rows_of_the_papers_fit_the_context_and_a_single_gpu_form_needs_one_gpu(path: Path):
    for job in parts(load(path)):
        if "1gpu" in path.name or "one-gpu" in path.name:
            assert getattr(job, "gpus", 1) == 1
        if isinstance(job, SftSpec):
            needed = SFT.needs(job)
            assert needed.devices == job.gpus and needed.memory_mib > 0


def test_the_study_of_the_thesis_is_twelve_variants_of_two_bases_three_datasets_and_two_arms():
    for name in ("study-8xh100.yaml", "study-1gpu.yaml"):
        spec = load(FOLDER / "meditron" / name)
        assert isinstance(spec, StudySpec)
        assert [len(spec.bases), len(spec.datasets), len(spec.targets), len(spec.variants())] == [2, 3, 2, 12]
        shared = {tuple(sorted((key, str(value)) for key, value in variant.as_dict().items()
                               if key not in ("base", "dataset", "target"))) for variant in spec.variants()}
        assert len(shared) == 1, "identical hyperparameters"


@pytest.fixture(autouse=True)
def one_thread():
    """Threads of models this small mostly wait for each other."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("path", TWINS, ids=ids)
def test_a_twin_trains_five_steps(path: Path, tmp_path: Path):
    bench = Bench(tmp_path)
    if "huatuogpt-o1-sft" in getattr(load(path), "start", ""):
        prepare(path.with_name("sft.yaml"), bench)
    for kind, values, leaves in training_jobs(load(path)):
        if path.stem == "ablation" and leaves.removeprefix("job:").partition("-")[0] in ("direct", "simple"):
            continue  # the stages of 'complex' once more, with other rows
        result = bench.train(kind, values, leaves)
        if kind == "pairs":
            continue
        assert result["n_steps"] == STEPS and result["n_tokens_seen"] > 0 and result["n_trainable"] > 0
        assert result["final_loss"] is None or isfinite(result["final_loss"])
        assert result["thinking_style"] == values["thinking_style"]
        assert list((tmp_path / Path(bench.models[leaves].folder or "").name).glob("*.safetensors"))


def prepare(path: Path, bench: Bench) -> None:
    """What a twin goes on from."""
    [(kind, values, leaves)] = training_jobs(load(path))
    bench.train(kind, values, leaves)


def test_every_kind_of_training_is_in_some_twin():
    kinds = {kind for path in TWINS for kind, _, _ in training_jobs(load(path))}
    assert kinds == set(QUICK)
