"""Every form of supervised training: its golden losses, what it moves and what it leaves, and that it resumes."""

from __future__ import annotations

import copy

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from lab.bases.cards import bases
from lab.core.context import MemoryContext, Stopped
from lab.core.errors import SpecError
from lab.core.spec import load_spec
from lab.core.types import ModelSource
from lab.data.dataset import datasets
from lab.data.resolving import resolve_dataset
from lab.training import _trl
from lab.training._inputs import weights_sha256
from lab.training._lm_head import learned_positions_alone
from lab.training._start import begin, load_policy
from lab.training._trainer import IGNORED, Collator
from lab.training.rows import Row, Rows, build_rows
from lab.training.specs import SftSpec
from tests.training.attempts import attempt
from tests.training.attempts import spec as resumed

FORMS = {
    "lora": {}, "rslora": {"lora_variant": "rslora"}, "dora": {"lora_variant": "dora"},
    "full": {"method": "full", "learning_rate": 1e-3}, "4bit": {"quantisation": "4bit"}, "packing": {"packing": True},
    "neftune": {"neftune_alpha": 5.0}, "checkpointing": {"activation_checkpointing": True},
}
# Losses of four steps on the embedded bases, one thread, float32. 4-bit kernels differ between processors.
GOLDEN: dict[tuple[str, str], list[float]] = {
    ("demo-llama", "lora"): [2.26844, 2.31928, 1.76799, 1.75552],
    ("demo-llama", "rslora"): [2.26844, 1.9978, 1.36703, 1.25626],
    ("demo-llama", "dora"): [2.26844, 2.28508, 1.73066, 1.71338],
    ("demo-llama", "full"): [2.26844, 1.75333, 1.32344, 1.25179],
    ("demo-llama", "4bit"): [2.18079, 2.23259, 1.69494, 1.70296],
    ("demo-llama", "packing"): [2.26844, 2.31928, 1.76799, 1.75552],
    ("demo-llama", "neftune"): [2.16846, 2.36487, 1.80437, 1.81108],
    ("demo-llama", "checkpointing"): [2.26844, 2.31928, 1.76799, 1.75552],
    ("demo-qwen2", "lora"): [3.04881, 3.06667, 2.8079, 2.58552],
    ("demo-qwen2", "rslora"): [3.04881, 2.64748, 2.06007, 1.67404],
    ("demo-qwen2", "dora"): [3.04881, 3.02547, 2.74574, 2.51827],
    ("demo-qwen2", "full"): [3.04881, 2.30478, 1.96508, 1.61867],
    ("demo-qwen2", "4bit"): [4.0037, 3.93031, 3.8998, 3.68529],
    ("demo-qwen2", "packing"): [3.04881, 3.06667, 2.8079, 2.58552],
    ("demo-qwen2", "neftune"): [3.03334, 3.04213, 2.78529, 2.52763],
    ("demo-qwen2", "checkpointing"): [3.04881, 3.06667, 2.8079, 2.58552],
}
TOLERANCE = {"4bit": 2e-2}


def spec(base: str = "demo-llama", **values) -> SftSpec:
    return load_spec(SftSpec, {
        "base": base, "dataset": "demo-medical", "target": "trace", "max_rows": 64, "batch_size": 8,
        "micro_batch_size": 8, "max_steps": 4, "lora_r": 8, "lora_alpha": 16, "learning_rate": 4e-3, "warmup_frac": 0,
        "health_probes": 0, **values,
    })


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # sums in another order give other last digits
    yield
    torch.set_num_threads(before)


def ready(settings: SftSpec, folder):
    """(trainer, rows) of a job, before its first step."""
    begun = begin(settings, MemoryContext(folder))
    rows = build_rows(settings, resolve_dataset(settings.dataset).load(), begun.tokenizer, begun.style)
    setting = _trl.Setting(settings, settings.micro_batch_size, folder)
    return _trl.build_trainer(setting, _trl.Loaded(begun, load_policy(begun, settings)), rows, []), rows


