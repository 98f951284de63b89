"""Where a dataset's files are: a repository of the Hugging Face hub, its cache, or the same files in a local folder.

One code path for all three. `huggingface_hub` downloads, keeps and finds files (HF_HOME, HF_TOKEN, HF_ENDPOINT and
HF_HUB_OFFLINE mean what they mean there); this module says in a sentence what is missing, and checks that the columns
are those a reader was written for.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lab.core.errors import LabError
from lab.data.files import SUFFIXES, columns_of, is_table, records


@dataclass(frozen=True)
class HubSource:
    """Files of one dataset repository at one revision, and the columns a reader needs in them.

    `files` are patterns relative to the repository, in reading order. `folder` is set for a local copy.
    """

    id: str
    files: tuple[str, ...]
    columns: tuple[str, ...]
    revision: str = "main"
    folder: str | None = None
    alternatives: bool = False  # the patterns name the same rows in several forms: files of one are enough

    def at(self, folder: str | Path) -> HubSource:
        """The same files in a local folder: as `hf download --local-dir` lays them out, or lying flat."""
        return replace(self, folder=str(Path(folder).expanduser()))

    def paths(self) -> list[Path]:
        """The files, present on this machine when this returns. Raises LabError when they cannot be had."""
        root = Path(self.folder) if self.folder else Path(_snapshot(self.id, self.revision, self.files))
        if not root.is_dir():
            raise LabError(f"{self.named()}: the folder '{root}' does not exist", "data")
        found = [path for pattern in self.files for path in _matching(root, pattern)]
        if not found:
            raise LabError(self._no_files(root), "data")
        return list(dict.fromkeys(found))

    def commit(self) -> str:
        """The commit the files are of, which 'main' alone does not tell; '' for a local folder."""
        return "" if self.folder else Path(_snapshot(self.id, self.revision, self.files)).name

    def is_here(self) -> bool:
        """Whether every file can be read on this machine as it is. Nothing is fetched."""
        if self.folder:
            return self._is_in(Path(self.folder), [pattern.rsplit("/", 1)[-1] for pattern in self.files])
        from huggingface_hub import constants

        kept = Path(constants.HF_HUB_CACHE) / f"datasets--{self.id.replace('/', '--')}"
        named = kept / "refs" / self.revision
        commit = named.read_text(encoding="utf-8").strip() if named.is_file() else self.revision
        return self._is_in(kept / "snapshots" / commit, self.files)

    def _is_in(self, folder: Path, patterns: Sequence[str]) -> bool:
        held = [_holds(folder, [pattern]) for pattern in patterns]
        return any(held) if self.alternatives else all(held)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every record of every file. Raises LabError when a file's columns are not those expected."""
        for path in self.paths():
            self.check_columns(path)
            for placed in records(path):
                yield placed.record

    def check_columns(self, path: Path) -> None:
        """The schema check: a needed column that is not there, with all that was found."""
        found = columns_of(path)
        missing = [name for name in self.columns if name not in found]
        if missing:
            raise LabError(
                f"{self.named()}: the file '{path.name}' has another schema than its reader expects. Missing: "
                f"{', '.join(missing)}. Expected: {', '.join(self.columns)}. Found: {', '.join(found) or 'none'}. "
                "The repository has changed, or these are files of another dataset: use the revision named here, or "
                "import the file with a column mapping (python -m jobs data import, or benchmarks import)", "data")

    def named(self) -> str:
        """'dataset org/name at revision 96c411f1', or the folder it is read from."""
        place = f"folder {self.folder}" if self.folder else f"revision {self.revision[:12]}"
        return f"dataset {self.id} ({place})"

    def download_command(self) -> str:
        """What to type on a machine with internet to get a folder that can be carried elsewhere."""
        return download_command(self.id, self.revision, self.files)

    def _no_files(self, root: Path) -> str:
        there = sorted(path.name for path in root.rglob("*") if is_table(path))[:8]
        return (f"{self.named()}: no file there matches {' or '.join(self.files)}. Files of rows in it: "
                f"{', '.join(there) or f'none ({SUFFIXES[0]}, …)'}. To fetch the right ones: {self.download_command()}")


def _holds(folder: Path, patterns: Sequence[str]) -> bool:
    """Whether a folder has a file for every pattern."""
    files = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    return all(any(fnmatch(file, pattern) or fnmatch(file, f"*/{pattern}") for file in files) for pattern in patterns)


def _matching(root: Path, pattern: str) -> list[Path]:
    """Files by the repository's layout; else by file name, for files copied into one folder.

    A * goes across folders, as it does for `hf download --include`.
    """
    inside = sorted(path for path in root.rglob("*") if path.is_file() and is_table(path))
    exact = [path for path in inside if fnmatch(path.relative_to(root).as_posix(), pattern)]
    name = pattern.rsplit("/", 1)[-1]
    if exact or name in {f"*{suffix}" for suffix in SUFFIXES}:  # '*.jsonl' alone would take any file
        return exact
    return [path for path in inside if fnmatch(path.name, name)]


def hub_answers(timeout_s: float = 3.0) -> bool:
    """Whether the hub can be connected to. Not asking costs half a minute of retries on a machine without
    internet."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    if any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")):
        return True  # it is reached through a proxy, which may be the only way out
    address = urlsplit(constants.ENDPOINT)
    port = address.port or (443 if address.scheme == "https" else 80)
    try:
        socket.create_connection((address.hostname or "", port), timeout=timeout_s).close()
    except OSError:
        return False
    return True


def download_command(repository: str, revision: str, files: tuple[str, ...]) -> str:
    includes = " ".join(f'--include "{pattern}"' for pattern in files)
    return (f"hf download {repository} --repo-type dataset --revision {revision} {includes} "
            f"--local-dir {repository.rsplit('/', 1)[-1]}")


@cache
def _snapshot(repository: str, revision: str, files: tuple[str, ...]) -> str:
    """The folder of the hub cache with these files, asked for once per process. Raises LabError with what to do."""
    from huggingface_hub import errors, snapshot_download

    named = f"dataset {repository} (revision {revision[:12]})"
    page = f"https://huggingface.co/datasets/{repository}"
    try:
        return snapshot_download(repository, repo_type="dataset", revision=revision, allow_patterns=list(files),
                                 local_files_only=not hub_answers())
    except errors.GatedRepoError:
        why = (f"is gated: its owner asks for consent first. Accept the terms on {page} with your account, then set "
               "HF_TOKEN (or run: hf auth login)")
    except errors.RepositoryNotFoundError:
        why = (f"is not on the hub, or is private. Look at {page}; for a private repository set HF_TOKEN "
               "(or run: hf auth login)")
    except errors.RevisionNotFoundError:
        why = f"has no such revision. Look at {page}/commits/main"
    except (errors.LocalEntryNotFoundError, errors.IncompleteSnapshotError, errors.OfflineModeIsEnabled):
        why = ("is not in this machine's cache and the hub cannot be reached. On a machine with internet run: "
               f"{download_command(repository, revision, files)} — then carry that folder here and write "
               "NAME@/path/to/the/folder instead of NAME")
    except errors.HFValidationError:
        raise LabError(f"'{repository}' is no hub id: it has the form organisation/name", "spec") from None
    except (errors.HfHubHTTPError, OSError) as error:
        why = f"cannot be fetched: {str(error).splitlines()[0]}"
    raise LabError(f"{named} {why}", "data") from None
