"""DPO on the tiny base: what is learned from, what the reference is, and what is left behind."""

from __future__ import annotations

import json
from math import log
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from lab.bases.cards import bases
from lab.core.context import MemoryContext, Stopped
from lab.core.errors import LabError, SpecError
from lab.core.spec import load_spec
from lab.core.types import ModelSource, Pair
from lab.data.pairs import LoadedPairs, PairSet, pair_sets
from lab.training import _dpo
from lab.training._inputs import weights_sha256
from lab.training._start import begin
from lab.training.dpo import TASK, needs
from lab.training.preference_rows import build_pair_rows
from lab.training.preference_specs import DpoSpec
from tests.training.attempts import attempt
from tests.training.tiny import sums

QUICK = {
    "base": "tiny", "pairs": "tiny-pairs", "batch_size": 8, "micro_batch_size": 8, "epochs": 2, "learning_rate": 5e-3,
    "lora_r": 8, "lora_alpha": 16, "health_probes": 0, "max_length": 200,
}


def made(n: int, long: int = 0) -> list[Pair]:
    """Sums whose right answer is preferred; every third pair has no thinking on the rejected side."""
    rows = sums(n, long)
    return [
        Pair(id=row.id, question=row.question, chosen=row.answer, chosen_trace=row.trace,
             rejected=f"Answer: {i}", rejected_trace=None if i % 3 == 0 else "I guess.")
        for i, row in enumerate(rows)
    ]


@pytest.fixture(autouse=True)
def pairs(monkeypatch):
    """Pair sets 'tiny-pairs' (24), 'long-pairs' (8, 3 of them too long) and 'equal-pairs' (one of 4)."""
    equal = made(4)
    equal[1] = equal[1].model_copy(update={"rejected": equal[1].chosen, "rejected_trace": equal[1].chosen_trace})
    for name, rows in {"tiny-pairs": made(24), "long-pairs": made(8, long=3), "equal-pairs": equal}.items():
        card = PairSet(name, name, "sums", "made", "none", loaded=lambda rows=rows: LoadedPairs(rows))
        monkeypatch.setitem(pair_sets(), name, card)


def spec(**values) -> DpoSpec:
    return load_spec(DpoSpec, {**QUICK, **values})


def context(folder: Path, **values) -> MemoryContext:
    folder.mkdir(parents=True, exist_ok=True)
    return MemoryContext(folder, **values)


def trainer_of(tiny, chosen: DpoSpec, folder: Path, source: ModelSource | None = None):
    about = context(folder, models={chosen.start: source} if source else {})
    begun = begin(chosen, about)
    rows = build_pair_rows(chosen, _dpo.read_pairs(chosen, about).rows, begun.tokenizer, begun.style)
    return _dpo.build_trainer(chosen, begun, rows, chosen.micro_batch_size, folder / "checkpoints")


def test_the_task_names_its_spec_and_function_and_its_memory_grows_with_the_pairs_of_a_pass(tiny):
    assert (TASK.kind, TASK.spec) == ("dpo", DpoSpec) and TASK.load() is _dpo.train_dpo
    one, four = (needs(spec(micro_batch_size=size)) for size in (1, 8))
    assert one.devices == 1 and one.memory_mib < four.memory_mib


def test_a_second_model_in_memory_is_counted_unless_the_reference_is_scored_before(tiny, monkeypatch):
    card = bases()["tiny"].model_copy(update={"parameters": 100 * 2**20})
    monkeypatch.setitem(bases(), "tiny", card)
    twice, once = (needs(spec(method="full", precompute_ref=each)).memory_mib for each in (False, True))
    assert twice - once == 400  # 100 Mi weights of 4 bytes