def losses(trainer) -> list[float]:
    with learned_positions_alone():
        trainer.train()
    return [line["loss"] for line in trainer.state.log_history if "loss" in line]


@pytest.mark.parametrize(("base", "form"), sorted(GOLDEN))
def test_a_form_has_the_losses_it_had(tmp_path, base, form):
    trainer, _ = ready(spec(base, **FORMS[form]), tmp_path)
    assert losses(trainer) == pytest.approx(GOLDEN[base, form], abs=TOLERANCE.get(form, 2e-4))


def test_there_is_a_golden_run_of_every_form_on_every_embedded_base():
    assert {form for _, form in GOLDEN} == set(FORMS)
    assert {base for base, _ in GOLDEN} == {"demo-llama", "demo-qwen2"}


@pytest.mark.parametrize("form", ["packing", "checkpointing"])
def test_what_saves_time_or_memory_changes_no_loss(form):
    for base in ("demo-llama", "demo-qwen2"):
        assert GOLDEN[base, form] == pytest.approx(GOLDEN[base, "lora"], abs=2e-5)
    assert abs(GOLDEN["demo-llama", "neftune"][0] - GOLDEN["demo-llama", "lora"][0]) > 1e-4  # noise does


@pytest.mark.parametrize("form", FORMS)
def test_every_trainable_parameter_moves_and_every_frozen_one_stays(tiny, tmp_path, form):
    settings = spec("tiny", dataset="sums", max_length=128, **{**FORMS[form], "learning_rate": 5e-3})
    trainer, _ = ready(settings, tmp_path)
    before = {name: p.detach().clone() for name, p in trainer.model.named_parameters()}
    losses(trainer)
    trainable = {name for name, p in trainer.model.named_parameters() if p.requires_grad}
    moved = {name for name, p in trainer.model.named_parameters() if not torch.equal(p, before[name])}
    assert trainable and moved == trainable
    assert all(p.dtype == torch.float32 for p in trainer.model.parameters() if p.requires_grad)
    assert all(("lora_" in name) == (form != "full") for name in trainable)
    assert any("magnitude" in name for name in trainable) == (form == "dora")


def test_an_evaluation_between_two_steps_does_not_change_how_4bit_weights_train(tiny, tmp_path):
    """bitsandbytes repacks 4-bit weights in an evaluation-mode pass on CPUs with AVX512-BF16, see `_weights.py`."""
    runs = []
    for evaluates in (False, True):
        trainer, _ = ready(spec(quantisation="4bit", micro_batch_size=4), tmp_path)
        step = trainer.training_step

        def looks_first(model, *rest, step=step):
            model.eval()
            with torch.no_grad():
                model(input_ids=torch.tensor([[5, 6, 7]]), use_cache=False)
            return step(model.train(), *rest)

        if evaluates:
            trainer.training_step = looks_first
        runs.append(losses(trainer))
    assert runs[0] == runs[1]


def test_frozen_maps_are_held_in_four_bits_and_the_rest_is_not(tmp_path):
    settings = spec(quantisation="4bit")
    model = load_policy(begin(settings, MemoryContext(tmp_path)), settings)
    kinds = {name.split(".")[-2] for name, p in model.named_parameters() if p.dtype == torch.uint8}
    assert kinds == {"base_layer"}
    assert next(p for name, p in model.named_parameters() if "embed_tokens" in name).dtype == torch.float32
    assert _trl.count_parameters(model)[1] == bases()["demo-llama"].parameters


def test_rank_stabilised_adapters_are_scaled_by_the_root_of_their_rank(tiny, tmp_path):
    scales = []
    for variant in ("plain", "rslora"):
        settings = spec("tiny", dataset="sums", lora_variant=variant, lora_r=16, lora_alpha=32)
        model = load_policy(begin(settings, MemoryContext(tmp_path)), settings)
        adapters = [module for module in model.modules() if hasattr(module, "lora_A")]
        scales.append(adapters[0].scaling["default"])
    assert scales == [2.0, 8.0]  # 32 / 16 and 32 / sqrt 16


