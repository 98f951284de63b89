"""Training on the tiny base: what is learned, what is left behind, and how it ends early."""

from __future__ import annotations

import errno
import json
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl.trainer import utils as trl_utils

from lab.bases.cards import bases
from lab.core.context import MemoryContext, Stopped
from lab.core.errors import LabError
from lab.core.spec import load_spec
from lab.core.task import Task
from lab.data.dataset import datasets, fingerprint
from lab.training import _trl
from lab.training._inputs import weights_sha256
from lab.training._lm_head import learned_positions_alone
from lab.training._start import begin, load_policy
from lab.training._trainer import IGNORED
from lab.training.rows import build_rows
from lab.training.sft import TASK
from lab.training.specs import SftSpec

QUICK = {"batch_size": 16, "micro_batch_size": 16, "epochs": 2, "learning_rate": 5e-3, "lora_r": 8, "lora_alpha": 16,
         "health_probes": 0}


def spec(**values) -> SftSpec:
    return load_spec(SftSpec, {"base": "tiny", "dataset": "sums", "target": "trace", **QUICK, **values})


def ready(tiny, chosen: SftSpec, folder, callbacks=()):
    begun = begin(chosen, MemoryContext(folder))
    parts = _trl.Loaded(begun, load_policy(begun, chosen))
    rows = build_rows(chosen, datasets()[chosen.dataset].load(), begun.tokenizer, begun.style)
    setting = _trl.Setting(chosen, chosen.micro_batch_size, folder)
    return _trl.build_trainer(setting, parts, rows, list(callbacks))


@pytest.fixture
def done(tiny, tmp_path):
    """A finished LoRA run: (spec, context, result)."""
    chosen, context = spec(), MemoryContext(tmp_path)
    return chosen, context, TASK.load()(chosen, context)


def logits(model, tokenizer) -> torch.Tensor:
    ids = torch.tensor([tokenizer.encode("What is 30 plus 12?")])  # (1, T)
    with torch.no_grad():
        return model.eval()(input_ids=ids, use_cache=False).logits


def test_the_task_names_its_spec_and_function():
    assert isinstance(TASK, Task) and (TASK.kind, TASK.spec) == ("sft", SftSpec)
    assert TASK.load() is _trl.train_sft


@pytest.mark.parametrize(("target", "first"), [("trace", "<think>"), ("answer", "Answer")])
def test_the_loss_is_on_the_completion_alone_from_its_first_token_to_the_end_of_turn(tiny, tmp_path, target, first):
    trainer = ready(tiny, spec(target=target), tmp_path)
    batch = next(iter(trainer.get_train_dataloader()))
    tokenizer = trainer.processing_class
    for ids, labels in zip(batch["input_ids"], batch["labels"], strict=True):
        learned = labels != IGNORED
        start = int(learned.nonzero()[0])
        text = tokenizer.decode(ids[learned])
        assert torch.equal(labels[learned], ids[learned])
        assert text.startswith(first) and text.endswith("<eos>") and text.count("<eos>") == 1
        assert tokenizer.decode(ids[:start]).endswith("<|assistant|>")
        assert bool(learned[start : start + int(learned.sum())].all())  # one piece


def test_the_two_arms_meet_the_same_questions_in_the_same_order(tiny, tmp_path):
    orders = []
    for target in ("trace", "answer"):
        trainer = ready(tiny, spec(target=target), tmp_path)
        prompts = []
        for batch in trainer.get_train_dataloader():
            for ids, labels in zip(batch["input_ids"], batch["labels"], strict=True):
                prompts.append(tuple(ids[: int((labels != IGNORED).nonzero()[0])].tolist()))
        orders.append(prompts)
    assert len(orders[0]) == 96 and orders[0] == orders[1]


@pytest.mark.parametrize("method", ["lora", "full"])
def test_every_trainable_parameter_moves_and_every_frozen_one_stays(tiny, tmp_path, method):
    trainer = ready(tiny, spec(method=method, max_steps=6), tmp_path)
    before = {name: p.detach().clone() for name, p in trainer.model.named_parameters()}
    trainer.train()
    trainable = {name for name, p in trainer.model.named_parameters() if p.requires_grad}
    moved = {name for name, p in trainer.model.named_parameters() if not torch.equal(p, before[name])}
    assert trainable and moved == trainable
    assert all(("lora_" in name) == (method == "lora") for name in trainable)


