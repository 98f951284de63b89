"""Export: a variant's weights, tokenizer, contract and card in one folder that plain transformers loads.

    done = export_variant(order, say=print)

An adapter is copied (no torch); `merged` loads the base, in whatever process calls this. The folder is there whole or
not at all; a push comes after it, and only where the order names a place.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lab.bases.cards import BaseCard
from lab.bases.files import cached, missing_files
from lab.bases.tokenizers import open_tokenizer
from lab.core.errors import LabError
from lab.engine.contract import FILE as CONTRACT
from lab.engine.contract import check_contract
from lab.export.card import card as card_text
from lab.export.order import Order
from lab.export.push import check_push, push
from lab.export.snippet import BASE_FOLDER, Loading
from lab.export.staging import ADAPTER, TOKENIZER, WHOLE, check_free_place, copy_files, size, staged

MOST_CARRIED = 200 * 2**20  # bytes of a base that an adapter's export carries along; larger ones stay where they are
WEIGHTS = {"adapter": ("adapter_model.safetensors",), "full": ("model.safetensors", "model.safetensors.index.json")}


@dataclass(frozen=True)
class Exported:
    """What was made. `url` is None where nothing was pushed; `card` is the README's text."""

    folder: Path
    kind: Literal["adapter", "merged", "full"]
    n_bytes: int
    url: str | None
    card: str


def export_variant(order: Order, say: Callable[[str], None] = lambda text: None) -> Exported:
    """Make the folder, then push it where that is asked for. Raises LabError; nothing is left of what failed."""
    wanted, base = order.wanted, order.facts.base
    token = check_push(wanted.push) if wanted.push else ""
    check_free_place(wanted.folder.expanduser().absolute())
    weights = _weights(order)
    tokenizer = open_tokenizer(base)
    check_contract(order.source, tokenizer, base)
    kind = _kind(order)
    with staged(wanted.folder) as folder:
        _write_weights(order, kind, weights, folder, say)
        _check_what_was_written(order, folder)
        text = card_text(order.facts, _loading(order, kind, folder, tokenizer))
        (folder / "README.md").write_text(text, encoding="utf-8")
        n_bytes = size(folder)
    say(f"{wanted.folder} holds the export, {n_bytes / 2**20:.1f} MiB")
    url = None
    if wanted.push:
        say(f"pushing to {wanted.push}")
        url = push(wanted.folder, wanted.push, wanted.private, token)
        say(f"pushed: {url}")
    return Exported(wanted.folder, kind, n_bytes, url, text)


def _kind(order: Order) -> Literal["adapter", "merged", "full"]:
    if order.source.kind == "full":
        return "full"
    return "merged" if order.wanted.merged else "adapter"


def _weights(order: Order) -> Path:
    """The folder the training left, with weights in it."""
    source = order.source
    if source.kind == "base" or not source.folder:
        raise LabError(f"'{source.label}' is a base: only what was trained here is exported", "spec")
    folder = Path(source.folder)
    if not any((folder / name).is_file() for name in WEIGHTS[source.kind]):
        raise LabError(f"the weights of '{source.label}' are not in {folder}: was its job's folder deleted?", "data")
    return folder


def _write_weights(order: Order, kind: str, weights: Path, folder: Path, say: Callable[[str], None]) -> None:
    base = order.facts.base
    copy_files(weights, folder, (*TOKENIZER, CONTRACT))
    if kind == "full":
        copy_files(weights, folder, WHOLE)
    elif kind == "adapter":
        copy_files(weights, folder, ADAPTER)
        _name_base(folder, base)
        if _carried(base):
            (folder / BASE_FOLDER).mkdir()
            copy_files(Path(base.location()), folder / BASE_FOLDER, (*TOKENIZER, *WHOLE))
    else:
        say(f"merging into a copy of {base.label}")
        from lab.export._merge import merge  # torch, transformers, peft

        merge(base, weights, folder)


def _name_base(folder: Path, base: BaseCard) -> None:
    """The adapter's config may hold a path of the machine it was trained on, where it is older than the rule."""
    file = folder / "adapter_config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    config["base_model_name_or_path"], config["revision"] = base.hub_id or base.label, base.revision
    file.write_text(json.dumps(config, indent=2, ensure_ascii=False), encoding="utf-8")


def _carried(base: BaseCard) -> bool:
    """Whether the base's files come along: it is on no hub, and small."""
    if base.path is None:
        return False
    if not Path(base.location()).is_dir():
        raise missing_files(base)
    return size(Path(base.location())) <= MOST_CARRIED


def _check_what_was_written(order: Order, folder: Path) -> None:
    """The exported tokenizer by itself, without anything a base's card would mend, keeps the variant's contract."""
    if not (folder / "tokenizer.json").is_file():
        open_tokenizer(order.facts.base).save_pretrained(folder)  # adapters from before it was kept beside them
    alone = order.facts.base.model_copy(update={
        "path": str(folder), "hub_id": None, "revision": None, "chat_template": None, "end_of_turn": None,
        "pad_token": None,
    })
    try:
        check_contract(order.source.model_copy(update={"folder": str(folder)}), open_tokenizer(alone), alone)
    except LabError as error:
        raise LabError(f"the tokenizer beside the weights of '{order.source.label}' is not the one it was trained "
                       f"through: {error}") from error


def _loading(order: Order, kind: str, folder: Path, tokenizer: Any) -> Loading:
    return Loading(order.wanted.push or ".", kind != "adapter", order.facts.base, (folder / BASE_FOLDER).is_dir(),
                   _ends(order.facts.base, folder, tokenizer))


def _ends(base: BaseCard, folder: Path, tokenizer: Any) -> tuple[int, ...]:
    """Ids that end an answer: the tokenizer's, and those of the weights' own generation settings."""
    given = _generation(folder) or _generation(folder / BASE_FOLDER) or _of_base(base)
    more = given if isinstance(given, list) else [given]
    return tuple(sorted({token for token in (tokenizer.eos_token_id, *more) if token is not None}))


def _generation(folder: Path) -> Any:
    file = folder / "generation_config.json"
    return json.loads(file.read_text(encoding="utf-8")).get("eos_token_id") if file.is_file() else None


def _of_base(base: BaseCard) -> Any:
    if base.path:
        return _generation(Path(base.location()))
    found = cached(str(base.hub_id), base.revision, "generation_config.json")
    return _generation(found.parent) if found else None
