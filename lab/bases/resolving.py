"""Bases that have no card: a folder on this machine, or a model of the hub by its id, typed in where a name would be.

A card is made of what its config.json says. What the file cannot say (licence, thinking style) is said to be unknown or
takes the default. Nothing of the weights is read here.
"""

from __future__ import annotations

import json
import os
import re
from functools import lru_cache
from pathlib import Path

from lab.bases.cards import BaseCard, bases
from lab.bases.files import cached, fetched
from lab.bases.shape import Family, family_of, n_parameters, shape_of
from lab.core.errors import Fault, LabError, nearest

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(@[\w.-]+)?")
COMMIT = re.compile(r"[0-9a-f]{40}")


def resolve(name: str) -> BaseCard | None:
    """A card for a folder or a hub id; None where the name is neither.

    Raises LabError when the folder holds no base, when the hub does not give its config.json, or when it is of a
    family the lab does not train.
    """
    if _names_a_folder(name):
        return _folder_card(name)
    return _hub_card(name) if HUB_ID.fullmatch(name) else None


def check_base_name(field: str, name: str) -> list[Fault]:
    """A fault where `bases()[name]` could not be had. Never asks the hub: a spec is checked at every key stroke."""
    if name in bases():
        return []
    if not _names_a_folder(name) and not HUB_ID.fullmatch(name):
        more = " A folder with a model's files or a hub id (org/model) will do, too."
        return [Fault(field, f"unknown base '{name}'. {nearest(name, bases())}{more}", name)]
    try:
        if _names_a_folder(name) or cached(*_parts(name)):
            resolve(name)
        elif os.environ.get("HF_HUB_OFFLINE", "") not in ("", "0"):
            raise LabError(f"'{name}' is not on this machine and HF_HUB_OFFLINE is set: give a folder instead", "spec")
    except LabError as error:
        return [Fault(field, str(error), name)]
    return []


def _names_a_folder(name: str) -> bool:
    """Said as a path, or a path that is there: 'a/b' is a folder when it exists, as transformers reads it."""
    return name.startswith(("/", "./", "../", "~")) or ("/" in name and Path(name).is_dir())


def _folder_card(name: str) -> BaseCard:
    folder = Path(name).expanduser().resolve()
    file = folder / "config.json"
    if not file.is_file():
        raise LabError(_what_is_wrong(folder), "spec")
    return _card(file, str(folder), {"path": str(folder), "license": _license(folder)})


def _what_is_wrong(folder: Path) -> str:
    if not folder.is_dir():
        return f"there is no folder {folder}: give a folder with a model's files, a base's name, or a hub id"
    if (folder / "adapter_config.json").is_file():
        return (f"{folder} holds a LoRA adapter, not a base: name the base it stands on, and begin from the adapter "
                "with start: variant:NAME")
    return f"{folder} holds no config.json: a base's folder has config.json, *.safetensors and tokenizer.json"


@lru_cache(maxsize=64)
def _hub_card(name: str) -> BaseCard:
    hub_id, revision = _parts(name)
    file = fetched(hub_id, revision)
    # The cache keeps each commit in a folder of its own, so even a look-up of 'main' names what was read.
    commit = file.parent.name if COMMIT.fullmatch(file.parent.name) else revision
    note = "the commit this machine has" if commit != revision else "as typed"
    return _card(file, name, {
        "hub_id": hub_id, "revision": commit, "revision_note": note, "license": "see its page on the hub",
        "license_url": f"https://huggingface.co/{hub_id}",
    })


def _card(file: Path, name: str, where: dict[str, str]) -> BaseCard:
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
        family = family_of(config, f"'{name}'")
        shape = shape_of(config)
        context = int(config["max_position_embeddings"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LabError(f"the config.json of '{name}' cannot be read as that of a base: {error!r}", "spec") from None
    return BaseCard(
        name=name, title=name.rsplit("/", 1)[-1], family=family, parameters=n_parameters(family, shape), shape=shape,
        context_tokens=context, **_template(family), **where,  # type: ignore[arg-type]
        notes="Typed in: its licence, thinking style and chat template are its own, and were not checked.",
    )


def _template(family: Family) -> dict[str, str]:
    """Qwen3's own template moves the thinking about; see `BaseCard.chat_template_use`."""
    return {"chat_template": "qwen3.jinja", "chat_template_use": "always"} if family == "qwen3" else {}


def _license(folder: Path) -> str:
    """The name in the head of the folder's README.md, as the hub's cards have it."""
    readme = folder / "README.md"
    found = re.search(r"^license:\s*(\S+)", readme.read_text(encoding="utf-8"), re.M) if readme.is_file() else None
    return found.group(1) if found else "not stated in the folder"


def _parts(name: str) -> tuple[str, str | None]:
    hub_id, _, revision = name.partition("@")
    return hub_id, revision or None
