"""Fingerprints of what decides an answer: weights, tokenizer, prompt; by content and never by path. No torch here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from lab.bases.cards import BaseCard
from lab.bases.files import commit_of
from lab.core.errors import LabError
from lab.core.types import ModelSource

WEIGHTS = ("config.json", "model.safetensors.index.json", "*.safetensors")
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja")


def weights_fingerprint(card: BaseCard, source: ModelSource) -> str:
    """sha256 of the base's weights, and of the adapter on it or of the full weights in its place."""
    if source.kind == "full":
        return _sha(_digests(_folder(source), WEIGHTS))
    base = _digests(Path(card.location()), WEIGHTS) if card.path else [_hub_revision(card)]
    if source.kind == "base":
        return _sha(base)
    folder = _folder(source)
    return _sha([*base, _adapter_settings(folder), *_digests(folder, ("adapter_model.safetensors",))])


def tokenizer_fingerprint(card: BaseCard) -> str:
    """sha256 of the base's tokenizer and chat template: every variant is asked through these."""
    files = _digests(Path(card.location()), TOKENIZER) if card.path else [_hub_revision(card)]
    own = (card.template_text(), card.chat_template_use, card.end_of_turn)  # what the lab reads differently
    return _sha([*files, json.dumps(own)] if card.chat_template or card.end_of_turn else files)


def prompt_sha(ids: Sequence[int]) -> str:
    """The first 16 hex digits of the sha256 of a prompt's token ids, decimal and joined by commas."""
    return hashlib.sha256(",".join(map(str, ids)).encode()).hexdigest()[:16]


def _hub_revision(card: BaseCard) -> str:
    """With the commit that the card names or this machine holds: what 'main' was on another day is another model."""
    commit = commit_of(card)
    if not commit:
        raise LabError(f"base '{card.name}' is not on this machine and its card names no revision: download it first, "
                       "or its results cannot be repeated")
    return f"{card.hub_id}@{commit}"


def _folder(source: ModelSource) -> Path:
    folder = Path(source.folder or "")
    if not source.folder or not folder.is_dir():
        raise LabError(f"model '{source.label}': its folder {source.folder} does not exist; was its job deleted?")
    return folder


def _digests(folder: Path, patterns: Iterable[str]) -> list[str]:
    files = [file for pattern in patterns for file in sorted(folder.glob(pattern))]
    if not files:
        raise LabError(f"{folder} holds none of {', '.join(patterns)}")
    return [f"{file.name}:{_file_sha(file)}" for file in files]


def _file_sha(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _adapter_settings(folder: Path) -> str:
    """The adapter's settings without the path of its base; PEFT writes lists in no fixed order."""
    file = folder / "adapter_config.json"
    if not file.is_file():
        raise LabError(f"{folder} holds no LoRA adapter (adapter_config.json is missing)")
    settings = json.loads(file.read_text(encoding="utf-8"))
    settings.pop("base_model_name_or_path", None)
    ordered = {name: sorted(map(str, v)) if isinstance(v, list) else v for name, v in settings.items()}
    return json.dumps(ordered, sort_keys=True)


def _sha(parts: list[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def number_format() -> tuple[str, ...]:
    """What a GPU computes in; the CPU's is the usual one and says nothing. Loads torch, as whoever computes does."""
    from torch import cuda

    return ("bfloat16",) if cuda.is_available() else ()