def test_the_loss_falls_and_the_model_learns_to_answer(tiny, tmp_path):
    context = MemoryContext(tmp_path)
    result = TASK.load()(spec(method="full", target="answer", epochs=10, max_rows=32), context)
    losses = [values["loss"] for _, values in context.metrics]
    assert losses[-1] < 0.5 * losses[0] and result["final_loss"] < 0.5 * losses[0]
    assert result["n_steps"] == 20 == context.metrics[-1][0]
    trained = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert trained.config.use_cache
    assert result["weights"] == "full" and result["n_trainable"] == result["n_parameters"] == trained.num_parameters()


def test_the_result_counts_what_happened(tiny, done):
    chosen, context, result = done
    tokenizer = AutoTokenizer.from_pretrained(tiny.location())
    rows = build_rows(chosen, datasets()["sums"].load(), tokenizer, "tags")
    assert (result["n_rows"], result["n_dropped"], result["n_steps"]) == (96, 0, 12)
    assert result["n_tokens"] == rows.n_tokens and result["n_tokens_seen"] == 2 * rows.n_tokens
    assert result["n_trainable"] < result["n_parameters"]
    assert result["tokens_per_s"] == pytest.approx(result["n_tokens_seen"] / result["seconds"], rel=0.05)
    assert result["inputs"] == {
        "dataset": "sums",
        "dataset_sha256": fingerprint(datasets()["sums"].load()),
        "dataset_rows": 96,
        "base": "tiny",
        "base_revision": weights_sha256(Path(tiny.location())),
    }
    json.dumps(result)


def test_progress_and_metrics_reach_the_context(done):
    _, context, result = done
    assert context.progress_calls[-1][:2] == (12, 12) and "tokens/s" in context.progress_calls[-1][2]
    assert [step for step, _ in context.metrics] == list(range(1, 13))
    assert {"loss", "learning_rate", "tokens_per_s"} <= set(context.metrics[-1][1])
    lines = [json.loads(line) for line in (context.folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["loss"] for line in lines] == [values["loss"] for _, values in context.metrics]


def test_too_long_rows_are_dropped_counted_and_said(tiny, tmp_path):
    context = MemoryContext(tmp_path)
    result = TASK.load()(spec(dataset="long", max_length=120, max_steps=1), context)
    assert (result["n_rows"], result["n_dropped"]) == (5, 3)
    assert any("3 dropped" in line for line in context.logs)


def test_the_folder_is_complete_and_names_no_place_of_this_machine(tiny, done):
    chosen, context, _ = done
    names = {file.name for file in context.folder.iterdir()}
    assert {"adapter_config.json", "adapter_model.safetensors", "tokenizer.json", "spec.json", "metrics.jsonl"} <= names
    assert "README.md" not in names
    assert json.loads((context.folder / "spec.json").read_text()) == chosen.as_dict()
    assert json.loads((context.folder / "adapter_config.json").read_text())["base_model_name_or_path"] == "tiny"
    for file in context.folder.iterdir():
        if file.is_file():
            assert tiny.location() not in file.read_bytes().decode("latin-1"), file.name


def test_plain_transformers_and_peft_load_the_folder_and_give_the_trained_models_logits(tiny, tmp_path, monkeypatch):
    kept = {}
    save = _trl.save_variant
    monkeypatch.setattr(_trl, "save_variant", lambda model, *rest: (kept.update(model=model), save(model, *rest)))
    TASK.load()(spec(max_steps=6), MemoryContext(tmp_path))
    base = AutoModelForCausalLM.from_pretrained(tiny.location())
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    untrained = logits(base, tokenizer)
    again = logits(PeftModel.from_pretrained(base, tmp_path), tokenizer)
    assert torch.equal(again, logits(kept["model"], tokenizer))
    assert not torch.allclose(again, untrained, atol=1e-3)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tiny, tmp_path):
    weights = []
    for folder, seed in (("a", 5), ("b", 5), ("c", 6)):
        context = MemoryContext(tmp_path / folder)
        context.folder.mkdir()
        TASK.load()(spec(seed=seed, max_steps=3), context)
        weights.append(weights_sha256(context.folder))
    assert weights[0] == weights[1] != weights[2]


