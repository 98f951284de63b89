"""An adapter's weights put into a copy of its base. The base's own files and any model in memory stay as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from peft.tuners.tuners_utils import BaseTunerLayer
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM
from transformers.utils import logging

from lab.bases.cards import BaseCard
from lab.bases.files import from_pretrained
from lab.core.errors import LabError

# Relative difference of logits (L2) that rounding to a type explains: about its precision over some thirty layers.
TOLERATED = {torch.float32: 1e-4, torch.float16: 2e-2, torch.bfloat16: 1e-1}


def merge(card: BaseCard, adapter: Path, folder: Path) -> None:
    """Write whole weights in the type the base is published in; needs memory for one model of that type.

    The base is read anew, and never in 4 bits: a merged weight rounded to 4 bits is neither the trained nor the
    published one. Raises LabError when the merged model does not answer as the base with its adapter does.
    """
    logging.disable_progress_bar()
    model = from_pretrained(AutoModelForCausalLM, card, dtype="auto")
    published = model.dtype
    try:
        adapted = PeftModel.from_pretrained(model, str(adapter)).eval()
        before = _probe(adapted)
        merged = _merged(adapted, published)
    except (RuntimeError, ValueError, KeyError, OSError, SafetensorError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()
        raise LabError(f"the adapter in {adapter} cannot be merged into base '{card.name}': {reason}") from error
    _check(before, _probe(merged), published, "merged")
    merged.save_pretrained(folder)
    for file in folder.glob("*.safetensors"):
        file.chmod(0o644)  # they are written for this user alone
    # A tied or renamed weight could be lost between memory and file.
    _check(before, _probe(AutoModelForCausalLM.from_pretrained(str(folder), dtype="auto").eval()), published, "written")


def _merged(adapted: PeftModel, published: torch.dtype) -> Any:
    """Layer by layer in float32, rounded once: peft alone would round the difference first, and then the sum."""
    for layer in adapted.modules():
        if isinstance(layer, BaseTunerLayer):
            layer.get_base_layer().to(torch.float32)
            layer.merge(safe_merge=True)
            layer.get_base_layer().to(published)
    return adapted.unload()


@torch.inference_mode()
def _probe(model: Any) -> torch.Tensor:
    ids = torch.arange(2, 34)[None] % model.config.vocab_size  # (1, T)
    return model(input_ids=ids).logits.float()


def _check(before: torch.Tensor, after: torch.Tensor, published: torch.dtype, what: str) -> None:
    off = float((after - before).norm() / before.norm())
    if not off <= TOLERATED.get(published, 1e-1):  # also when it is not a number
        raise LabError(f"the {what} weights answer otherwise than the base with its adapter (logits differ by "
                       f"{100 * off:.2g} %): the export is given up. Export the adapter instead", "bug")
