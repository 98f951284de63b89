"""Base-model cards: one YAML file each. A card says what a base is and where it lives; it never loads weights."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field

from lab.core.registry import Registry
from lab.core.types import Plain

HERE = Path(__file__).parent


class BaseCard(Plain):
    """One base model. `path` is a folder in this repository, `hub_id` a model on the hub; exactly one is set."""

    name: str
    title: str
    family: Literal["llama", "qwen2"]
    path: str | None = None  # relative to lab/bases/
    hub_id: str | None = None
    revision: str | None = None
    license: str
    parameters: int = Field(gt=0)
    context_tokens: int = Field(gt=0)
    thinking_style: Literal["tags"] = "tags"  # <think>…</think>
    lora_targets: tuple[str, ...] | Literal["all-linear"] = "all-linear"
    stands_in_for: str = ""
    notes: str = ""
    training: dict[str, object] = {}  # what the build recorded: data, steps, seconds, loss, probes

    def location(self) -> str:
        """What transformers' from_pretrained takes: a local folder or a hub id."""
        return str(HERE / self.path) if self.path else str(self.hub_id)


@cache
def bases() -> Registry[BaseCard]:
    """Every base by name: all `*.yaml` below `lab/bases/`."""
    cards = [BaseCard.model_validate(yaml.safe_load(file.read_text())) for file in sorted(HERE.rglob("*.yaml"))]
    return Registry("base", {card.name: card for card in cards})
