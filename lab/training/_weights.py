"""A base's files in, a variant's files out: tokenizer, weights, adapter. Nothing here trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer

from lab.bases.cards import BaseCard
from lab.training.counting import missing_files
from lab.training.specs import SftSpec


def revision(card: BaseCard) -> str:
    """What the hub is asked for; a folder has no revision and ignores it."""
    return card.revision or "main"


def load_tokenizer(card: BaseCard) -> Any:
    try:
        return AutoTokenizer.from_pretrained(card.location(), revision=revision(card))
    except OSError as error:
        raise missing_files(card) from error


def load_model(card: BaseCard, spec: SftSpec) -> Any:
    """The base's weights. On a GPU a frozen base is read in bfloat16; weights that are trained stay in float32."""
    half = torch.cuda.is_available() and spec.method == "lora"
    dtype = torch.bfloat16 if half else torch.float32
    try:
        return AutoModelForCausalLM.from_pretrained(card.location(), revision=revision(card), dtype=dtype)
    except OSError as error:
        raise missing_files(card) from error


def lora_config(spec: SftSpec, card: BaseCard) -> LoraConfig:
    targets = card.lora_targets if isinstance(card.lora_targets, str) else list(card.lora_targets)
    return LoraConfig(
        r=spec.lora_r, lora_alpha=spec.lora_alpha, lora_dropout=spec.lora_dropout, target_modules=targets,
        task_type="CAUSAL_LM",
    )


def count_parameters(model: Any) -> tuple[int, int]:
    """(trainable, of the base). An adapter's own weights count as trainable only."""
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    adapter = trainable if hasattr(model, "peft_config") else 0
    return trainable, sum(p.numel() for p in model.parameters()) - adapter


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


def save_variant(
    model: Any, tokenizer: Any, card: BaseCard, folder: Path, weights: dict[str, Any] | None = None
) -> None:
    """Adapter or full weights, and the tokenizer, as plain transformers + peft read them:

    PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(card.location()), folder)

    The adapter names its base by hub id or by the card's name, never by a path of the machine it was trained on.
    """
    if hasattr(model, "peft_config"):
        for config in model.peft_config.values():
            config.base_model_name_or_path = card.hub_id or card.name
            config.revision = card.revision
        # Looking up whether embeddings were resized would ask the hub for that name; they never are.
        model.save_pretrained(folder, state_dict=weights, save_embedding_layers=False)
    else:
        model.config.use_cache = True  # the trainer turned it off; whoever loads the folder generates
        model.save_pretrained(folder, state_dict=weights)
    tokenizer.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)  # peft's template of a card, all blanks
