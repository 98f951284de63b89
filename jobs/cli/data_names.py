"""Where this lab's data is, and the full name of what was made here."""

from __future__ import annotations

from pathlib import Path

from lab.core.settings import Settings
from lab.data.made import find_made


def home() -> Path:
    return Settings.from_env().home


def in_full(name: str) -> str:
    """A dataset that was made here may be named by its file's name alone."""
    path = find_made(home(), name)
    return str(path) if path else name
