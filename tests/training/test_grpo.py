"""GRPO on the tiny base: what is asked, how it is rewarded, what the reference is, and what is left behind."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from lab.core.context import MemoryContext, Stopped
from lab.core.errors import LabError, SpecError
from lab.core.spec import load_spec
from lab.core.types import ModelSource
from lab.data.dataset import datasets
from lab.training import _grpo
from lab.training._inputs import weights_sha256
from lab.training._start import begin
from lab.training.grpo import TASK
from lab.training.grpo_specs import GrpoSpec
from lab.training.rewards import Reward
from lab.training.rl_questions import build_questions, of_step
from tests.training.attempts import attempt

QUICK = {
    "base": "tiny", "dataset": "sums", "batch_size": 16, "micro_batch_size": 16, "n_episodes": 64,
    "samples_per_prompt": 4, "learning_rate": 2e-3, "lora_r": 8, "lora_alpha": 16, "max_new_tokens": 40,
    "max_prompt_tokens": 64, "eval_every_steps": 2, "n_eval_prompts": 8, "health_probes": 0,
}


def spec(**values) -> GrpoSpec:
    return load_spec(GrpoSpec, {**QUICK, **values})


def context(folder: Path, **values) -> MemoryContext:
    folder.mkdir(parents=True, exist_ok=True)
    return MemoryContext(folder, **values)


@pytest.fixture
def easy_reward(monkeypatch):
    """One that a random model earns, too: the share of different signs in its text."""

    def share(text, *_) -> Reward:
        return Reward(len(set(text)) / max(1, len(text)), False, True, "easy")

    monkeypatch.setattr(_grpo, "reward", share)


def trainer_of(chosen: GrpoSpec, folder: Path, source: ModelSource | None = None):
    begun = begin(chosen, context(folder, models={chosen.start: source} if source else {}))
    questions = build_questions(chosen, datasets()[chosen.dataset].load(), begun.tokenizer)
    build = _grpo.grpo_trainer if isinstance(chosen, GrpoSpec) else _grpo.rloo_trainer
    return build(chosen, begun, questions, chosen.micro_batch_size, folder / "checkpoints"), questions


def test_the_task_names_its_spec_and_function():
    assert (TASK.kind, TASK.spec) == ("grpo", GrpoSpec) and TASK.load() is _grpo.train_grpo


def test_the_questions_of_each_step_are_those_of_ppo_each_as_often_as_asked(tiny, tmp_path, monkeypatch):
    chosen = spec(micro_batch_size=8)
    trainer, questions = trainer_of(chosen, tmp_path)
    seen = []
    tokenize = trainer._tokenize_prompts
    monkeypatch.setattr(trainer, "_tokenize_prompts", lambda prompts: (seen.append(prompts), tokenize(prompts))[1])
    trainer.train()
    assert len(seen) == chosen.n_steps() == 4 and trainer.state.global_step == 4
    for step, prompts in enumerate(seen, 1):
        expected = of_step(questions.trained, chosen, step)
        assert tokenize(prompts)[0] == [question.prompt for question in expected]
        assert len({question.example.id for question in expected}) == 4 and len(expected) == 16


def test_a_completion_is_rewarded_by_its_ids_with_marks_and_its_end(tiny, tmp_path):
    """TRL's own text loses special tokens: a tokenizer whose marks are special would earn nothing, whatever it says."""
    from transformers import AutoTokenizer

    chosen = spec()
    begun = begin(chosen, context(tmp_path))
    tokenizer = AutoTokenizer.from_pretrained(tiny.location())
    tokenizer.add_special_tokens({"additional_special_tokens": ["<think>", "</think>"]})
    begun = SimpleNamespace(tokenizer=tokenizer, style="tags", card=tiny)
    questions = build_questions(chosen, datasets()["sums"].load(), tokenizer).trained
    ends = frozenset([tokenizer.eos_token_id])
    logged = {}
    verified = _grpo.reward_function(chosen, begun, questions, ends)
    gold = questions[3].example
    right, wrong = f"<think>\n{gold.trace}\n</think>\n{gold.answer}", "<think>\nno\n</think>\nAnswer: 1"
    said = [f"{right}<eos>", f"{wrong}<eos>", f"{gold.answer}<eos>", right]
    ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in said]
    assert "<think>" not in tokenizer.decode(ids[0], skip_special_tokens=True)
    values = verified(completion_ids=ids, place=[3] * 4, log_metric=logged.__setitem__, trainer_state=None)
    assert values == [1.0, 0.1, 0.0, 0.0]  # right, wrong but well formed, without thinking, cut by the budget
    assert logged == {"accuracy": 0.75, "well_formed": 0.5}


