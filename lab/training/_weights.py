"""A base's files in, a variant's files out: tokenizer, weights, adapter, contract. Nothing here trains."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import torch
from peft import LoraConfig, PeftModel
from transformers import AutoModelForCausalLM, Trainer

from lab.bases._four_bits import in_four_bits
from lab.bases.cards import BaseCard
from lab.bases.files import from_pretrained
from lab.core.errors import LabError
from lab.engine.contract import write_contract

if TYPE_CHECKING:
    from lab.training._start import Begun, Settings

ADAPTER = "default"  # PEFT's name of the adapter that is trained


def read_weights(card: BaseCard, spec: Settings, folder: str | None = None) -> Any:
    """The base's weights, or those of a folder of full weights in its place.

    On a GPU a frozen base is read in bfloat16; weights that are trained stay in float32. With 4bit the linear maps are
    quantised while they are read, straight onto their device.
    """
    half = torch.cuda.is_available() and spec.method == "lora"
    settings: dict[str, Any] = {"dtype": torch.bfloat16 if half else torch.float32}
    if spec.quantisation == "4bit":
        settings |= in_four_bits(settings["dtype"])
    if folder is None:
        return from_pretrained(AutoModelForCausalLM, card, **settings)
    try:
        return AutoModelForCausalLM.from_pretrained(folder, **settings)
    except (OSError, ValueError) as error:
        raise LabError(f"the weights in {folder} cannot be read: {error}") from error


def lora_config(spec: Settings, card: BaseCard) -> LoraConfig:
    targets = card.lora_targets if isinstance(card.lora_targets, str) else list(card.lora_targets)
    return LoraConfig(
        r=spec.lora_r, lora_alpha=spec.lora_alpha, lora_dropout=spec.lora_dropout, target_modules=targets,
        use_rslora=spec.lora_variant == "rslora", use_dora=spec.lora_variant == "dora", task_type="CAUSAL_LM",
    )


def count_parameters(model: Any) -> tuple[int, int]:
    """(trainable, of the base). An adapter's own weights count as trainable only; a 4-bit weight counts as one."""
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    adapter = trainable if hasattr(model, "peft_config") else 0
    return trainable, sum(_size(p) for p in model.parameters()) - adapter


def _size(parameter: torch.nn.Parameter) -> int:
    state = getattr(parameter, "quant_state", None)
    return state.shape.numel() if state is not None else parameter.numel()  # two 4-bit weights share a byte


def gathered(trainer: Trainer) -> dict[str, Any] | None:
    """All weights, where the ranks share them out; None where each of them has them all. Every rank must call it."""
    if not trainer.is_fsdp_enabled:
        return None
    weights = trainer.accelerator.get_state_dict(trainer.model)
    # Gathered, a tied pair (embedding and head) is two tensors; the file of a whole model has one.
    tied = getattr(trainer.model, "all_tied_weights_keys", None) or {}
    return {name: value for name, value in weights.items() if name not in tied}


def without_base_name(model: Any) -> Any:
    """Let an adapter in training name no base: at each checkpoint peft would look that name up on the hub."""
    for config in getattr(model, "peft_config", {}).values():
        config.base_model_name_or_path = ""  # not None: peft fills that in again
    return model


def save_variant(model: Any, begun: Begun, folder: Path, weights: dict[str, Any] | None = None) -> None:
    """Adapter or full weights, the tokenizer and the template contract, as plain transformers + peft read them:

    PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(card.location()), folder)

    The adapter names its base by hub id or by the card's label, never by a path of the machine it was trained on. One
    that was trained on a start of full weights is merged into these. `weights`: as `gathered` gives them.
    """
    if not hasattr(model, "peft_config"):
        model.config.use_cache = True  # the trainer turned it off; whoever loads the folder generates
        model.save_pretrained(folder, state_dict=weights)
    elif begun.source is not None and begun.source.kind == "full":
        _save_merged(model, str(begun.source.folder), folder, weights)
    else:
        _save_adapter(model, begun.card, folder, weights)
    begun.tokenizer.save_pretrained(folder)
    write_contract(folder, begun.tokenizer, begun.style, begun.card)
    (folder / "README.md").unlink(missing_ok=True)  # peft's template of a card, all blanks


def _save_adapter(model: PeftModel, card: BaseCard, folder: Path, weights: dict[str, Any] | None) -> None:
    config = model.peft_config[ADAPTER]
    config.base_model_name_or_path = card.hub_id or card.label
    config.revision = card.revision
    # Looking up whether embeddings were resized would ask the hub for that name; they never are. TRL may have added a
    # frozen copy of the start's adapter as reference, which is nobody's result.
    model.save_pretrained(folder, state_dict=weights, save_embedding_layers=False, selected_adapters=[ADAPTER])


def _save_merged(model: PeftModel, start: str, folder: Path, weights: dict[str, Any] | None) -> None:
    """Merge into the start's weights as its files hold them, not into the rounded ones a frozen base is read in."""
    with TemporaryDirectory(dir=folder) as scratch:
        without_base_name(model)
        model.save_pretrained(scratch, state_dict=weights, save_embedding_layers=False, selected_adapters=[ADAPTER])
        whole = AutoModelForCausalLM.from_pretrained(start, dtype="auto")
        PeftModel.from_pretrained(whole, scratch).merge_and_unload().save_pretrained(folder)
