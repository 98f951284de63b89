"""LoRA files: what PEFT wrote into a folder, as the matrices the engine stacks. No PEFT is needed to read them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn

from lab.core.errors import LabError

PREFIX = "base_model.model."  # PEFT writes every name behind it
UNSTACKED = {  # settings of PEFT that change more than linear layers, and what a person can do about it
    "bias": ("none", "trains biases"), "modules_to_save": (None, "carries trained copies of whole layers"),
    "lora_bias": (False, "adds biases"), "trainable_token_indices": (None, "trains single tokens"),
    "alora_invocation_tokens": (None, "switches on in mid-text"), "fan_in_fan_out": (False, "is of a Conv1D model"),
}


@dataclass
class Part:
    """One adapter in one layer. The scaling is in `b`; `scale` is DoRA's, of each output."""

    a: torch.Tensor  # (rank, in)
    b: torch.Tensor  # (out, rank)
    scale: torch.Tensor | None = None  # (out,)
    factor: float = 1.0  # of a trainable part, whose `b` must stay a parameter


def _settings(folder: Path) -> dict[str, Any]:
    settings = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    for key, (usual, what) in UNSTACKED.items():
        if settings.get(key) not in (usual, None, False, []):
            raise LabError(f"it {what} ({key}), which cannot share a base with others: export it as merged weights "
                           "(python -m jobs export --merged) and use those")
    return settings


def read_parts(folder: Path, modules: dict[str, nn.Linear]) -> dict[str, Part]:
    """Every layer of an adapter's files, on the device and in the type of the linear layer it belongs to.

    LabError, about "it", when it is of a kind that cannot be stacked, does not fit, or is not finite.
    """
    settings = _settings(folder)
    saved = load_file(folder / "adapter_model.safetensors")
    # With an adapter on the head PEFT saves the base's own head again: it is the base's, the probe would tell.
    weights = {key.removeprefix(PREFIX): value for key, value in saved.items() if ".base_layer." not in key}
    layers = sorted({key.rsplit(".lora_", 1)[0] for key in weights})
    parts = {}
    for layer in layers:
        a, b = weights.get(f"{layer}.lora_A.weight"), weights.get(f"{layer}.lora_B.weight")
        linear = modules.get(layer)
        if a is None or b is None or linear is None:
            raise LabError(f"'{layer}' is no linear layer of the base, or its A or B is missing")
        _check_shapes(layer, a, b, linear, settings)
        parts[layer] = _part(a, b, weights.get(f"{layer}.lora_magnitude_vector"), linear, _factor(layer, a, settings))
    if not parts:
        raise LabError("it holds no LoRA weights")
    return parts


def _check_shapes(layer: str, a: torch.Tensor, b: torch.Tensor, linear: nn.Linear, settings: Any) -> None:
    shapes = (a.shape[1], b.shape[0], b.shape[1])
    if shapes != (linear.in_features, linear.out_features, a.shape[0]):
        raise LabError(f"at {layer} it is made for {a.shape[1]} inputs and {b.shape[0]} outputs, the base has "
                       f"{linear.in_features} and {linear.out_features}")
    if not settings.get("rank_pattern") and a.shape[0] != settings["r"]:
        raise LabError(f"its settings say r {settings['r']}, but at {layer} its rank is {a.shape[0]}")
    if not (a.isfinite().all() and b.isfinite().all()):
        raise LabError(f"it holds numbers that are not finite (at {layer}): its training diverged")


def _factor(layer: str, a: torch.Tensor, settings: dict[str, Any]) -> float:
    """alpha / r, or alpha / sqrt(r) of a rank-stabilised LoRA (Kalajdzievski 2023, arXiv 2312.03732)."""
    alpha = settings["lora_alpha"]
    if patterns := settings.get("alpha_pattern"):
        from peft.utils.other import get_pattern_key

        alpha = patterns.get(get_pattern_key(patterns.keys(), layer), alpha)
    rank = a.shape[0]
    return alpha / rank**0.5 if settings.get("use_rslora") else alpha / rank


@torch.no_grad()
def _part(a: torch.Tensor, b: torch.Tensor, magnitude: Any, linear: nn.Linear, factor: float) -> Part:
    weight = linear.weight
    dtype = weight.dtype if weight.is_floating_point() else torch.bfloat16 if weight.is_cuda else torch.float32
    b = b.float() * factor
    scale = None
    if magnitude is not None:
        if not weight.is_floating_point():
            from peft.utils.integrations import dequantize_module_weight

            weight = dequantize_module_weight(linear)
        whole = weight.float() + (b @ a.float()).to(weight.device)
        scale = (magnitude.float().to(weight.device) / whole.norm(dim=1)).to(dtype)
    place = {"device": weight.device, "dtype": dtype}
    return Part(a.to(**place), b.to(**place), scale)