def test_both_replies_are_learned_from_their_first_token_to_the_end_of_turn_after_the_same_prompt(tiny, tmp_path):
    trainer = trainer_of(tiny, spec(), tmp_path)
    tokenizer = trainer.processing_class
    by_question = {pair.question: pair for pair in made(24)}
    batch = next(iter(trainer.get_train_dataloader()))
    n = len(batch["input_ids"]) // 2
    for place in range(2 * n):
        ids, learned = batch["input_ids"][place], batch["completion_mask"][place].bool()
        start = int(learned.nonzero()[0])
        prompt, said = tokenizer.decode(ids[:start]), tokenizer.decode(ids[learned])
        pair = by_question[prompt.removeprefix("<bos><|user|>").removesuffix("<|assistant|>")]
        answer, trace = (pair.chosen, pair.chosen_trace) if place < n else (pair.rejected, pair.rejected_trace)
        assert said == (f"<think>\n{trace}\n</think>\n{answer}<eos>" if trace else f"{answer}<eos>")
        assert bool(learned[start : start + int(learned.sum())].all())
        assert not batch["attention_mask"][place][start + int(learned.sum()) :].any()


@pytest.mark.parametrize(
    ("method", "start"), [("lora", ""), ("full", ""), ("lora", "lora"), ("lora", "full"), ("full", "full")]
)
@pytest.mark.parametrize("precompute", [False, True])
def test_before_the_first_step_the_model_is_its_reference(tiny, tmp_path, taught, method, start, precompute):
    source = taught(start) if start else None
    chosen = spec(method=method, start="variant:start" if start else "", precompute_ref=precompute, max_steps=1)
    about = context(tmp_path / "run", models={"variant:start": source} if source else {})
    TASK.load()(chosen, about)
    first = about.metrics[0][1]
    assert first["margin"] == pytest.approx(0, abs=1e-5 if precompute else 1e-7)
    assert first["loss"] == pytest.approx(log(2), abs=1e-5)
    assert first["chosen_reward"] == pytest.approx(0, abs=1e-5)


def test_the_loss_of_a_pair_is_that_of_the_paper_worked_by_hand(tiny, tmp_path):
    """-log sigmoid(beta ((log p(c) - log p0(c)) - (log p(r) - log p0(r)))), from plain forward passes."""
    trainer = trainer_of(tiny, spec(beta=0.3, max_steps=3), tmp_path)
    trainer.train()
    model = trainer.model.eval()
    batch = next(iter(trainer.get_train_dataloader()))

    def logp(policy) -> torch.Tensor:
        logits = policy(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], use_cache=False).logits
        each = logits[:, :-1].log_softmax(-1).gather(-1, batch["input_ids"][:, 1:, None]).squeeze(-1)
        return (each * batch["completion_mask"][:, 1:]).sum(1)

    with torch.no_grad():
        policy = logp(model)
        with model.disable_adapter():
            reference = logp(model)
        ratio = (policy - reference).chunk(2)
        expected = -torch.nn.functional.logsigmoid(0.3 * (ratio[0] - ratio[1])).mean()
        found = trainer.compute_loss(model, batch)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)
    assert float(expected) != pytest.approx(log(2), rel=1e-3)


@pytest.mark.parametrize(("method", "start"), [("lora", ""), ("lora", "lora"), ("full", "full")])
def test_every_trainable_parameter_moves_and_every_frozen_one_stays(tiny, tmp_path, taught, method, start):
    chosen = spec(method=method, start="variant:start" if start else "", max_steps=4)
    trainer = trainer_of(tiny, chosen, tmp_path, taught(start) if start else None)
    before = {name: p.detach().clone() for name, p in trainer.model.named_parameters()}
    trainer.train()
    trainable = {name for name, p in trainer.model.named_parameters() if p.requires_grad}
    moved = {name for name, p in trainer.model.named_parameters() if not torch.equal(p, before[name])}
    assert trainable and moved == trainable
    assert all(("lora_" in name and ".ref." not in name) == (method == "lora") for name in trainable)


