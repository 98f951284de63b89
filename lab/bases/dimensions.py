"""The dimensions of a base, from its card or its config.json on this machine. Never asks the network."""

from __future__ import annotations

import json
from pathlib import Path

from lab.bases.cards import BaseCard
from lab.bases.files import cached
from lab.bases.shape import Shape, shape_of
from lab.core.errors import LabError


def read_shape(card: BaseCard) -> Shape:
    """From the card, or the base's config.json: in its folder, or in the hub's cache. LabError when neither says."""
    if card.shape:
        return card.shape
    file = Path(card.location()) / "config.json" if card.path else cached(str(card.hub_id), card.revision)
    try:
        return shape_of(json.loads(file.read_text(encoding="utf-8")) if file else {})
    except (OSError, ValueError, KeyError, TypeError):
        raise LabError(f"the memory of base '{card.name}' cannot be estimated: its config.json is not on this machine, "
                       "or is of another family", "data") from None
