"""The rater's page's own words, one YAML file a language under `words/`; a new language is a new file with its keys.

What a round says to its raters is not here: it is part of the measurement and stays as the round wrote it
(`lab.rating.wording`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "words"
FIRST = "en"
FRENCH_SPACE = re.compile(r" (?=[?!:;»])|(?<=«) ")  # French sets a space there that must not break


@dataclass(frozen=True)
class Words:
    """The words of one language; called with a dotted key and what stands in its braces."""

    language: str
    texts: Mapping[str, Any]  # dotted key → text, or a list for a table

    def __call__(self, key: str, **values: object) -> str:
        return self.texts[key].format(**values)

    def count(self, key: str, n: int) -> str:
        """`key` + '_one' or '_many': French counts nought as one, English as many."""
        one = n == 1 or (n == 0 and self.language == "fr")
        return self(f"{key}_{'one' if one else 'many'}", n=n)

    def rows(self, key: str) -> list[list[str]]:
        return self.texts[key]

    def under(self, prefix: str) -> dict[str, str]:
        """Every text whose key begins with `prefix.`, by the rest of its key."""
        start = f"{prefix}."
        return {key.removeprefix(start): text for key, text in self.texts.items() if key.startswith(start)}


@cache
def page_languages() -> tuple[str, ...]:
    """Codes of the languages the page speaks, English first."""
    return tuple(sorted((path.stem for path in FOLDER.glob("*.yaml")), key=lambda code: (code != FIRST, code)))


@cache
def words_of(language: str) -> Words:
    """The words of a language of `page_languages`; KeyError for another one."""
    if language not in page_languages():
        raise KeyError(language)
    found = yaml.safe_load((FOLDER / f"{language}.yaml").read_text(encoding="utf-8"))
    return Words(language, MappingProxyType(dict(_flat(found, "", language))))


def choose_language(*wishes: object) -> str:
    """The first wish ('fr', 'fr-CH', …) that the page speaks; English when it speaks none of them."""
    for wish in wishes:
        code = str(wish or "").split("-")[0].strip().lower()
        if code in page_languages():
            return code
    return FIRST


def accepted(header: str) -> tuple[str, ...]:
    """The languages of an Accept-Language header, the dearest first; what cannot be read is left out."""
    found = []
    for part in header.split(",")[:20]:
        code, _, quality = part.partition(";q=")
        try:
            found.append((-float(quality or 1), code.strip()))
        except ValueError:
            continue
    return tuple(code for _, code in sorted(found, key=lambda pair: pair[0]) if code)


def _flat(found: Mapping[str, Any], prefix: str, language: str) -> Iterable[tuple[str, Any]]:
    for key, value in found.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.", language)
        elif isinstance(value, str):
            yield f"{prefix}{key}", FRENCH_SPACE.sub("\u00a0", value) if language == "fr" else value
        else:
            yield f"{prefix}{key}", value
