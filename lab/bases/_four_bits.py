"""4-bit weights with bitsandbytes: how they are read, for training and for answering alike."""

from __future__ import annotations

import os
from typing import Any

import torch


def in_four_bits(compute: torch.dtype) -> dict[str, Any]:
    """NF4 with double quantisation (QLoRA, Dettmers et al. 2023, section 3), computed in the dtype of the rest."""
    from transformers import BitsAndBytesConfig

    config = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=compute,
    )
    place = {"device_map": {"": int(os.environ.get("LOCAL_RANK", "0"))}} if torch.cuda.is_available() else {}
    return {"quantization_config": config, **place}


def without_packing(model: Any) -> None:
    """Keep 4-bit weights as they are on a CPU with AVX512-BF16.

    bitsandbytes 0.50 repacks them there at the first pass in evaluation mode, and every later backward pass is wrong.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
