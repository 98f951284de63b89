"""The memory estimate against what torch really keeps, on bases of the lab."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from lab.bases.cards import bases
from lab.bases.tokenizers import open_tokenizer
from lab.core.spec import load_spec
from lab.training import _trl, memory
from lab.training._lm_head import learned_positions_alone
from lab.training._start import Begun, load_policy
from lab.training.memory import MIB, estimate, needs
from lab.training.rows import Row, Rows
from lab.training.specs import SftSpec

FACTOR = 1.15  # the sum of what backward keeps, on these bases; the total is compared by hand in tests/perf
N_ROWS, LENGTH = 4, 128


def spec(**values) -> SftSpec:
    return load_spec(SftSpec, {"dataset": "demo-medical", "target": "trace", "base": "demo-llama", **values})


def kept_for_backward(settings: SftSpec, folder) -> tuple[int, object]:
    """(bytes that one step keeps between forward and backward, weights aside; the trainer)."""
    card = bases()[settings.base]
    half = LENGTH // 2
    rows = Rows([Row(str(i), [5] * half, [7] * half) for i in range(N_ROWS)], 0)
    begun = Begun(card, open_tokenizer(card), "tags")
    loaded = _trl.Loaded(begun, load_policy(begun, settings))
    trainer = _trl.build_trainer(_trl.Setting(settings, N_ROWS, folder), loaded, rows, [])
    weights = {weight.untyped_storage().data_ptr() for weight in trainer.model.parameters()}
    kept, sizes = [], {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept.append(tensor)  # so that no address is used twice
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor), learned_positions_alone():
        trainer.train()
    return sum(sizes.values()), trainer


@pytest.mark.parametrize(("base", "values"), [
    ("demo-llama", {"method": "lora"}), ("demo-qwen2", {"method": "lora", "lora_dropout": 0.1}),
    ("demo-llama", {"method": "full"}), ("demo-llama", {"lora_variant": "dora"}),
])
def test_activations_are_counted_as_torch_keeps_them(tmp_path, monkeypatch, base, values):
    settings = spec(base=base, micro_batch_size=N_ROWS, batch_size=N_ROWS, max_length=LENGTH, max_steps=1, **values)
    measured, trainer = kept_for_backward(settings, tmp_path)
    card, shape = bases()[base], memory.read_shape(bases()[base])
    monkeypatch.setattr(memory, "CPU_HEAP", 1.0)
    layers = memory._activations(settings, card, shape, on_gpu=False) * shape.layers / (shape.layers + 1)
    assert measured / FACTOR < layers < measured * FACTOR
    trained = sum(weight.numel() for weight in trainer.model.parameters() if weight.requires_grad)
    assert memory.n_trained(settings, card, shape) == trained
    assert estimate(settings, on_gpu=False).optimiser == round(8 * trained / MIB)


def test_a_larger_micro_batch_takes_more_and_sharding_takes_less():
    small, large = (estimate(spec(batch_size=48, micro_batch_size=n)) for n in (4, 48))
    assert large.activations > 10 * small.activations and large.weights == small.weights
    alone, shared = (estimate(spec(method="full", batch_size=48, micro_batch_size=4, **values))
                     for values in ({}, {"gpus": 4, "sharding": "fsdp"}))
    assert shared.optimiser < alone.optimiser / 3 and shared.gradients < alone.gradients / 3
    assert estimate(spec()).weights < estimate(spec(), on_gpu=False).weights  # a frozen base is in bfloat16 on a GPU


def test_the_total_is_the_sum_of_the_parts():
    found = estimate(spec())
    assert found.total == (found.weights + found.gradients + found.optimiser + found.activations + found.logits
                           + found.overhead)


def test_a_job_names_its_devices_and_an_unknown_base_is_no_reason_to_refuse_it(monkeypatch):
    settings = spec(gpus=2, batch_size=48, micro_batch_size=4)
    assert needs(settings).devices == 2 and needs(settings).memory_mib == estimate(settings).total
    hub = bases()["demo-llama"].model_copy(update={"path": None, "hub_id": "nobody/not-here"})
    monkeypatch.setitem(bases(), "demo-llama", hub)
    assert needs(settings).memory_mib == 0 and needs(settings).devices == 2


def test_the_estimate_loads_no_torch():
    code = ("import sys; from lab.training.sft import TASK; from lab.training.specs import SftSpec; "
            "n = TASK.needs(SftSpec(base='demo-llama', dataset='demo-medical', target='trace')).memory_mib; "
            "sys.exit('torch' in sys.modules or not n)")
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_4bit_base_takes_a_quarter_of_a_half_precision_one_where_its_maps_are():
    big = bases()["llama-3.1-8b"]
    whole, quarter = (estimate(spec(base="llama-3.1-8b", quantisation=form)).weights for form in ("none", "4bit"))
    shape = memory.read_shape(big)
    maps = shape.layers * shape.layer_weights()
    unpacked = max(wide * high for wide, high in shape.linears().values())  # one at a time, to compute with it
    saved = maps * (2 - 0.5 - 1 / 64 * (1 + 4 / 256)) - 2 * unpacked  # QLoRA, section 3: 0.127 bits of scales
    assert whole - quarter == pytest.approx(saved / MIB, rel=1e-3) and quarter < 0.4 * whole


def test_what_bitsandbytes_holds_is_what_is_estimated(tmp_path):
    settings = spec(quantisation="4bit")
    card = bases()["demo-llama"]
    begun = Begun(card, open_tokenizer(card), "tags")
    model = load_policy(begun, settings)
    held = sum(p.untyped_storage().nbytes() for p in model.parameters() if not p.requires_grad)
    scales = sum(p.quant_state.absmax.nbytes + p.quant_state.state2.absmax.nbytes for p in model.parameters()
                 if hasattr(p, "quant_state"))
    shape = memory.read_shape(card)
    unpacked = max(wide * high for wide, high in shape.linears().values()) * 4
    assert memory._frozen(settings, card, shape, 4) == pytest.approx(held + scales + unpacked, rel=0.01)


def test_activation_checkpointing_spares_what_it_is_said_to_spare(tmp_path, monkeypatch):
    settings = [spec(micro_batch_size=N_ROWS, batch_size=N_ROWS, max_length=LENGTH, max_steps=1, health_probes=0,
                     activation_checkpointing=on) for on in (False, True)]
    whole, recomputed = (kept_for_backward(each, tmp_path)[0] for each in settings)
    card, shape = bases()["demo-llama"], memory.read_shape(bases()["demo-llama"])
    monkeypatch.setattr(memory, "CPU_HEAP", 1.0)
    layer = memory._activations(settings[0], card, shape, on_gpu=False) / (shape.layers + 1)
    stream = N_ROWS * LENGTH * shape.hidden * 4  # what one layer hands to the next
    assert whole - recomputed == pytest.approx(shape.layers * (layer - stream), rel=0.1)


def test_recomputed_activations_take_a_fraction_and_packing_a_little_more():
    settings = {"base": "llama-3.1-8b", "max_length": 4096, "batch_size": 1, "micro_batch_size": 1}
    whole, recomputed, packed = (estimate(spec(**settings, **values)).activations for values in (
        {}, {"activation_checkpointing": True}, {"packing": True}))
    assert recomputed < whole / 5 and whole < packed < 1.1 * whole
