"""Base-model cards: one YAML file each. A card says what a base is and where it lives; it never loads weights."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, model_validator

from lab.bases.shape import Family, Shape
from lab.core.registry import Registry
from lab.core.types import Plain, StyleName

HERE = Path(__file__).parent
TEMPLATES = HERE / "templates"


class BaseCard(Plain):
    """One base model. `path` is a folder in this repository or on this machine, `hub_id` a model on the hub.

    Exactly one of the two is set. `name` is what specs say and `bases()` finds: a card's name, the folder as an
    absolute path, or the hub id (with `@revision` where one was typed). `label` is the short form for names of things.
    """

    name: str
    title: str
    family: Family
    path: str | None = None  # relative to lab/bases/, or absolute
    hub_id: str | None = None
    revision: str | None = None  # a commit of the hub; None: whatever 'main' is on the day
    revision_note: str = ""  # why there is no commit, or where it was seen
    license: str
    license_url: str = ""  # the page with its text
    gated: bool = False  # the hub gives its files only to accounts that accepted the licence
    parameters: int = Field(gt=0)
    context_tokens: int = Field(gt=0)
    shape: Shape | None = None  # None: its config.json is read instead
    thinking_style: StyleName = "tags"
    chat_template: str | None = None  # file in lab/bases/templates/
    # missing: where the tokenizer has none. always: in place of its own, because that one changes what the assistant
    # said (Qwen3 moves <think>, Llama 3 trims) or writes today's date: training needs prompt + text + end of turn.
    chat_template_use: Literal["missing", "always"] = "missing"
    end_of_turn: str | None = None  # the token that ends a turn, where the tokenizer's own 'eos' is another
    pad_token: str | None = None  # where the tokenizer has none, or pads with a token that means something
    lora_targets: tuple[str, ...] | Literal["all-linear"] = "all-linear"
    stands_in_for: str = ""
    stand_in: str = ""  # name of the base to take where this one is not to be had
    notes: str = ""
    training: dict[str, object] = {}  # what the build recorded: data, steps, seconds, loss, probes

    @model_validator(mode="after")
    def _lives_somewhere(self) -> BaseCard:
        if bool(self.path) == bool(self.hub_id):
            raise ValueError("a base lives in a folder (path) or on the hub (hub_id): set exactly one")
        return self

    @property
    def label(self) -> str:
        """Short and safe in names of variants and files."""
        return base_label(self.name)

    def location(self) -> str:
        """What transformers' from_pretrained takes: a local folder or a hub id."""
        return str(HERE / self.path) if self.path else str(self.hub_id)

    def template_text(self) -> str | None:
        """The lab's chat template for this base, if it has one."""
        return (TEMPLATES / self.chat_template).read_text(encoding="utf-8") if self.chat_template else None


class Bases(Registry[BaseCard]):
    """The cards by name. Looking up a folder or a hub id makes a card of it; iteration and `in` know the cards only."""

    def __missing__(self, name: str) -> BaseCard:
        from lab.bases.resolving import resolve

        return resolve(name) or super().__missing__(name)


def base_label(name: str) -> str:
    """'demo-llama' → itself, '/models/My Base' → 'My-Base', 'org/model@0a1b' → 'model'. No file is looked at."""
    last = name.rstrip("/").rsplit("/", 1)[-1]
    short = last.split("@", 1)[0] if "/" in name and not name.startswith(("/", ".", "~")) else last
    return "".join(sign if sign.isalnum() or sign in "._-" else "-" for sign in short) or "base"


@cache
def bases() -> Bases:
    """Every base by name: all `*.yaml` below `lab/bases/`, and by look-up any folder or hub id."""
    cards = [BaseCard.model_validate(yaml.safe_load(file.read_text())) for file in sorted(HERE.rglob("*.yaml"))]
    return Bases("base", {card.name: card for card in cards})
