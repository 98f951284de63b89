"""Weights: one base in memory, LoRA adapters on it by label, and full fine-tunes beside it.

Every adapter shares the base's weights, so an adapter that changes them would falsify its neighbours and the base
itself. `probe_identity` proves after each load that the base still computes exactly what it did alone.
Not thread-safe: `lab.engine._hf` holds one lock around every use.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM
from transformers.utils import logging as transformers_logging

from lab.bases.cards import BaseCard
from lab.bases.files import from_pretrained
from lab.bases.tokenizers import open_tokenizer
from lab.core.errors import LabError, UnknownName
from lab.core.types import ModelSource, StyleName
from lab.engine.contract import check_contract, style_of

PROBE = "The quick brown fox jumps over 12 lazy dogs."
# A smaller base's matrix products are too short to share: threads would mostly wait for each other. On two busy cores
# a base of 1.1 M answers 41 questions a second with one thread and 5 with two.
SMALL_PARAMETERS = 20_000_000
UNSURE = "?"  # no adapter has this name, so the next switch sets everything explicitly


class Weights:
    """A base and what stands on it. `ready(label)` returns the model with the right adapter switched on."""

    def __init__(self, card: BaseCard):
        if card.parameters < SMALL_PARAMETERS:
            torch.set_num_threads(1)
        transformers_logging.disable_progress_bar()  # a bar per load would fill the job's log
        self.card = card
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.dtype = torch.bfloat16 if self.device.type == "cuda" else torch.float32
        self.tokenizer = open_tokenizer(card)
        self._base = self._own()
        self._peft: Any = None  # wraps the base once the first adapter is loaded; the base's layers change in place
        self._adapters: dict[str, str] = {}  # label → PEFT's name for it
        self._full: dict[str, Any] = {}  # label → its own model
        self._folders: dict[str, str] = {}  # label → where it came from
        self._styles: dict[str, StyleName] = {card.name: card.thinking_style}  # label → how it marks its thinking
        self._active: str | None = None  # PEFT's name of the adapter that is switched on; None: the base
        self._n_loaded = 0
        self._alone = self._probe()

    def labels(self) -> list[str]:
        return [self.card.name, *self._adapters, *self._full]

    def style(self, label: str) -> StyleName:
        """How the model of this label was taught to mark its thinking."""
        if label not in self._styles:
            raise UnknownName("model", label, self.labels())
        return self._styles[label]

    def end_ids(self) -> frozenset[int]:
        """Ids that end an answer: the tokenizer's and those of the base's own generation settings."""
        given = self._base.generation_config.eos_token_id
        named = [self.tokenizer.eos_token_id, *(given if isinstance(given, list) else [given])]
        ids = frozenset(token for token in named if token is not None)
        if not ids:
            raise LabError(f"base '{self.card.name}' names no end-of-sequence token; its tokenizer must have one")
        return ids

    def load(self, source: ModelSource) -> None:
        """Load a model under its label. Loading the same folder again does nothing; another folder replaces it."""
        if source.base != self.card.name:
            raise LabError(
                f"model '{source.label}' stands on '{source.base}', but this engine holds '{self.card.name}'"
            )
        if source.kind == "base":
            if source.label != self.card.name:
                raise LabError(f"the base is called '{self.card.name}' here, not '{source.label}'")
            return
        folder = _existing(source)
        if source.label == self.card.name:
            raise LabError(f"a variant cannot be called '{source.label}': that is the base's name")
        if self._folders.get(source.label) == str(folder):
            return
        check_contract(source, self.tokenizer, self.card)
        if source.kind == "adapter":
            self._load_adapter(source.label, folder)
            self._full.pop(source.label, None)
        else:
            self._full[source.label] = self._read(folder)
            self._adapters.pop(source.label, None)
        self._folders[source.label] = str(folder)
        self._styles[source.label] = style_of(source, self.card)

    def ready(self, label: str) -> Any:
        """The model that answers for `label`, its adapter switched on and all others off."""
        if label in self._full:
            return self._full[label]
        if label != self.card.name and label not in self._adapters:
            raise UnknownName("model", label, self.labels())
        self._switch(self._adapters.get(label))
        return self._base

    def probe_identity(self) -> None:
        """Raise unless the base, adapters off, gives bit for bit the logits it gave before any was loaded."""
        self._switch(None)
        if not torch.equal(self._probe(), self._alone):
            raise LabError(
                f"the adapter changes the base '{self.card.name}' itself, so a comparison would be false. Adapters "
                "that rewrite base weights (PiSSA, OLoRA) cannot share a base: train with the default initialisation."
            )

    def _load_adapter(self, label: str, folder: Path) -> None:
        _check_adapter(label, folder)
        self._n_loaded += 1
        # PEFT warns about names that are part of 'lora_' and breaks on dots, so labels never reach it.
        name = f"adapter_{self._n_loaded:04d}"
        try:
            self._attach(name, folder)
            self.probe_identity()
        except LabError:
            self._rebuild()
            raise
        except (RuntimeError, ValueError, KeyError, OSError) as error:
            self._rebuild()
            reason = str(error).splitlines()[-1].strip()
            raise LabError(f"adapter '{label}' does not fit base '{self.card.name}': {reason}") from error
        self._adapters[label] = name

    def _rebuild(self) -> None:
        """Start again from the files: a load that failed half-way may have left layers or changed weights behind."""
        self._peft, self._active = None, None
        self._base = self._own()
        for label, name in self._adapters.items():
            self._attach(name, Path(self._folders[label]))

    def _attach(self, name: str, folder: Path) -> None:
        from peft import PeftModel  # 4 s to import, and most benchmark runs of a base never need it

        self._active = UNSURE
        if self._peft is None:
            self._peft = PeftModel.from_pretrained(self._base, str(folder), adapter_name=name)
        else:
            self._peft.load_adapter(str(folder), adapter_name=name)
        self._peft.eval()

    def _switch(self, name: str | None) -> None:
        """Switch one adapter on, or all off. PEFT's `disable_adapter` inspects every layer, too slow for each token."""
        if self._peft is None or name == self._active:
            return
        if name is None:
            self._peft.base_model.disable_adapter_layers()
        else:
            self._peft.base_model.enable_adapter_layers()
            self._peft.set_adapter(name, inference_mode=True)
        self._active = name

    @torch.inference_mode()
    def _probe(self) -> torch.Tensor:
        ids = self.tokenizer(PROBE, return_tensors="pt")["input_ids"].to(self.device)
        return self._base(input_ids=ids, use_cache=False).logits.cpu()

    def _own(self) -> Any:
        """The base's own weights."""
        return self._placed(from_pretrained(AutoModelForCausalLM, self.card, dtype=self.dtype))

    def _read(self, folder: Path) -> Any:
        """A full fine-tune's weights."""
        try:
            model = AutoModelForCausalLM.from_pretrained(str(folder), dtype=self.dtype)
        except (OSError, ValueError) as error:
            raise LabError(f"the weights in {folder} cannot be read: {error}") from error
        return self._placed(model)

    def _placed(self, model: Any) -> Any:
        return model.to(self.device).eval().requires_grad_(False)


def _existing(source: ModelSource) -> Path:
    folder = Path(source.folder or "")
    if not source.folder or not folder.is_dir():
        raise LabError(f"model '{source.label}': its folder {source.folder} does not exist; was its job deleted?")
    return folder


def _check_adapter(label: str, folder: Path) -> None:
    config = folder / "adapter_config.json"
    if not config.is_file():
        raise LabError(f"model '{label}': {folder} holds no LoRA adapter (adapter_config.json is missing)")
    kind = json.loads(config.read_text(encoding="utf-8")).get("peft_type")
    if kind != "LORA":
        raise LabError(f"model '{label}': adapters of type {kind} are not supported; LoRA is")