@pytest.mark.parametrize(
    ("method", "start"), [("lora", ""), ("full", ""), ("lora", "lora"), ("lora", "full"), ("full", "full")]
)
def test_the_kl_is_0_before_the_first_step_and_not_after_it(tiny, tmp_path, taught, easy_reward, method, start):
    models = {"variant:start": taught(start)} if start else {}
    about = context(tmp_path / "run", models=models)
    TASK.load()(spec(method=method, start="variant:start" if start else "", n_episodes=48, kl_coefficient=0.1,
                     warmup_frac=0, temperature=1.3), about)
    kls = [values["kl"] for _, values in about.metrics if "kl" in values]
    assert kls[0] == 0.0 and kls[-1] > 0


@pytest.mark.parametrize(("method", "start"), [("lora", "lora"), ("full", "full")])
def test_every_trainable_parameter_moves_and_every_frozen_one_stays(tiny, tmp_path, taught, easy_reward, method, start):
    trainer, _ = trainer_of(spec(method=method, start="variant:start", temperature=1.5), tmp_path, taught(start))
    before = {name: p.detach().clone() for name, p in trainer.model.named_parameters()}
    trainer.train()
    trainable = {name for name, p in trainer.model.named_parameters() if p.requires_grad}
    moved = {name for name, p in trainer.model.named_parameters() if not torch.equal(p, before[name])}
    assert trainable and moved == trainable
    assert all(("lora_" in name and ".ref." not in name) == (method == "lora") for name in trainable)


def test_the_result_says_what_was_learned_and_the_folder_holds_one_adapter(tiny, tmp_path, taught):
    about = context(tmp_path / "run", models={"variant:start": taught("lora")})
    result = TASK.load()(spec(start="variant:start", health_probes=2), about)
    assert (result["n_rows"], result["n_held_out"], result["n_steps"], result["n_episodes"]) == (88, 8, 4, 64)
    assert result["final_loss"] is None and result["weights"] == "adapter" and result["thinking_style"] == "tags"
    assert result["health"]["n"] == 2 and result["inputs"]["start"] == "variant:start"
    assert {"reward_first", "reward_last", "kl_last", "eval_accuracy_before", "eval_accuracy_after"} <= set(result)
    json.dumps(result)
    by_step = [(step, set(values)) for step, values in about.metrics]
    assert [step for step, names in by_step if "eval_accuracy" in names] == [0, 2, 4]
    curve = {"reward", "accuracy", "well_formed", "kl", "mean_tokens", "clip_fraction", "policy_loss", "learning_rate"}
    assert all(curve <= names for step, names in by_step if "reward" in names)
    names = {file.name for file in about.folder.iterdir()}
    assert {"adapter_model.safetensors", "tokenizer.json", "contract.json", "metrics.jsonl", "samples.jsonl"} <= names
    assert "ref" not in names
    samples = [json.loads(line) for line in (about.folder / "samples.jsonl").read_text().splitlines()]
    assert {row["step"] for row in samples} == {0, 2, 4} and all(row["text"] for row in samples)
    for file in about.folder.rglob("*"):
        if file.is_file():
            assert tiny.location() not in file.read_bytes().decode("latin-1"), file.name


