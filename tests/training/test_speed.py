"""The arithmetic and the parts of the speed comparisons, on shapes that a CPU trains in a second."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoModelForCausalLM

from tests.perf import gpu_sft, sft_ways
from tests.perf.gpu_sft import SHAPES, WAYS, Bench, flops_per_token, linear_weights, mfu, write_base
from tests.perf.sft_speed import SETTINGS

SMALL = SHAPES["small"]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return write_base(SMALL, 256, tmp_path_factory.mktemp("bench") / "base")


def counted(model, ids: torch.Tensor) -> int:
    """FLOPs of one step by torch's own count."""
    with FlopCounterMode(display=False) as counter:
        model(input_ids=ids, labels=ids, use_cache=False).loss.backward()
    return counter.get_total_flops()


def test_flops_of_full_training_are_those_that_torch_counts(base):
    model = AutoModelForCausalLM.from_pretrained(base, attn_implementation="eager", dtype=torch.float32).train()
    n_rows, length = 2, 128
    found = counted(model, torch.randint(3, 300, (n_rows, length)))
    expected = flops_per_token(SMALL, length, trains_all=True)
    # torch counts both halves of the scores, of which causal attention needs one.
    attention = 3 * 2 * SMALL.layers * length * SMALL.queries
    assert found == pytest.approx(n_rows * length * (expected + attention), rel=0.02)


def test_flops_of_an_adapter_leave_out_the_gradients_of_frozen_weights(base):
    from peft import LoraConfig, get_peft_model

    model = AutoModelForCausalLM.from_pretrained(base, attn_implementation="eager", dtype=torch.float32)
    model = get_peft_model(model, LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM")).train()
    n_rows, length = 2, 128
    found = counted(model, torch.randint(3, 300, (n_rows, length)))
    n_adapter = sum(p.numel() for p in model.parameters() if p.requires_grad)
    expected = flops_per_token(SMALL, length, trains_all=False, n_adapter=n_adapter)
    attention = 3 * 2 * SMALL.layers * length * SMALL.queries
    # Nothing before the first adapter needs a gradient, which spares some of the first layer's.
    assert found == pytest.approx(n_rows * length * (expected + attention), rel=0.06)


def test_an_8b_shape_has_the_weights_and_flops_of_the_published_model():
    shape = SHAPES["8b"]
    assert linear_weights(shape) + shape.vocabulary * shape.hidden == pytest.approx(8.03e9, rel=1e-3)
    assert flops_per_token(shape, 4096, trains_all=True) == pytest.approx(6 * 7.5e9 + 3.2e9, rel=0.02)


def test_mfu_is_a_share_of_the_devices_peak_and_unknown_for_an_unknown_device():
    assert mfu(1000.0, 989e9, "NVIDIA H100 80GB HBM3") == pytest.approx(1.0)
    assert mfu(1000.0, 989e9, "cpu") is None


@pytest.mark.parametrize("way", ["lora", "lora packed", "4bit checkpointed", "full"])
def test_the_gpu_script_runs_every_way_on_a_cpu(base, way):
    assert way in WAYS
    found = gpu_sft.measure(way, Bench(SMALL, base, length=32, batch=2, steps=2))
    assert {each.program for each in found} == ({"lab"} if "packed" in way else {"plain", "lab"})
    assert all(each.tokens_per_s > 0 and each.mfu is None and each.peak_gib is None for each in found)


def test_the_raw_loop_of_the_comparison_takes_the_labs_steps(tmp_path):
    """What is timed side by side is the same work: same batches, same losses."""
    ready = sft_ways.Ready({**SETTINGS, "max_rows": 96, "max_steps": 6, "lora_r": 8}, tmp_path)
    order = ready.order()
    assert len(order) == 6 and len({each for step in order[:4] for each in step}) == 96
    ours, plain = sft_ways.lab(ready), sft_ways.raw(ready, order)
    assert ours["losses"] == pytest.approx(plain["losses"], abs=1e-4)
    assert ours["losses"][-1] < ours["losses"][0]
