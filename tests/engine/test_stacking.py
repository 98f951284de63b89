"""Adapters side by side compute what PEFT computes with each alone."""

import json

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

from lab.core.errors import LabError
from lab.engine._stacking import Stack

KINDS = {
    "plain": dict(r=4, lora_alpha=8),
    "wide": dict(r=16, lora_alpha=4, target_modules=["q_proj", "down_proj"]),
    "rslora": dict(r=8, lora_alpha=8, use_rslora=True),
    "dora": dict(r=4, lora_alpha=8, use_dora=True),
    "uneven": dict(r=4, lora_alpha=8, rank_pattern={"q_proj": 2}, alpha_pattern={"v_proj": 32}),
    "head": dict(r=2, lora_alpha=2, target_modules=["lm_head", "o_proj"]),
}
IDS = torch.tensor([[1, 5, 9, 2, 7], [3, 3, 8, 4, 6], [9, 1, 1, 2, 5]])


def model():
    torch.manual_seed(0)
    sizes = dict(vocab_size=40, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4)
    return LlamaForCausalLM(LlamaConfig(**sizes, attention_bias=True, max_position_embeddings=64)).eval()


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """One adapter of each kind with weights that all matter."""
    made = {}
    for name, settings in KINDS.items():
        folder = made[name] = tmp_path_factory.mktemp("adapters") / name
        settings = {"target_modules": "all-linear", "task_type": "CAUSAL_LM"} | settings
        wrapped = get_peft_model(model(), LoraConfig(**settings))
        torch.manual_seed(len(name))
        for key, weight in wrapped.named_parameters():
            if "lora_" in key:
                weight.data += torch.randn_like(weight) * 0.1
        wrapped.save_pretrained(folder)
    return made


@pytest.fixture(scope="module")
def alone(folders):
    """Logits of IDS by PEFT, each adapter alone on a fresh base."""
    with torch.no_grad():
        return {name: PeftModel.from_pretrained(model(), folder).eval()(IDS).logits for name, folder in folders.items()}


@pytest.fixture
def stacked(folders):
    base = model()
    stack = Stack(base)
    for name, folder in folders.items():
        stack.add(name, folder)
    return base, stack


@torch.no_grad()
def test_every_row_of_a_mixed_batch_is_what_peft_gives_with_its_adapter_alone(stacked, alone):
    base, stack = stacked
    plain = model()(IDS).logits
    for names in (("plain", "dora", None), ("wide", None, "rslora"), ("uneven", "head", "plain"), ("dora",) * 3):
        with stack.routed([(name,) if name else () for name in names]):
            mixed = base(IDS).logits
        for line, name in enumerate(names):
            wanted = plain[line] if name is None else alone[name][line]
            assert torch.allclose(mixed[line], wanted, atol=2e-5), (names, line)
            assert name is None or not torch.allclose(mixed[line], plain[line], atol=1e-2)


@torch.no_grad()
def test_without_a_route_the_base_is_bit_for_bit_the_base(stacked):
    base, stack = stacked
    assert torch.equal(base(IDS).logits, model()(IDS).logits)
    with stack.routed([(), (), ()]):
        assert torch.equal(base(IDS).logits, model()(IDS).logits)
    with pytest.raises(ZeroDivisionError), stack.routed([("plain",)] * 3):
        1 / 0  # noqa: B018
    assert torch.equal(base(IDS).logits, model()(IDS).logits)
    stack.close()
    assert not any(module._forward_hooks for module in base.modules())


@torch.no_grad()
def test_two_adapters_of_one_row_add_up(stacked, folders):
    base, stack = stacked
    with stack.routed([("plain", "rslora"), ("rslora", "plain"), ()]):
        both = base(IDS).logits
    wrapped = PeftModel.from_pretrained(model(), folders["plain"], adapter_name="one")
    wrapped.load_adapter(folders["rslora"], "two")
    wrapped.base_model.set_adapter(["one", "two"])
    assert torch.allclose(both[:2], wrapped.eval()(IDS).logits[:2], atol=2e-5)


@torch.no_grad()
def test_an_adapter_that_is_removed_and_replaced_is_the_new_one(stacked, folders, alone):
    base, stack = stacked
    with stack.routed([("plain",)] * 3):
        base(IDS)
    stack.remove("plain")
    stack.add("plain", folders["wide"])
    with stack.routed([("plain",)] * 3):
        assert torch.allclose(base(IDS).logits, alone["wide"], atol=2e-5)


def test_a_trainable_adapter_changes_nothing_until_it_is_trained_and_leaves_the_base_alone(stacked, alone):
    base, stack = stacked
    base.requires_grad_(False)
    before = {name: weight.clone() for name, weight in base.state_dict().items()}
    parameters = stack.add_trainable("new", rank=2, alpha=4, seed=1)
    assert len(parameters) == 2 * 7 * 2  # A and B of seven linear layers in two blocks; the head is left out
    rows = [("plain", "new")] * 3
    with torch.no_grad(), stack.routed(rows):
        assert torch.allclose(base(IDS).logits, alone["plain"], atol=2e-5)
    optimizer, losses = torch.optim.Adam(parameters, lr=1e-2), []
    for _ in range(5):
        with stack.routed(rows):
            loss = base(IDS, labels=IDS).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses == sorted(losses, reverse=True)
    with torch.no_grad(), stack.routed(rows):
        trained = base(IDS).logits
    stack.settled("new")
    with torch.no_grad(), stack.routed(rows):
        assert torch.allclose(base(IDS).logits, trained, atol=1e-5)
    assert all(torch.equal(weight, before[name]) for name, weight in base.state_dict().items())


@pytest.mark.parametrize("changes, sentence", [
    ({"bias": "all"}, "trains biases"), ({"modules_to_save": ["lm_head"]}, "trained copies of whole layers"),
    ({"r": 3}, "its settings say r 3"),
])
def test_an_adapter_that_cannot_be_stacked_is_refused_with_what_to_do(folders, tmp_path, changes, sentence):
    folder = tmp_path / "copy"
    folder.mkdir()
    for file in folders["plain"].iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(config | changes))
    with pytest.raises(LabError, match=sentence):
        Stack(model()).add("bad", folder)


def test_an_adapter_of_another_base_or_with_broken_numbers_is_refused(folders, tmp_path):
    from safetensors.torch import load_file, save_file

    small = LlamaForCausalLM(LlamaConfig(vocab_size=40, hidden_size=16, intermediate_size=48, num_hidden_layers=2,
                                         num_attention_heads=4))
    with pytest.raises(LabError, match="made for 48 inputs and 32 outputs, the base has 48 and 16"):
        Stack(small).add("bad", folders["plain"])
    folder = tmp_path / "nan"
    folder.mkdir()
    (folder / "adapter_config.json").write_bytes((folders["plain"] / "adapter_config.json").read_bytes())
    weights = load_file(folders["plain"] / "adapter_model.safetensors")
    next(iter(weights.values()))[0] = float("nan")
    save_file(weights, folder / "adapter_model.safetensors")
    with pytest.raises(LabError, match="not finite"):
        Stack(model()).add("bad", folder)
