"""To the hub, for whoever names a place and has a token. Nothing else in the lab sends anything anywhere."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.core.errors import LabError

TOKENS_PAGE = "https://huggingface.co/settings/tokens"
PLACE = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
OWN_FILES = {".gitattributes", "README.md"}  # what a repository that was just made on the hub's page may hold


def check_push(place: str, environment: Mapping[str, str] = os.environ) -> str:
    """The token. Raises LabError before any work is done: a place that is none, no token, no network wanted."""
    if not PLACE.fullmatch(place):
        raise LabError(f"'{place}' is no place on the hub: write ORG/NAME", "spec")
    if environment.get("HF_HUB_OFFLINE", "") not in ("", "0"):
        raise LabError("HF_HUB_OFFLINE is set, so nothing is pushed: unset it, or export without --push", "dependency")
    token = environment.get("HF_TOKEN", "").strip()
    if not token:
        raise LabError(f"pushing to {place} needs a token that may write: make one at {TOKENS_PAGE} and put it in "
                       "HF_TOKEN. Nothing was written", "dependency")
    return token


def push(folder: Path, place: str, private: bool, token: str) -> str:
    """Upload the folder as one commit; returns its address. A repository that holds weights already is left alone."""
    from huggingface_hub import HfApi

    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, token=token)
    try:
        api.create_repo(place, private=private, exist_ok=True)
        taken = [name for name in api.list_repo_files(place) if name not in OWN_FILES]
        if taken:
            raise LabError(f"{place} holds {len(taken)} files already (such as {taken[0]}): name another place, or "
                           f"empty it. The export is whole in {folder}", "spec")
        done: Any = api.upload_folder(repo_id=place, folder_path=folder, commit_message="Export from Trace Lab")
    except LabError:
        raise
    except Exception as error:  # the library's own errors, its HTTP library's, a malformed answer
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise LabError(f"the hub did not take {place}: {first}. The export is whole in {folder}; check the token's "
                       "rights and push again", "dependency") from error
    return str(getattr(done, "repo_url", "") or f"{api.endpoint}/{place}")
