"""`bases`: the base models, and all about one of them: licence, form, memory, whether its files are here."""

from __future__ import annotations

import argparse
import json
from typing import Any

from jobs.cli.text import aligned
from lab.bases.cards import BaseCard, bases
from lab.bases.files import is_here
from lab.core.errors import LabError
from lab.training.memory_table import Way, memory_table

COLUMNS = ("base", "size", "family", "licence", "thinking", "context", "4-bit", "LoRA", "full", "files")


def show_bases(options: argparse.Namespace) -> int:
    if options.name:
        return _show_one(bases()[options.name], options)
    if options.json:
        print(json.dumps([_facts(card, options.length) for card in bases().values()]))
        return 0
    print(aligned(COLUMNS, [_cells(card, options.length) for card in bases().values()]))
    print(f"\nMemory in GiB on one GPU for one row of {options.length} tokens at a time, activations recomputed; an "
          "estimate.\nA folder or a hub id (org/model) is a base, too. All about one: python -m jobs bases NAME")
    return 0


def _cells(card: BaseCard, length: int) -> list[str]:
    gib = {way.name: _gib(way) for way in _ways(card, length) if way.activation_checkpointing}
    licence = card.license + (" (gated)" if card.gated else "")
    return [
        card.name, _size(card), card.family, licence, card.thinking_style, str(card.context_tokens),
        *(gib.get(name, "–") for name in ("4-bit LoRA", "LoRA", "full")), "here" if is_here(card) else "–",
    ]


def _show_one(card: BaseCard, options: argparse.Namespace) -> int:
    if options.json:
        print(json.dumps(_facts(card, options.length)))
        return 0
    for name, value in _lines(card):
        print(f"{name:12} {value}")
    ways = _ways(card, options.length)
    if not ways:
        print("memory       unknown: its config.json is not on this machine")
        return 0
    length = min(options.length, card.context_tokens)
    print(f"\nGiB on one GPU for one row of {length} tokens at a time (LoRA rank 32), an estimate:")
    parts = ("weights", "gradients", "optimiser", "activations", "logits", "overhead")
    rows = [[way.name + (", recomputed" if way.activation_checkpointing else ""), _gib(way),
             *(f"{getattr(way.memory, part) / 1024:.1f}" for part in parts)] for way in ways]
    print(aligned(("way", "total", *parts), rows))
    return 0


def _lines(card: BaseCard) -> list[tuple[str, str]]:
    """What is known of it; empty facts are left out."""
    licence = card.license + (f", {card.license_url}" if card.license_url else "")
    lines = [
        ("base", f"{card.name} · {card.title}"), ("family", card.family), ("parameters", f"{card.parameters:,}"),
        ("context", f"{card.context_tokens:,} tokens"), ("licence", licence),
        ("gated", "yes: the hub asks for an account that accepted the licence" if card.gated else ""),
        ("thinking", card.thinking_style), ("hub", card.hub_id or ""),
        ("revision", " · ".join(filter(None, (card.revision, card.revision_note)))),
        ("template", f"lab/bases/templates/{card.chat_template}, "
                     + ("in place of its own" if card.chat_template_use == "always" else "if it has none of its own")
                     if card.chat_template else ""),
        ("stand-in", card.stand_in), ("stands for", card.stands_in_for), ("notes", card.notes),
        ("files", f"here, in {card.location()}" if card.path and is_here(card) else
                  "here, in the hub's cache" if is_here(card) else f"not on this machine: {_get(card)}"),
    ]
    return [(name, value) for name, value in lines if value]


def _get(card: BaseCard) -> str:
    """How to get the files of a base that is not here."""
    if card.path:
        return f"{card.location()} holds no weights"
    revision = f" --revision {card.revision}" if card.revision else ""
    return f"hf download {card.hub_id}{revision}" + (" (after accepting the licence)" if card.gated else "")


def _facts(card: BaseCard, length: int) -> dict[str, Any]:
    ways = [{"way": way.name, "activation_checkpointing": way.activation_checkpointing, "mib": way.memory.total}
            for way in _ways(card, length)]
    return {**card.model_dump(exclude={"training"}), "here": is_here(card), "memory_length": length, "memory": ways}


def _ways(card: BaseCard, length: int) -> list[Way]:
    try:
        return memory_table(card, min(length, card.context_tokens))
    except LabError:
        return []


def _gib(way: Way) -> str:
    return f"{way.memory.total / 1024:.1f}"


def _size(card: BaseCard) -> str:
    billions = card.parameters / 1e9
    return f"{billions:.1f} B" if billions >= 1 else f"{card.parameters / 1e6:.0f} M"
