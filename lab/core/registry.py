"""Registry: a dict with a good error, and the one-file-per-thing discovery behind it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

from lab.core.errors import UnknownName

T = TypeVar("T")


class Registry(dict[str, T], Generic[T]):
    """Name → thing. A missing name raises `UnknownName` with the nearest match."""

    def __init__(self, what: str, things: dict[str, T] | None = None):
        super().__init__(things or {})
        self.what = what

    def __missing__(self, name: str) -> T:
        raise UnknownName(self.what, name, self)

    def add(self, name: str, thing: T) -> T:
        if name in self:
            raise ValueError(f"two {self.what}s are called '{name}'")
        self[name] = thing
        return thing


def discover(package: str, attribute: str) -> Iterator[tuple[str, Any]]:
    """(module name, value) of `attribute` in every module of `package` that has it, except files starting with _.

    A file is imported only when a line of it begins with the attribute's name: neighbours that load torch stay out.
    """
    folders = importlib.import_module(package).__path__
    for info in pkgutil.iter_modules(folders):
        if not info.name.startswith("_") and _sets(info, attribute):
            module = importlib.import_module(f"{package}.{info.name}")
            if hasattr(module, attribute):
                yield info.name, getattr(module, attribute)


def _sets(info: pkgutil.ModuleInfo, attribute: str) -> bool:
    found = info.module_finder.find_spec(info.name)  # type: ignore[call-arg]
    if found is None or not found.origin:
        return False
    text = Path(found.origin).read_text(encoding="utf-8")
    return any(line.startswith(attribute) for line in text.splitlines())