@pytest.mark.parametrize("loss_type", ["sigmoid", "ipo", "hinge"])
def test_the_margin_and_the_accuracy_rise_and_the_start_is_left_alone(tiny, tmp_path, taught, loss_type):
    source = taught("lora")
    before = weights_sha256(Path(source.folder))
    about = context(tmp_path / "run", models={"variant:start": source})
    result = TASK.load()(spec(start="variant:start", epochs=8, loss_type=loss_type), about)
    assert result["margin_last"] > 0.3 and result["accuracy_last"] > 0.9
    assert about.metrics[-1][1]["chosen_reward"] > about.metrics[-1][1]["rejected_reward"]
    assert weights_sha256(Path(source.folder)) == before


def test_the_result_counts_what_happened_and_the_folder_holds_one_adapter(tiny, tmp_path, taught):
    about = context(tmp_path / "run", models={"variant:start": taught("lora")})
    result = TASK.load()(spec(start="variant:start", health_probes=2), about)
    assert (result["n_rows"], result["n_dropped"], result["n_steps"]) == (24, 0, 6)
    assert result["n_tokens_seen"] == 2 * result["n_tokens"] and result["weights"] == "adapter"
    assert result["n_trainable"] < result["n_parameters"] and result["thinking_style"] == "tags"
    assert result["health"]["n"] == 2 and result["inputs"]["start"] == "variant:start"
    assert {"loss", "margin", "accuracy", "chosen_logp", "rejected_logp", "learning_rate"} <= set(about.metrics[0][1])
    json.dumps(result)
    names = {file.name for file in about.folder.iterdir()}
    assert {"adapter_config.json", "adapter_model.safetensors", "tokenizer.json", "contract.json"} <= names
    assert "ref" not in names and not any(".ref" in name for name in _weights(about.folder))
    for file in about.folder.rglob("*"):
        if file.is_file():
            assert tiny.location() not in file.read_bytes().decode("latin-1"), file.name


def _weights(folder: Path) -> list[str]:
    from safetensors import safe_open

    with safe_open(folder / "adapter_model.safetensors", "pt") as file:
        return list(file.keys())


@pytest.mark.parametrize("method", ["lora", "full"])
def test_plain_transformers_load_what_was_left_and_prefer_the_chosen_reply(tiny, tmp_path, method):
    about = context(tmp_path / "run")
    TASK.load()(spec(method=method, epochs=8, learning_rate=2e-3), about)
    tokenizer = AutoTokenizer.from_pretrained(about.folder)
    base = AutoModelForCausalLM.from_pretrained(tiny.location())
    trained = PeftModel.from_pretrained(base, about.folder) if method == "lora" else (
        AutoModelForCausalLM.from_pretrained(about.folder))

    def lead(model) -> float:
        total = 0.0
        for pair in made(24)[1:6:3]:
            prompt = f"<bos><|user|>{pair.question}<|assistant|>"
            for sign, trace, answer in ((1, pair.chosen_trace, pair.chosen), (-1, pair.rejected_trace, pair.rejected)):
                text = f"<think>\n{trace}\n</think>\n{answer}<eos>"
                whole = tokenizer(prompt + text, add_special_tokens=False, return_tensors="pt")["input_ids"]
                n = len(tokenizer(prompt, add_special_tokens=False)["input_ids"])
                with torch.no_grad():
                    each = model(input_ids=whole, use_cache=False).logits[:, :-1].log_softmax(-1)
                total += sign * float(each.gather(-1, whole[:, 1:, None])[:, n - 1 :].sum())
        return total

    after = lead(trained)
    untrained = lead(AutoModelForCausalLM.from_pretrained(tiny.location()))
    assert after > untrained + 3