@pytest.mark.parametrize(("method", "micro", "passes"), [("lora", 16, 1), ("lora", 8, 2), ("full", 16, 1)])
def test_a_run_that_was_stopped_ends_with_the_weights_of_one_that_was_not(
    tiny, tmp_path, taught, easy_reward, method, micro, passes
):
    """18 questions, 4 a step: step 5 begins the second pass over them. The random state of sampling goes on, too."""
    models = {"variant:start": taught(method)}
    chosen = spec(start="variant:start", method=method, micro_batch_size=micro, max_rows=20, n_episodes=112,
                  passes=passes, max_new_tokens=16)
    whole = attempt(tmp_path / "whole")
    whole.models = models
    expected = TASK.load()(chosen, whole)
    first = attempt(tmp_path / "cut", n_steps=5)
    first.models = models
    with pytest.raises(Stopped, match=f"after step {5 * passes} of {7 * passes}"):
        TASK.load()(chosen, first)
    second = attempt(tmp_path / "cut", first)
    second.models = models
    result = TASK.load()(chosen, second)
    assert weights_sha256(second.folder) == weights_sha256(whole.folder)
    same = ("n_tokens_seen", "n_steps", "reward_first", "reward_last", "eval_accuracy_after", "kl_most")
    assert {name: result[name] for name in same} == pytest.approx({name: expected[name] for name in same}, rel=1e-6)
    assert [step for step, _ in second.metrics] == [step for step, _ in whole.metrics]
    assert (second.folder / "samples.jsonl").read_text() == (whole.folder / "samples.jsonl").read_text()


def test_small_forward_passes_sample_the_same_and_learn_the_same(tiny, tmp_path, taught, easy_reward):
    points = []
    for micro in (16, 4):
        about = context(tmp_path / str(micro), models={"variant:start": taught("lora")})
        TASK.load()(spec(start="variant:start", micro_batch_size=micro, n_episodes=48, max_new_tokens=16), about)
        points.append([values for _, values in about.metrics if "reward" in values])
    for one, other in zip(*points, strict=True):
        assert one["reward"] == other["reward"] and one["mean_tokens"] == other["mean_tokens"]
        assert one["grad_norm"] == pytest.approx(other["grad_norm"], rel=1e-3)


def test_a_policy_that_runs_away_ends_the_run_and_says_what_to_change(tiny, tmp_path, easy_reward):
    with pytest.raises(LabError, match="nats a completion away .* Lower learning_rate") as caught:
        TASK.load()(spec(learning_rate=0.1, max_kl=0.05, max_new_tokens=16), context(tmp_path))
    assert caught.value.reason == "spec"


def test_weights_that_are_not_numbers_end_the_run_with_a_sentence(tiny, tmp_path, monkeypatch):
    load = _grpo.load_start

    def broken(*arguments):
        model = load(*arguments)
        torch.nn.init.constant_(model.model.norm.weight, float("nan"))
        return model

    monkeypatch.setattr(_grpo, "load_start", broken)
    with pytest.raises(LabError, match="not numbers: training has diverged"):
        TASK.load()(spec(method="full"), context(tmp_path))


def test_all_faults_of_a_spec_are_told_together(tiny):
    with pytest.raises(SpecError) as caught:
        spec(dataset="no-such-data", lora_dropout=0.1, gpus=1, reward_wrong=2.0)
    assert {fault.field for fault in caught.value.faults} == {"dataset", "lora_dropout", "reward_wrong"}
    with pytest.raises(SpecError, match="should divide batch_size"):
        spec(samples_per_prompt=5)


def test_the_golden_rewards_and_kl_of_the_tiny_base(tiny, tmp_path, easy_reward):
    about = context(tmp_path)
    TASK.load()(spec(kl_coefficient=0.1, warmup_frac=0), about)
    found = [(values["reward"], values["kl"]) for _, values in about.metrics if "reward" in values]
    for (reward, kl), (golden_reward, golden_kl) in zip(found, GOLDEN, strict=False):
        assert reward == pytest.approx(golden_reward, abs=1e-3) and kl == pytest.approx(golden_kl, rel=0.02, abs=1e-6)


# Two steps: a later one's samples hang on the last digits of the weights, which differ between processors.
GOLDEN = [(0.5259, 0.0), (0.5569, 0.01229)]