def test_small_forward_passes_give_the_steps_of_one_large_one(tiny, tmp_path):
    losses = []
    for micro in (16, 4):
        context = MemoryContext(tmp_path / str(micro))
        context.folder.mkdir()
        TASK.load()(spec(micro_batch_size=micro, max_steps=4), context)
        losses.append([values["loss"] for _, values in context.metrics])
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_scoring_learned_positions_alone_changes_no_loss_and_scores_no_other(tiny, tmp_path, monkeypatch):
    scored = []
    kernel = trl_utils._ChunkedLogProbFunction.apply
    watch = SimpleNamespace(apply=lambda hidden, *rest: (scored.append(len(hidden)), kernel(hidden, *rest))[1])
    monkeypatch.setattr(trl_utils, "_ChunkedLogProbFunction", watch)
    losses = []
    for quick in (nullcontext, learned_positions_alone):
        trainer = ready(tiny, spec(max_steps=1), tmp_path)
        learned = int((next(iter(trainer.get_train_dataloader()))["labels"] != IGNORED).sum())
        with quick():
            trainer.train()
        losses.append([line["loss"] for line in trainer.state.log_history if "loss" in line])
    assert losses[0] == losses[1] and scored[1] == learned < scored[0]


class StopsAfter(MemoryContext):
    """Asks to stop once two steps were reported, that is during the third."""

    def stop_requested(self) -> bool:
        return len(self.metrics) >= 2


def test_a_stop_request_ends_training_after_the_running_step(tiny, tmp_path):
    context = StopsAfter(tmp_path)
    with pytest.raises(Stopped, match="stopped after step 3 of 12; checkpoint-3 is whole"):
        TASK.load()(spec(), context)
    assert len(context.metrics) == 3 and not (tmp_path / "adapter_model.safetensors").exists()


class FullDisk(MemoryContext):
    def metric(self, step: int, **values: float) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_a_sentence_with_its_reason(tiny, tmp_path):
    with pytest.raises(LabError, match="disk .* is full") as caught:
        TASK.load()(spec(max_steps=2), FullDisk(tmp_path))
    assert caught.value.reason == "disk"


def test_a_full_disk_while_saving_weights_is_the_same_sentence(tiny, tmp_path, monkeypatch):
    from safetensors import SafetensorError

    def save(*_):
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(_trl, "save_variant", save)
    with pytest.raises(LabError) as caught:
        TASK.load()(spec(max_steps=1), MemoryContext(tmp_path))
    assert caught.value.reason == "disk"


def test_a_loss_that_is_not_a_number_ends_the_run_and_says_what_to_change(tiny, tmp_path, monkeypatch):
    load = _trl.load_policy

    def broken(*arguments):
        model = load(*arguments)
        torch.nn.init.constant_(model.get_base_model().model.norm.weight, float("nan"))
        return model

    monkeypatch.setattr(_trl, "load_policy", broken)
    with pytest.raises(LabError, match="not a number at step 1: .* Lower learning_rate") as caught:
        TASK.load()(spec(max_steps=3), MemoryContext(tmp_path))
    assert caught.value.reason == "spec"


def test_an_ordinary_error_passes_through_as_the_bug_it_is(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(_trl, "save_variant", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        TASK.load()(spec(max_steps=1), MemoryContext(tmp_path))


def test_a_base_without_its_files_is_a_sentence(tiny, tmp_path, monkeypatch):
    monkeypatch.setitem(bases(), "tiny", tiny.model_copy(update={"path": str(tmp_path / "gone")}))
    with pytest.raises(LabError, match="files of base 'tiny' are not on this machine"):
        TASK.load()(spec(), MemoryContext(tmp_path))