# ---- packing


def rows_of(lengths: list[int]) -> list[Row]:
    draw = torch.Generator().manual_seed(0)
    made = [torch.randint(5, 60, (length,), generator=draw).tolist() for length in lengths]
    return [Row(str(i), ids[: len(ids) // 2], ids[len(ids) // 2:]) for i, ids in enumerate(made)]


@pytest.mark.parametrize("in_one", [False, True])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_a_packed_row_has_the_logits_it_has_alone(tiny, attention, in_one):
    rows = rows_of([30, 7, 22, 50, 3, 18])
    model = AutoModelForCausalLM.from_pretrained(tiny.location(), attn_implementation=attention).eval()
    batch = Collator(0, pack_length=60, in_one=in_one)(rows)
    assert len(batch["input_ids"]) == (1 if in_one else 3)
    with torch.no_grad():
        packed = model(input_ids=batch["input_ids"], position_ids=batch["position_ids"], use_cache=False).logits
        for row in rows:
            ids = row.prompt_ids + row.completion_ids
            alone = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0]
            sequence, at = next((s, t) for s, line in enumerate(batch["input_ids"].tolist())
                                for t in range(len(line)) if line[t : t + len(ids)] == ids)
            assert torch.allclose(packed[sequence, at : at + len(ids)], alone, atol=2e-5)


def test_packing_changes_what_a_token_sees_if_the_cache_is_used(tiny):
    """The trap that use_cache=False avoids: this test fails when transformers no longer has it."""
    rows = rows_of([30, 20])
    model = AutoModelForCausalLM.from_pretrained(tiny.location()).eval()
    batch = Collator(0, pack_length=60)(rows)
    given = {"input_ids": batch["input_ids"], "position_ids": batch["position_ids"]}
    with torch.no_grad():
        apart, mixed = (model(**given, use_cache=cache).logits for cache in (False, True))
    assert not torch.allclose(apart[0, 30:], mixed[0, 30:], atol=1e-3)


def test_packs_hold_every_row_once_and_no_more_than_fits():
    rows = rows_of([30, 7, 22, 50, 3, 18, 70])
    collate = Collator(0, pack_length=60)
    packs = collate._packs(rows)
    assert sorted(row.id for pack in packs for row in pack) == sorted(row.id for row in rows)
    assert all(sum(map(len, pack)) <= 60 or len(pack) == 1 for pack in packs)
    batch = collate(rows)
    assert batch["n_tokens"] == 200 and int((batch["labels"] != IGNORED).sum()) == sum(
        len(row.completion_ids) for row in rows)


def test_packing_reads_fewer_positions_for_the_same_tokens():
    rows = rows_of([100, *[20] * 10])
    padded, packed = Collator(0)(rows), Collator(0, pack_length=100)(rows)
    assert padded["n_tokens"] == packed["n_tokens"] == 300
    assert padded["input_ids"].numel() == 1100 and packed["input_ids"].numel() == 300


def test_padding_on_the_right_without_a_mask_changes_no_logit_of_a_row(tiny):
    rows = rows_of([40, 9])
    model = AutoModelForCausalLM.from_pretrained(tiny.location()).eval()
    batch = Collator(0)(rows)
    with torch.no_grad():
        padded = model(input_ids=batch["input_ids"], use_cache=False).logits
        alone = model(input_ids=batch["input_ids"][1:, :9], use_cache=False).logits
    assert torch.allclose(padded[1, :9], alone[0], atol=1e-5)


def test_noise_and_packing_together_are_a_fault_of_the_spec():
    with pytest.raises(SpecError, match="neftune_alpha: .* which packing changes"):
        spec(neftune_alpha=5.0, packing=True)


# ---- resume


@pytest.mark.parametrize("form", ["4bit", "packing", "dora", "neftune", "checkpointing", "start"])
def test_a_run_of_every_form_that_was_stopped_ends_with_the_weights_of_one_that_was_not(tiny, tmp_path, form):
    values = dict(FORMS.get(form, {}))
    models = {}
    if form == "start":
        first = attempt(tmp_path / "first")
        _trl.train_sft(resumed(max_steps=2), first)
        models["variant:first"] = ModelSource(ref="variant:first", label="first", base="tiny", kind="adapter",
                                              folder=str(tmp_path / "first"))
        values["start"] = "variant:first"
    settings = resumed(**values, max_steps=5)
    whole = attempt(tmp_path / "whole")
    whole.models = models
    expected = _trl.train_sft(settings, whole)
    cut = attempt(tmp_path / "cut", n_steps=2)
    cut.models = models
    with pytest.raises(Stopped):
        _trl.train_sft(settings, cut)
    again = attempt(tmp_path / "cut", cut)
    again.models = models
    result = _trl.train_sft(settings, again)
    assert weights_sha256(again.folder) == weights_sha256(whole.folder)
    assert result["n_tokens_seen"] == expected["n_tokens_seen"]


# ---- targets and matching


@pytest.mark.parametrize(("target", "begins"), [
    ("steps", "<think>"), ("gold", "Answer: "), ("shuffled", "<think>"), ("wrong", "<think>"),
])
def test_every_target_trains_what_it_says(tiny, tmp_path, target, begins):
    trainer, rows = ready(spec("tiny", dataset="sums", target=target, max_length=128), tmp_path)
    said = trainer.processing_class.decode(rows.kept[0].completion_ids)
    assert said.startswith(begins) and said.endswith("<eos>")
    right = next(row for row in datasets()["sums"].load() if row.id == rows.kept[0].id)
    assert (f"Answer: {right.gold}<eos>" in said) == (target != "wrong")
    assert len(losses(trainer)) == 4


def test_all_targets_train_on_the_same_rows_in_the_same_order(tiny, tmp_path):
    ids = []
    for target in ("trace", "steps", "answer", "gold", "shuffled", "wrong"):
        _, rows = ready(spec("tiny", dataset="long", target=target, max_rows=0, max_length=120), tmp_path)
        ids.append([row.id for row in rows.kept])
    assert len(ids[0]) == 5 and all(each == ids[0] for each in ids)


def test_an_arm_matched_by_tokens_reads_as_many_as_the_one_with_traces(tiny, tmp_path):
    read = {}
    for target in ("trace", "answer", "gold"):
        settings = spec("tiny", dataset="sums", target=target, max_steps=0, epochs=3, match="tokens", max_length=128)
        _, rows = ready(settings, tmp_path)
        n_steps = settings.n_steps(len(rows.kept), rows.passes("tokens"))
        read[target] = n_steps * settings.batch_size * rows.n_tokens / len(rows.kept)
    assert read["answer"] == pytest.approx(read["trace"], rel=0.05)
    assert read["gold"] == pytest.approx(read["trace"], rel=0.05)


def test_arms_matched_by_steps_take_as_many():
    assert {spec(target=target, match="steps", max_steps=9).n_steps(64, 2.0) for target in ("trace", "gold")} == {9}


# ---- settings reach the optimiser


def test_the_optimisers_settings_are_the_specs(tiny, tmp_path):
    settings = spec("tiny", dataset="sums", adam_beta2=0.95, max_grad_norm=0.3, weight_decay=0.1)
    trainer, _ = ready(settings, tmp_path)
    trainer.create_optimizer()
    group = trainer.optimizer.param_groups[0]
    assert group["betas"] == (0.9, 0.95) and group["weight_decay"] == 0.1 and trainer.args.max_grad_norm == 0.3


def test_a_gradient_is_cut_to_the_norm_asked_for_and_not_at_all_with_zero(tiny, tmp_path, monkeypatch):
    cuts = []
    cut = torch.nn.utils.clip_grad_norm_
    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", lambda weights, norm, *rest, **more: (
        cuts.append(norm), cut(weights, norm, *rest, **more))[1])
    for norm in (0.25, 0.0):
        trainer, _ = ready(spec("tiny", dataset="sums", max_grad_norm=norm, max_steps=1), tmp_path)
        losses(trainer)
    assert cuts == [0.25, float("inf")]  # measured for the curve, and not cut


