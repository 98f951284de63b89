"""A recipe's text: changed value by value, so that its comments stay where they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from lab.core.errors import LabError
from lab.core.spec import parse_recipe, to_yaml

ABSENT = object()


def with_values(text: str, kind: str, wanted: Mapping[str, Any]) -> str:
    """The recipe with exactly these values: left alone where it says so already, else changed line by line.

    A text that cannot be changed so (values over several lines, broken YAML) is written anew, without its comments.
    """
    try:
        old_kind, old = parse_recipe(text, "recipe")
    except LabError:
        old_kind, old = "", {}
    wanted = plain(wanted)
    if old_kind == kind and old == wanted:
        return text
    changed = _line_by_line(text, old, wanted) if old_kind == kind else ""
    return changed if changed and _says(changed, kind, wanted) else to_yaml(kind, wanted)


def plain(values: Any) -> Any:
    """With lists for tuples: as YAML reads them back."""
    if isinstance(values, Mapping):
        return {key: plain(value) for key, value in values.items()}
    return [plain(value) for value in values] if isinstance(values, list | tuple) else values


def _says(text: str, kind: str, wanted: Mapping[str, Any]) -> bool:
    try:
        return parse_recipe(text, "recipe") == (kind, wanted)
    except LabError:
        return False


def _line_by_line(text: str, old: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    lines = text.splitlines()
    for path, value in _differences(old, wanted):
        lines = _with_line(lines, path, value)
    return "\n".join(lines) + "\n"


def _differences(
    old: Mapping[str, Any], wanted: Mapping[str, Any], path: tuple[str, ...] = ()
) -> list[tuple[tuple[str, ...], Any]]:
    """(path, new value or ABSENT) of everything that is not alike; groups of settings are looked into."""
    found: list[tuple[tuple[str, ...], Any]] = []
    for key in dict.fromkeys([*old, *wanted]):
        was, now = old.get(key, ABSENT), wanted.get(key, ABSENT)
        if isinstance(was, Mapping) and isinstance(now, Mapping):
            found += _differences(was, now, (*path, key))
        elif was != now:
            found.append(((*path, key), now))
    return found


def _with_line(lines: list[str], path: tuple[str, ...], value: Any) -> list[str]:
    """The one line of this setting with another value, gone, or new at the end of its group."""
    *parents, key = path
    start, end, indent = 0, len(lines), ""
    for parent in parents:
        start, end, indent = _group(lines, parent, start, end, indent)
    pattern = re.compile(rf"^{indent}{re.escape(key)}:(?=\s|$)")
    place = next((number for number in range(start, end) if pattern.match(lines[number])), None)
    if value is ABSENT:
        return lines if place is None else [*lines[:place], *lines[place + 1:]]
    comment = _comment(lines[place]) if place is not None else ""
    line = f"{indent}{key}: {_value(value)}{comment}"
    if place is not None:
        return [*lines[:place], line, *lines[place + 1:]]
    return [*lines[:end], line, *lines[end:]]


def _group(lines: list[str], name: str, start: int, end: int, indent: str) -> tuple[int, int, str]:
    """(first line of a group of settings, the one after its last, its indent)."""
    head = next((number for number in range(start, end) if lines[number].startswith(f"{indent}{name}:")), end)
    inner = re.match(r"\s*", lines[head + 1])[0] if head + 1 < end else ""  # type: ignore[index]
    inner = inner if len(inner) > len(indent) else f"{indent}  "
    last = head + 1
    while last < end and (lines[last].startswith(inner) or not lines[last].strip()):
        last += 1
    while last > head + 1 and not lines[last - 1].strip():
        last -= 1
    return head + 1, last, inner


def _comment(line: str) -> str:
    found = re.search(r"\s+#.*$", line)
    return found[0] if found else ""


def _value(value: Any) -> str:
    """On one line, as YAML."""
    return yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**6).removesuffix("...\n").strip()
