"""Where a training run begins: a base, or a variant of it, as a model that is ready to be trained.

Every training kind begins here, so all of them know the same starts, refuse the same contradictions, and hold frozen
weights in the same form:

    begun = begin(spec, context)         # card, tokenizer, thinking style; no weights yet
    model = load_policy(begun, spec)     # a plain model for full fine-tuning, a trainable PeftModel for LoRA
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from peft import PeftConfig, PeftModel, get_peft_model
from transformers import set_seed

from lab.bases._four_bits import without_packing
from lab.bases.cards import BaseCard, bases
from lab.bases.tokenizers import open_tokenizer
from lab.core.context import Context
from lab.core.errors import Fault, LabError, SpecError
from lab.core.types import ModelSource, StyleName
from lab.engine.contract import check_contract, contract, style_of
from lab.training._weights import count_parameters, lora_config, read_weights

ADAPTER_CONFIG = "adapter_config.json"


class Settings(Protocol):
    """The fields of `settings.Adapting` and `settings.Beginning` that decide where a run begins."""

    base: str
    start: str
    thinking_style: Any
    seed: int
    method: Any
    quantisation: Any
    lora_variant: Any
    lora_r: int
    lora_alpha: int
    lora_dropout: float
    activation_checkpointing: bool


@dataclass(frozen=True)
class Begun:
    """What a run starts from, before any weights are read."""

    card: BaseCard
    tokenizer: Any
    style: StyleName  # how this run's completions mark their thinking
    source: ModelSource | None = None  # the variant it goes on from; None: the base itself

    def weights(self, spec: Settings) -> str:
        """What the run leaves: 'adapter' on the base, or 'full' weights.

        An adapter that was trained on a start of full weights fits no base, so it is merged into them when saved.
        """
        merged = self.source is not None and self.source.kind == "full"
        return "full" if spec.method == "full" or merged else "adapter"

    def facts(self, spec: Settings) -> dict[str, Any]:
        """What every training result says of the variant it leaves."""
        made = contract(self.tokenizer, self.style, self.card)
        return {"weights": self.weights(spec), "thinking_style": self.style, "template_sha": made["template_sha256"]}


def begin(spec: Settings, context: Context) -> Begun:
    """Resolve base, start and thinking style. Raises SpecError with everything about them that does not fit."""
    card = bases()[spec.base]
    source = context.model(spec.start) if spec.start else None
    tokenizer = open_tokenizer(card)
    if source is None or source.kind == "base":
        _refuse(_base_faults(spec, source), spec)
        return Begun(card, tokenizer, _asked(spec, card.thinking_style))
    folder = _existing(source)
    taught = style_of(source, card)
    _refuse(_start_faults(spec, source, folder, taught), spec)
    check_contract(source, tokenizer, card)
    return Begun(card, tokenizer, _asked(spec, taught), source)


def load_policy(begun: Begun, spec: Settings) -> Any:
    """The model of this run: trainable in what the spec asks for, frozen in all else, on the CPU or the first GPU.

    The seed is set before LoRA draws its first weights. Raises LabError when nothing would be trained.
    """
    source = begun.source
    full = source.folder if source is not None and source.kind == "full" else None
    model = attached(read_weights(begun.card, spec, full), begun, spec)
    if not count_parameters(model)[0]:
        raise LabError(f"nothing would be trained: no weight of '{spec.base}' is adapted by lora_targets "
                       f"{begun.card.lora_targets}. Correct the base's card, or use method full", "spec")
    return model


def attached(model: Any, begun: Begun, spec: Settings) -> Any:
    """`model` with what is trained on it: the start's adapter, a new one, or all its own weights."""
    set_seed(spec.seed)
    if spec.method == "lora":
        model = _with_adapter(model, begun, spec)
        if spec.quantisation == "4bit":
            # TRL would round the adapter to bfloat16, in which the small steps of a low learning rate vanish.
            model.get_base_model().is_loaded_in_4bit = False
    if spec.activation_checkpointing:
        model.activation_checkpointing_enable()
        if spec.method == "lora":
            model.enable_input_require_grads()  # a frozen embedding's output asks for no gradient by itself
    without_packing(model)
    return model