# ---- the trainer against TRL's own


def test_the_losses_are_those_of_trls_trainer_on_the_same_rows(tmp_path):
    from datasets import Dataset as Table
    from trl import SFTConfig, SFTTrainer

    settings = spec(batch_size=8, micro_batch_size=4)
    trainer, rows = ready(settings, tmp_path)
    ours = losses(trainer)
    begun = begin(settings, MemoryContext(tmp_path))
    arguments = {name: getattr(trainer.args, name) for name in (
        "output_dir", "max_steps", "per_device_train_batch_size", "gradient_accumulation_steps", "learning_rate",
        "lr_scheduler_type", "warmup_steps", "seed", "use_cpu", "bf16", "logging_steps", "save_strategy",
        "report_to", "disable_tqdm",
    )}
    theirs = SFTTrainer(
        load_policy(begun, settings), train_dataset=as_table(rows, Table), processing_class=begun.tokenizer,
        args=SFTConfig(**arguments, activation_checkpointing=False, max_length=None,
                       dataset_kwargs={"skip_prepare_dataset": True}),
    )
    theirs.train()
    logged = [line for line in theirs.state.log_history if "loss" in line]
    assert ours == pytest.approx([line["loss"] for line in logged], abs=2e-6)
    mine = [line for line in trainer.state.log_history if "loss" in line]
    for name in ("mean_token_accuracy", "num_tokens", "grad_norm", "learning_rate"):
        assert [line[name] for line in mine] == pytest.approx([line[name] for line in logged], rel=1e-4), name