@pytest.mark.parametrize(("start", "method"), [("", "lora"), ("lora", "lora"), ("full", "full")])
def test_a_run_that_was_stopped_ends_with_the_weights_of_one_that_was_not(tiny, tmp_path, taught, start, method):
    models = {"variant:start": taught(start)} if start else {}
    chosen = spec(start="variant:start" if start else "", method=method, epochs=3, batch_size=10, micro_batch_size=5)
    whole = attempt(tmp_path / "whole")
    whole.models = models
    expected = TASK.load()(chosen, whole)
    first = attempt(tmp_path / "cut", n_steps=4)  # in the second pass
    first.models = models
    with pytest.raises(Stopped, match="after step 4 of 9"):
        TASK.load()(chosen, first)
    second = attempt(tmp_path / "cut", first)
    second.models = models
    result = TASK.load()(chosen, second)
    assert weights_sha256(second.folder) == weights_sha256(whole.folder)
    assert result["n_tokens_seen"] == expected["n_tokens_seen"]
    assert [step for step, _ in second.metrics] == list(range(1, 10))
    for (_, found), (_, wanted) in zip(second.metrics, whole.metrics, strict=True):
        assert found["margin"] == pytest.approx(wanted["margin"], abs=1e-6)


def test_small_forward_passes_give_the_steps_of_one_large_one(tiny, tmp_path):
    losses = []
    for micro in (8, 2):
        about = context(tmp_path / str(micro))
        TASK.load()(spec(micro_batch_size=micro, max_steps=4), about)
        losses.append([values["loss"] for _, values in about.metrics])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_pairs_that_are_too_long_or_equal_are_dropped_counted_and_said(tiny, tmp_path):
    about = context(tmp_path / "long")
    result = TASK.load()(spec(pairs="long-pairs", max_length=120, max_steps=1), about)
    assert (result["n_rows"], result["n_dropped"], result["n_too_long"]) == (5, 3, 3)
    assert any("3 dropped as longer than 120" in line for line in about.logs)
    result = TASK.load()(spec(pairs="equal-pairs", max_steps=1), context(tmp_path / "equal"))
    assert (result["n_rows"], result["n_same"]) == (3, 1)
    with pytest.raises(LabError, match="none of the 24 pairs .* do not fit max_length 16"):
        TASK.load()(spec(max_length=16), context(tmp_path / "none"))


def test_pairs_of_a_job_are_read_from_the_file_it_left(tiny, tmp_path):
    file = tmp_path / "pairs.jsonl"
    file.write_text("".join(pair.model_dump_json() + "\n" for pair in made(9)))
    about = context(tmp_path / "run", files={"job:abc": file})
    result = TASK.load()(spec(pairs="job:abc", max_steps=1), about)
    assert result["n_rows"] == 9 and result["inputs"]["pairs"] == "job:abc"


def test_a_loss_that_is_not_a_number_ends_the_run_and_says_what_to_change(tiny, tmp_path, monkeypatch):
    load = _dpo.load_start

    def broken(*arguments):
        model = load(*arguments)
        torch.nn.init.constant_(model.model.norm.weight, float("nan"))
        return model

    monkeypatch.setattr(_dpo, "load_start", broken)
    with pytest.raises(LabError, match="not a number at step 1: .* Lower learning_rate") as caught:
        TASK.load()(spec(method="full", max_steps=3), context(tmp_path))
    assert caught.value.reason == "spec"


def test_all_faults_of_a_spec_are_told_together(tiny):
    with pytest.raises(SpecError) as caught:
        load_spec(DpoSpec, {**QUICK, "pairs": "no-such-pairs", "start": "nothing", "lora_dropout": 0.1})
    assert {fault.field for fault in caught.value.faults} == {"pairs", "start", "lora_dropout"}
    with pytest.raises(SpecError, match="means nothing to loss_type ipo"):
        spec(loss_type="ipo", label_smoothing=0.1)


def test_the_golden_losses_of_the_tiny_base(tiny, tmp_path):
    about = context(tmp_path)
    TASK.load()(spec(epochs=2), about)
    found = [round(values["loss"], 3) for _, values in about.metrics]
    assert found == pytest.approx(GOLDEN, abs=3e-3), found


GOLDEN = [0.693, 0.616, 0.579, 0.504, 0.486, 0.5]