def _with_adapter(model: Any, begun: Begun, spec: Settings) -> PeftModel:
    source = begun.source
    if source is not None and source.kind == "adapter":
        folder = str(source.folder)
        config = PeftConfig.from_pretrained(folder)
        config.lora_dropout, config.inference_mode = spec.lora_dropout, False
        return PeftModel.from_pretrained(model, folder, is_trainable=True, config=config)
    try:
        return get_peft_model(model, lora_config(spec, begun.card))
    except ValueError as error:
        if "arget modules" not in str(error):
            raise
        raise LabError(f"nothing would be trained: base '{spec.base}' has no layers called {begun.card.lora_targets}. "
                       "Correct lora_targets in its card", "spec") from error


def _asked(spec: Settings, found: StyleName) -> StyleName:
    return found if spec.thinking_style == "auto" else spec.thinking_style


def _refuse(faults: list[Fault], spec: Settings) -> None:
    if faults:
        raise SpecError(faults, f"start '{spec.start}'" if spec.start else "spec")


def _base_faults(spec: Settings, source: ModelSource | None) -> list[Fault]:
    if source is None or source.base == spec.base:
        return []
    return [Fault("start", f"is the base '{source.base}', and this spec's base is '{spec.base}'", spec.start)]


def _start_faults(spec: Settings, source: ModelSource, folder: Path, taught: StyleName) -> list[Fault]:
    """Everything in which the spec contradicts the variant it goes on from."""
    faults: list[Fault] = []
    if source.base != spec.base:
        faults.append(Fault("start", f"'{source.label}' stands on base '{source.base}', not on '{spec.base}': set base "
                            f"to '{source.base}', or start from a variant of '{spec.base}'", spec.start))
    if spec.thinking_style not in ("auto", taught):
        faults.append(Fault("thinking_style", f"'{source.label}' was taught to mark its thinking in style '{taught}': "
                            "use auto, or start from the base", spec.thinking_style))
    if source.kind != "adapter":
        return faults
    if spec.method == "full":
        faults.append(Fault("method", f"'{source.label}' is an adapter, and full fine-tuning changes the weights under "
                            "it: export it merged and name that folder as base, or use method lora", spec.method))
        return faults
    return faults + _adapter_faults(spec, source, folder)


def _adapter_faults(spec: Settings, source: ModelSource, folder: Path) -> list[Fault]:
    """An adapter goes on in the form it has: rank, scale and variant are its own."""
    config = json.loads((folder / ADAPTER_CONFIG).read_text(encoding="utf-8"))
    has = {
        "lora_r": config["r"], "lora_alpha": config["lora_alpha"],
        "lora_variant": "dora" if config.get("use_dora") else "rslora" if config.get("use_rslora") else "plain",
    }
    if spec.quantisation == "4bit" and has["lora_variant"] == "dora":
        return [Fault("quantisation", f"'{source.label}' is a DoRA adapter, which is not trained on a 4bit base here: "
                      "use none", spec.quantisation)]
    return [
        Fault(name, f"the adapter of '{source.label}' has {value}: set {value}, or start from the base", asked)
        for name, value in has.items() if (asked := getattr(spec, name)) != value
    ]


def _existing(source: ModelSource) -> Path:
    folder = Path(source.folder or "")
    if not source.folder or not folder.is_dir():
        raise LabError(f"start '{source.label}': its folder {source.folder} does not exist; was its job deleted?",
                       "dependency")
    if source.kind == "adapter" and not (folder / ADAPTER_CONFIG).is_file():
        raise LabError(f"start '{source.label}': {folder} holds no adapter ({ADAPTER_CONFIG} is missing)", "dependency")
    return folder


def device() -> torch.device:
    """Where a run that drives its own loop puts the model. A trainer of TRL places it by itself."""
    return torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")
