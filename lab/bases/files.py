"""The one way to a base's files. Whatever goes wrong there becomes a sentence with what to do. No torch here.

A base of the hub is asked for its config.json first: that request alone tells a gated model from a missing one, a
machine without internet from a full disk. transformers hides the difference in places.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab.bases.cards import BaseCard, bases
from lab.core.errors import LabError, nearest

TOKENS_PAGE = "https://huggingface.co/settings/tokens"
BYTES_PER_WEIGHT = 2  # models are published in bfloat16


def from_pretrained(kind: Any, card: BaseCard, **settings: Any) -> Any:
    """`kind.from_pretrained` on the base's files; `kind` is a class of transformers.

    Raises LabError when the files are not to be had or cannot be read.
    """
    if card.path and not Path(card.location()).is_dir():
        raise missing_files(card)
    if card.hub_id:
        fetched(card.hub_id, card.revision, card)
    try:
        return kind.from_pretrained(card.location(), revision=card.revision or "main", **settings)
    except (OSError, ValueError) as error:
        raise _unreadable(card, error) from error


def fetched(hub_id: str, revision: str | None, card: BaseCard | None = None) -> Path:
    """The model's config.json in the hub's cache, downloaded where it is not there. `card` gives better advice."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HFValidationError

    if found := cached(hub_id, revision):
        return found
    try:
        return Path(hf_hub_download(hub_id, "config.json", revision=revision or "main"))
    except (OSError, HFValidationError) as error:
        raise explained(error, hub_id, revision, card) from error


def cached(hub_id: str, revision: str | None, file: str = "config.json") -> Path | None:
    """A file of the hub's cache. Never asks the network."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(hub_id, file, revision=revision or "main")
    return Path(found) if isinstance(found, str) else None


def is_here(card: BaseCard) -> bool:
    """Whether the base can be opened without the network: its config and its weights (or their index)."""
    names = ("model.safetensors", "model.safetensors.index.json")
    if card.path:
        folder = Path(card.location())
        return (folder / "config.json").is_file() and any((folder / name).is_file() for name in names)
    hub_id = str(card.hub_id)
    return bool(cached(hub_id, card.revision)) and any(cached(hub_id, card.revision, name) for name in names)


def commit_of(card: BaseCard) -> str | None:
    """The commit of a hub base: as pinned, or the one in this machine's cache."""
    file = None if card.revision else cached(str(card.hub_id), None)
    return card.revision or (file.parent.name if file else None)


def missing_files(card: BaseCard) -> LabError:
    """What to say when a base's files are not on this machine and nothing more is known."""
    if card.hub_id:
        advice = f"download it on a machine with internet (`hf download {card.hub_id}`) and give the folder as the base"
    elif card.name in bases():
        advice = "build it again, see its card"
    else:
        advice = f"there is no folder {card.location()}"
    return LabError(f"the files of base '{card.name}' are not on this machine: {advice}{_or_stand_in(card)}", "data")


def explained(error: BaseException, hub_id: str, revision: str | None, card: BaseCard | None) -> LabError:
    """The sentence for a failed request to the hub."""
    names = {type(link).__name__ for link in _chain(error)}
    if "GatedRepoError" in names:
        return _gated(error, hub_id, card)
    if "RevisionNotFoundError" in names:
        return LabError(f"'{hub_id}' has no revision '{revision}' on the hub: see "
                        f"https://huggingface.co/{hub_id}/commits/main", "spec")
    if "EntryNotFoundError" in names or "RemoteEntryNotFoundError" in names:
        return LabError(f"'{hub_id}' has no config.json on the hub, so it is no model that transformers reads: "
                        "GGUF and adapter repositories are not bases", "spec")
    if "RepositoryNotFoundError" in names:
        hint = "" if card else f" {nearest(hub_id, bases())}"
        return LabError(f"the hub has no model '{hub_id}', or it is private: check the spelling, or put a token that "
                        f"may read it in HF_TOKEN ({TOKENS_PAGE}).{hint}", "spec")
    full = any(isinstance(link, OSError) and link.errno in (errno.ENOSPC, errno.EDQUOT) for link in _chain(error))
    return _no_room(hub_id, card) if full else _unreachable(error, hub_id, card)


def _gated(error: BaseException, hub_id: str, card: BaseCard | None) -> LabError:
    """401: nobody is logged in, or the token is void. 403: somebody who has not been let in."""
    status = next((link.response.status_code for link in _chain(error) if hasattr(link, "response")), None)
    page = f"https://huggingface.co/{hub_id}"
    if status == 403:
        what = f"accept the licence at {page} with the account of the token in use, and wait until access is granted"
    else:
        what = (f"accept the licence at {page}, make a token that may read ({TOKENS_PAGE}), and put it in HF_TOKEN "
                "or run `hf auth login`")
    return LabError(f"'{hub_id}' is gated: {what}{_or_stand_in(card)}", "data")


def _no_room(hub_id: str, card: BaseCard | None) -> LabError:
    gib = f" (about {card.parameters * BYTES_PER_WEIGHT / 2**30:.0f} GiB)" if card else ""
    return LabError(f"no disk space for the files of '{hub_id}'{gib}: free some, or let HF_HOME name a larger disk",
                    "disk")


def _unreachable(error: BaseException, hub_id: str, card: BaseCard | None) -> LabError:
    asked = os.environ.get("HF_HUB_OFFLINE", "") in ("", "0")
    why = "the hub cannot be reached" if asked else "HF_HUB_OFFLINE is set, so the hub is not asked"
    if isinstance(error, PermissionError):
        why = f"its cache cannot be written ({error.filename})"
    return LabError(
        f"the files of base '{card.name if card else hub_id}' are not on this machine, and {why}: download it on a "
        f"machine with internet (`hf download {hub_id} --local-dir FOLDER`) and give the folder as the base"
        f"{_or_stand_in(card, here=True)}", "data",
    )


def _or_stand_in(card: BaseCard | None, here: bool = False) -> str:
    """'; or use X, which …'. With `here`, the first one down the line whose files are on this machine."""
    name = card.stand_in if card else ""
    while here and name and not is_here(bases()[name]):
        name = bases()[name].stand_in
    if not name:
        return ""
    return f"; or use '{name}', which " + ("is here" if is_here(bases()[name]) else "needs no licence to accept")


def _unreadable(card: BaseCard, error: Exception) -> LabError:
    if any(isinstance(link, OSError) and link.errno in (errno.ENOSPC, errno.EDQUOT) for link in _chain(error)):
        return _no_room(card.location(), card)
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return LabError(f"the files of base '{card.name}' in {card.location()} cannot be read: {reason}", "data")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