def as_table(rows: Rows, table):
    return table.from_dict({
        "input_ids": [row.prompt_ids + row.completion_ids for row in rows.kept],
        "labels": [[IGNORED] * len(row.prompt_ids) + row.completion_ids for row in rows.kept],
    })


def test_the_health_of_a_trained_model_is_in_its_result(tiny, tmp_path):
    result = _trl.train_sft(spec("tiny", dataset="sums", max_length=128, health_probes=3), MemoryContext(tmp_path))
    assert result["health"]["n"] == 3 and set(result["health"]["checks"]) >= {"thinking", "ended", "empty"}
    assert result["health"]["failed"]  # a model of random weights after four steps cannot answer


def test_the_adapter_is_on_disk_before_the_model_is_asked(tiny, tmp_path, monkeypatch):
    seen = []
    examine = _trl.examine
    monkeypatch.setattr(_trl, "examine", lambda *given: (
        seen.append((tmp_path / "adapter_model.safetensors").exists()), examine(*given))[1])
    _trl.train_sft(spec("tiny", dataset="sums", max_length=128, health_probes=1), MemoryContext(tmp_path))
    assert seen == [True]


def test_a_saved_4bit_adapter_stands_on_the_base_in_full_precision(tmp_path):
    context = MemoryContext(tmp_path)
    _trl.train_sft(spec(quantisation="4bit"), context)
    base = AutoModelForCausalLM.from_pretrained(bases()["demo-llama"].location())
    untouched = copy.deepcopy(base)
    model = PeftModel.from_pretrained(base, tmp_path)
    ids = torch.tensor([[5, 6, 7, 8]])
    with torch.no_grad():
        assert not torch.allclose(model(ids, use_cache=False).logits, untouched(ids, use_cache=False).logits, atol=1e-3)
