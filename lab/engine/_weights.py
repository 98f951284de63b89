"""Weights: one base in memory, LoRA adapters on it by label, and full fine-tunes beside it.

Every adapter shares the base's weights, so an adapter that changed them would falsify its neighbours and the base
itself: each is proven before its first answer (`lab.engine._identity`). Not thread-safe: one thread owns the model.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM
from transformers.utils import logging as transformers_logging

from lab.bases._four_bits import in_four_bits, without_packing
from lab.bases.cards import BaseCard
from lab.bases.files import from_pretrained
from lab.bases.tokenizers import open_tokenizer
from lab.core.errors import LabError, UnknownName
from lab.core.types import ModelSource, StyleName
from lab.engine._batching import Lane
from lab.engine._identity import Identity, IdentityProbe
from lab.engine._stacking import Names, Stack
from lab.engine.contract import check_contract, style_of

# A smaller base's matrix products are too short to share: threads would mostly wait for each other. On two busy cores
# a base of 1.1 M answers 41 questions a second with one thread and 5 with two.
SMALL_PARAMETERS = 20_000_000
REWRITING = ("pissa", "olora", "corda", "loftq", "lora_ga")  # initialisations after which the base is not the base
PRECISIONS = {"bf16": torch.bfloat16, "fp32": torch.float32}


@dataclass
class Loaded:
    """A model that answers under a label. `names`: its adapters on the base, none for weights of its own."""

    kind: str
    lane: Lane
    names: Names
    style: StyleName
    folder: str
    identity: Identity | None


class Weights:
    """A base and what stands on it."""

    def __init__(self, card: BaseCard, precision: str = "auto", max_rows: int = 32):
        if card.parameters < SMALL_PARAMETERS:
            torch.set_num_threads(1)
        transformers_logging.disable_progress_bar()  # a bar per load would fill the job's log
        self.card, self._max_rows, self._four_bits = card, max_rows, precision == "4bit"
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        usual = torch.bfloat16 if self.device.type == "cuda" else torch.float32
        self.dtype = PRECISIONS.get(precision, usual)
        self.tokenizer = open_tokenizer(card)
        self._n_loaded = 0
        self._models: dict[str, Loaded] = {}
        self._begin()

    def _begin(self) -> None:
        base = self._placed(from_pretrained(AutoModelForCausalLM, self.card, **self._settings()))
        self.lane = Lane(base, Stack(base), self._max_rows)
        self.probe = IdentityProbe(base, self.tokenizer, self.card.name)
        self._models[self.card.name] = Loaded(
            "base", self.lane, (), self.card.thinking_style, "", self.probe.base
        )

    @property
    def base(self) -> Any:
        return self.lane.model

    def labels(self) -> list[str]:
        return list(self._models)

    def loaded(self, label: str) -> Loaded:
        if label not in self._models:
            raise UnknownName("model", label, self.labels())
        return self._models[label]

    def models(self) -> list[dict[str, Any]]:
        """What answers here: label, kind, and what the identity probe found (of weights of their own: nothing)."""
        known = {self.card.name: self.probe.base}
        return [{"label": label, "kind": one.kind, "identity": found.as_json() if found else None}
                for label, one in self._models.items() for found in [known.get(label, one.identity)]]

    def end_ids(self) -> frozenset[int]:
        """Ids that end an answer: the tokenizer's and those of the base's own generation settings."""
        given = self.base.generation_config.eos_token_id
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
        if (there := self._models.get(source.label)) and there.folder == str(folder):
            return
        check_contract(source, self.tokenizer, self.card)
        style = style_of(source, self.card)
        new = self._adapter(source.label, folder, style) if source.kind == "adapter" else self._full(folder, style)
        self.unload(source.label)
        self._models[source.label] = new

    def unload(self, label: str) -> None:
        """Forget a model; one that is not here does no harm. Answers under way go on to their end."""
        if label == self.card.name:
            raise LabError(f"'{label}' is the base of this engine: end the engine to free it")
        if (old := self._models.pop(label, None)) and old.kind == "adapter":
            for name in old.names:
                old.lane.retire(name)

    def rebuild(self) -> None:
        """Read everything again from its files: what is in memory may not be what it was."""
        before = {label: one for label, one in self._models.items() if one.kind != "base"}
        self.lane.stack.close()
        self._begin()
        for label, one in before.items():
            folder = Path(one.folder)
            self._models[label] = (
                self._adapter(label, folder, one.style) if one.kind == "adapter" else self._full(folder, one.style)
            )

    def _adapter(self, label: str, folder: Path, style: StyleName) -> Loaded:
        _check_adapter(label, folder, self.card.name)
        self._n_loaded += 1
        name = f"adapter{self._n_loaded}"  # labels may repeat while answers of the one before are under way
        stack = self.lane.stack
        try:
            stack.add(name, folder)
        except (LabError, RuntimeError, ValueError, KeyError, OSError) as error:
            reason = str(error).splitlines()[-1].strip()
            raise LabError(f"adapter '{label}' does not fit base '{self.card.name}': {reason}") from error
        try:
            identity = self.probe.check(self.base, stack, name, folder, label)
            self.probe.check_base(self.base)
        except Exception:
            stack.remove(name)
            self._mend()
            raise
        return Loaded("adapter", self.lane, (name,), style, str(folder), identity)

    def _mend(self) -> None:
        """A load that failed half-way may have left another base behind: then everything is read again."""
        try:
            self.probe.check_base(self.base)
        except LabError:
            self.rebuild()

    def _full(self, folder: Path, style: StyleName) -> Loaded:
        try:
            model = AutoModelForCausalLM.from_pretrained(str(folder), **self._settings())
        except (OSError, ValueError) as error:
            raise LabError(f"the weights in {folder} cannot be read: {error}") from error
        model = self._placed(model)
        lane = Lane(model, Stack(model), self._max_rows)
        return Loaded("full", lane, (), style, str(folder), None)  # on no base: nothing to prove

    def _settings(self) -> dict[str, Any]:
        return {"dtype": self.dtype} | (in_four_bits(self.dtype) if self._four_bits else {})

    def _placed(self, model: Any) -> Any:
        if self._four_bits:
            without_packing(model)  # it may be adapted to a question, which a packed weight would falsify
        else:
            model = model.to(self.device)
        return model.eval().requires_grad_(False)


def _existing(source: ModelSource) -> Path:
    folder = Path(source.folder or "")
    if not source.folder or not folder.is_dir():
        raise LabError(f"model '{source.label}': its folder {source.folder} does not exist; was its job deleted?")
    return folder


def _check_adapter(label: str, folder: Path, base: str) -> None:
    config = folder / "adapter_config.json"
    if not config.is_file():
        raise LabError(f"model '{label}': {folder} holds no LoRA adapter (adapter_config.json is missing)")
    settings = json.loads(config.read_text(encoding="utf-8"))
    if (kind := settings.get("peft_type")) != "LORA":
        raise LabError(f"model '{label}': adapters of type {kind} are not supported; LoRA is")
    if str(settings.get("init_lora_weights", True)).split("_niter")[0] in REWRITING:
        raise LabError(
            f"the adapter of '{label}' ({settings['init_lora_weights']}) changes the base '{base}' itself, so a "
            "comparison would be false: convert it into a plain LoRA, or train with the default initialisation"
        )
