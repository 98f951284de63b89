"""A folder that is there whole or not at all: everything is written beside it, and put in its place by one rename."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.core.errors import LabError

# What loads a model, by name; a job leaves more beside it (its spec with paths of this machine, its curves).
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "tokenizer.model", "special_tokens_map.json", "vocab.json",
             "added_tokens.json", "merges.txt", "chat_template.jinja")
WHOLE = ("*.safetensors", "model.safetensors.index.json", "config.json", "generation_config.json")
ADAPTER = ("adapter_model.safetensors", "adapter_config.json")


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A new folder to write into; it becomes `folder` when the block ends, and goes when it raises.

    Raises LabError where `folder` holds something, or cannot be made.
    """
    folder = folder.expanduser().absolute()
    check_free_place(folder)
    scratch = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        scratch.mkdir(parents=True)
        yield scratch
        os.replace(scratch, folder)  # an empty folder in its place is taken over
    except OSError as error:
        raise LabError(f"the export cannot be written to {folder}: {error.strerror or error}. "
                       + ("Free some space" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "Name another folder"),
                       "disk") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def check_free_place(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise LabError(f"{folder} is there already and not empty: name another folder, or empty it. Nothing was "
                       "written", "spec")


def copy_files(source: Path, target: Path, patterns: tuple[str, ...]) -> None:
    """The files of one folder whose names fit; subfolders are a trainer's."""
    for file in sorted({file for pattern in patterns for file in source.glob(pattern) if file.is_file()}):
        shutil.copyfile(file, target / file.name)


def size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
